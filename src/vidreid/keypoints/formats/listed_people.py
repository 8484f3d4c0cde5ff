"""People of many images, as files that speak of all of them give them, kept in a few flat arrays."""

import math
from array import array
from collections.abc import Hashable
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import MissingDataError
from vidreid.keypoints.formats.entries import cleaned, says_something
from vidreid.keypoints.formats.image_names import Images
from vidreid.keypoints.poses import Pose

_Number = TypeVar("_Number", np.float32, np.float64, np.int64)

Missing = Literal["error", "nobody"]
"""What is done about an image of which nothing is written, though all should be."""


def checked_missing(missing: str) -> Missing:
    """Return the setting, which must be ``error`` or ``nobody``.

    Raises:
        ValueError: With the choices.
    """
    for known in get_args(Missing):
        if missing == known:
            return known
    raise ValueError(f"missing={missing!r} is unknown: choose one of {', '.join(get_args(Missing))}.")


class PeopleList:
    """Collects people entry by entry, in 260 bytes each for 17 joints, beside the names of the images.

    Attributes:
        images: Number of each image by what the files call it, in the order of coming up.
    """

    def __init__(self, joints: int) -> None:
        self.images: dict[Hashable, int] = {}
        self._joints = joints
        self._keypoints = array("f")
        self._facts = array("d")
        self._image = array("q")

    def image(self, name: Hashable) -> int:
        """Return the number of an image, a new one if it has not come up."""
        return self.images.setdefault(name, len(self.images))

    def add(
        self,
        image: int,
        keypoints: NDArray[np.float64],
        box: tuple[float, float, float, float] | None = None,
        score: float | None = None,
        track: int | None = None,
    ) -> None:
        """Add a person ``(K, 3)`` to an image."""
        self._keypoints.frombytes(keypoints.astype(np.float32).tobytes())
        self._facts.extend(box or (math.nan,) * 4)
        self._facts.append(math.nan if score is None else score)
        self._facts.append(math.nan if track is None else track)
        self._image.append(image)

    def keypoints(self) -> NDArray[np.float32]:
        """Return ``(people, K, 3)`` of all who were added; what is written into it stays."""
        return _array(self._keypoints, np.float32).reshape(-1, self._joints, 3)

    def sorted(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Return keypoints, facts ``(people, 6)``, the order of people by image and where each begins."""
        image = _array(self._image, np.int64)
        order = np.argsort(image, kind="stable")
        starts = np.searchsorted(image[order], np.arange(len(self.images) + 1))
        return self.keypoints(), _array(self._facts, np.float64).reshape(-1, 6), order, starts


class ListedPoses:
    """The people of a ``PeopleList``, by image: a ``PoseSource``.

    Attributes:
        skeleton: Name of the joints' layout.
    """

    def __init__(
        self, skeleton: str, people: PeopleList, images: Images, where: str, missing: Missing | None = None
    ) -> None:
        """Take what was collected.

        Args:
            skeleton: Name of the joints' layout.
            people: All of them; nothing may be added any more.
            images: Finds the images of ``people``.
            where: What the files are, for messages.
            missing: What is done about an image that is not among them; ``None`` if the tool writes only of
                those in which it found somebody.
        """
        self.skeleton = skeleton
        self._keypoints, self._facts, self._order, self._starts = people.sorted()
        self._images, self._where, self._missing = images, where, missing

    def poses(self, image: str, size: tuple[int, int]) -> list[Pose]:
        """Return everybody in an image, in the order of the files; see ``PoseSource``."""
        number = self._images.find(image)
        if number is None:
            if self._missing == "error":
                raise MissingDataError(
                    f"{self._where} says nothing about {image}: run the pose tool on it too, or have such "
                    "images read as without anybody (missing=nobody)."
                )
            return []
        rows = self._order[self._starts[number] : self._starts[number + 1]]
        joints, facts = cleaned(self._keypoints[rows]), self._facts[rows].tolist()
        people = [_pose(keypoints, *known) for keypoints, known in zip(joints, facts, strict=True)]
        return [pose for pose in people if says_something(pose)]


def _pose(
    keypoints: NDArray[np.float64],
    x: float,
    y: float,
    width: float,
    height: float,
    score: float,
    track: float,
) -> Pose:
    return Pose(
        keypoints,
        box=None if math.isnan(x) else (x, y, width, height),
        score=None if math.isnan(score) else score,
        track=None if math.isnan(track) else int(track),
    )


def _array(values: array, kind: type[_Number]) -> NDArray[_Number]:
    """Return an array over the same memory."""
    return np.frombuffer(values, dtype=kind) if values else np.empty(0, dtype=kind)
