"""How crops are cut."""

from collections.abc import Sequence
from dataclasses import dataclass

ROLES = ("train", "test", "query", "gallery")
FORMATS = {"jpg": ".jpg", "png": ".png"}


@dataclass(frozen=True)
class CropSettings:
    """What decides which crops there are and what is on them.

    Attributes:
        persons: See ``read_persons``.
        classes: See ``RowFilter``, as the next three.
        min_confidence: The least of a box.
        min_visibility: The least of a box.
        first_frame: The number of a video's first picture in the column ``frame``.
        max_gap: A tracklet ends where more frames than these are missing from its track. 30 is a second of
            most videos and about as long as trackers keep a lost track before they give it up: what comes
            after a longer gap looks different and may be another person. ``None``: never.
        max_frames: The most crops of a tracklet; ``None``: no limit.
        stride: Take the frames 1, 1 + stride, ... of a video.
        min_height: Of a crop inside the picture, in pixels. Less than 32 would be enlarged more than
            eightfold to the 256 that networks are given.
        margin: Share of a box's width added to its left and to its right, and of its height above and below.
        role: Of all tracklets in the manifest: ``train``, ``test``, ``query`` or ``gallery``; ``None``:
            whoever reads it divides the people.
        format: ``jpg`` (quality 95) or ``png``.
    """

    persons: str | None = None
    classes: Sequence[int] | None = (1,)
    min_confidence: float | None = None
    min_visibility: float | None = None
    first_frame: int = 1
    max_gap: int | None = 30
    max_frames: int | None = None
    stride: int = 1
    min_height: int = 32
    margin: float = 0.0
    role: str | None = None
    format: str = "jpg"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"format={self.format!r} is unknown: choose one of {', '.join(FORMATS)}.")
        if self.role not in (None, *ROLES):
            raise ValueError(f"role={self.role!r} is unknown: choose null or one of {', '.join(ROLES)}.")
        if self.first_frame not in (0, 1):
            raise ValueError(f"first_frame={self.first_frame}: choose 0 or 1.")
        for name, least in (("max_gap", 0), ("max_frames", 1), ("stride", 1), ("min_height", 1)):
            value = getattr(self, name)
            if value is None and name in ("max_gap", "max_frames"):
                continue
            if type(value) is not int or value < least:
                raise ValueError(f"{name}={value}: choose a whole number of at least {least}.")
        if self.classes is not None and not _is_list_of_numbers(self.classes):
            raise ValueError(f"classes={self.classes}: choose a list of whole numbers such as [1], or null.")
        for name in ("min_confidence", "min_visibility"):
            value = getattr(self, name)
            if value is not None and not _is_number(value):
                raise ValueError(f"{name}={value}: choose a number, or null.")
        if not _is_number(self.margin) or not 0 <= self.margin <= 10:
            raise ValueError(f"margin={self.margin}: choose a share of the box from 0 to 10.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list_of_numbers(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) > 0 and all(type(number) is int for number in value)
