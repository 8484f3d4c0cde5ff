"""Keypoints on disk: one memory-mapped float16 array for a frame list, tied to it by count and checksum."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError, MissingDataError
from vidreid.files import read_array, read_json, write_json, write_whole
from vidreid.keypoints.layouts import Layout, check_layout

_JOINTS = 17


def write_keypoints(
    folder: Path,
    split: str,
    keypoints: NDArray[np.floating],
    names_crc: int,
    source: str,
    layout: Layout = "coco17",
) -> None:
    """Write the keypoints of a frame list, whole or not at all.

    Args:
        folder: Where ``<split>.npy`` and ``<split>.json`` go.
        split: Name of the frame list, such as ``bbox_train``.
        keypoints: ``(N, 17, 3)``: x, y in pixels of the frame, confidence in [0, 1].
        names_crc: CRC-32 of the frame list (``vidreid.data.mars_format.names_crc``).
        source: Who made them, in a word (``true``, ``detector``, a pose tool's name).
        layout: What the 17 joints are.

    Raises:
        ValueError: If the array has another shape or there is no such layout.
    """
    check_layout(layout)
    if keypoints.ndim != 3 or keypoints.shape[1:] != (_JOINTS, 3):
        raise ValueError(f"Keypoints must be (frames, 17, 3), not {keypoints.shape}.")
    folder = Path(folder)
    description = {"frames": len(keypoints), "names_crc32": names_crc, "skeleton": layout, "source": source}
    # The description says that the array is whole, so it goes first and comes back last.
    (folder / f"{split}.json").unlink(missing_ok=True)
    with write_whole(folder / f"{split}.npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.asarray(keypoints, dtype=np.float16))
    write_json(folder / f"{split}.json", description)


class KeypointStore:
    """Keypoints of a frame list, 17 a frame, read from disk as they are needed.

    The array stays memory-mapped: MARS's 1.19 million frames take 122 MB on disk and almost
    nothing in memory.

    Attributes:
        layout: What the 17 joints are.
    """

    def __init__(self, path: Path, source: str, layout: Layout = "coco17") -> None:
        self.path = Path(path)
        self.source = source
        self.layout: Layout = layout
        self._array = read_array(self.path, mapped=True)
        if self._array.ndim != 3 or self._array.shape[1:] != (_JOINTS, 3):
            raise DataError(f"{self.path} has shape {self._array.shape}, expected (frames, 17, 3).")

    @classmethod
    def open(cls, folder: Path, split: str, frames: int, names_crc: int | None) -> "KeypointStore":
        """Open ``<folder>/<split>.npy`` and check that it belongs to the frame list.

        Args:
            folder: The folder of the store.
            split: Name of the frame list, such as ``bbox_train``.
            frames: Length of the frame list.
            names_crc: CRC-32 of the frame list; ``None`` leaves that check out.

        Raises:
            MissingDataError: If the folder or one of the two files is missing.
            DataError: If the store belongs to another frame list.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise MissingDataError(
                f"There are no keypoints in {folder}: prepare them, or choose a method that needs none."
            )
        array, description = folder / f"{split}.npy", folder / f"{split}.json"
        for path in (array, description):
            if not path.is_file():
                raise MissingDataError(f"{path} is missing: make these keypoints anew.")
        told = _description(description)
        store = cls(array, source=str(told.get("source", "unknown")), layout=told["skeleton"])
        if len(store) != frames or told["frames"] != frames:
            raise DataError(
                f"{array} describes {len(store)} frames but the frame list has {frames}: "
                "these keypoints belong to other images, make them anew."
            )
        if names_crc is not None and told["names_crc32"] != names_crc:
            raise DataError(
                f"{array} was made for a frame list with other names (checksum {told['names_crc32']}, "
                f"here {names_crc}): these keypoints belong to other images, make them anew."
            )
        return store

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return ``(n, 17, 3)`` float32; a joint with a value that is not finite is missing (all zero)."""
        keypoints = self.raw(rows)
        keypoints[~np.isfinite(keypoints).all(axis=-1)] = 0.0
        np.clip(keypoints[..., 2], 0.0, 1.0, out=keypoints[..., 2])
        return keypoints

    def raw(self, rows: slice | Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return ``(n, 17, 3)`` float32 as they are stored, whatever stands there."""
        chosen = self._array[rows if isinstance(rows, slice) else np.asarray(rows, dtype=np.int64)]
        return chosen.astype(np.float32)

    def __reduce__(self) -> tuple[type["KeypointStore"], tuple[Path, str, Layout]]:
        # A memory map would be pickled as its whole content: loader processes open the file again instead.
        return KeypointStore, (self.path, self.source, self.layout)


def _description(path: Path) -> dict[str, Any]:
    """Return what the file beside the array says: ``frames``, ``names_crc32``, ``skeleton`` and more."""
    told = read_json(path)
    if not isinstance(told, dict) or not all(type(told.get(key)) is int for key in ("frames", "names_crc32")):
        raise DataError(f"{path} does not say whose keypoints lie beside it: make them anew.")
    told.setdefault("skeleton", "coco17")
    if told["skeleton"] not in get_args(Layout):
        raise DataError(
            f"{path} names the layout {told['skeleton']!r}, which is none of {', '.join(get_args(Layout))}: "
            "make these keypoints anew."
        )
    return told
