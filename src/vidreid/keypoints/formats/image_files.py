"""Files of a pose tool that writes one for each image."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.formats.image_names import NamedImages, plain, without_ending
from vidreid.keypoints.formats.listed_people import Missing
from vidreid.keypoints.poses import Pose

ReadPeople = Callable[[Path, tuple[int, int]], list[Pose]]
"""Reads the file of an image of a height and width."""


class ImageFiles:
    """One file an image, each read when it is asked for: a ``PoseSource``.

    The file of ``0001/a.jpg`` is ``0001/a.jpg<ending>`` or ``0001/a<ending>`` in the folder; where neither is
    there, the folder is searched once for files whose place says the same (see ``NamedImages``).

    Attributes:
        skeleton: Name of the joints' layout.
    """

    def __init__(
        self,
        path: Path,
        endings: Sequence[str],
        read: ReadPeople,
        skeleton: str,
        missing: Missing = "error",
        prefix: str = "",
    ) -> None:
        """Look for files; none is read.

        Args:
            path: The folder, or the file of one image.
            endings: What the files may end in, the likeliest first.
            read: Reads a file.
            skeleton: Name of the joints' layout.
            missing: What is done about an image without a file.
            prefix: What the tool may put in front of an image's name.

        Raises:
            DataError: If the folder has no file of these endings.
        """
        self.skeleton = skeleton
        self._path, self._endings, self._prefix = path, tuple(endings), prefix
        self._read, self._missing = read, missing
        if path.is_dir() and not any(self._walk()):
            raise DataError(
                f"{path} holds no file that ends in {' or '.join(endings)}: name the folder with those of "
                "the pose tool."
            )

    def poses(self, image: str, size: tuple[int, int]) -> list[Pose]:
        """Return everybody in an image, in the order of its file; see ``PoseSource``."""
        file = self._direct(plain(image)) or self._searched(image)
        if file is not None:
            return self._read(file, size)
        if self._missing == "nobody":
            return []
        raise MissingDataError(
            f"{self._path} has no file about {image} ({without_ending(plain(image))}{self._endings[0]}): run "
            "the pose tool on it too, or have such images read as without anybody (missing=nobody)."
        )

    def _direct(self, image: str) -> Path | None:
        if not self._path.is_dir():
            return None
        for ending in self._endings:
            for name in dict.fromkeys((image, without_ending(image))):
                file = f"{self._path}/{name}{ending}"
                if os.path.isfile(file):  # noqa: PTH113 - asked of every frame, and a Path costs as much again
                    return Path(file)
        return None

    def _searched(self, image: str) -> Path | None:
        files, images = self._listing
        number = images.find(image)
        return None if number is None else files[number]

    @cached_property
    def _listing(self) -> tuple[list[Path], NamedImages]:
        files = list(self._walk()) if self._path.is_dir() else [self._path]
        named: dict[str, Path] = {}
        for file in files:
            named.setdefault(self._named(file), file)
        return list(named.values()), NamedImages(list(named), str(self._path))

    def _walk(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self._path):
            folders.sort()
            for name in sorted(names):
                if name.endswith(self._endings) and not name.startswith("."):
                    yield Path(folder) / name

    def _named(self, file: Path) -> str:
        """Return the image that a file is about, as its name tells."""
        folder, name = file.parent, file.name
        ending = next((ending for ending in self._endings if name.endswith(ending)), file.suffix)
        name = name.removesuffix(ending).removeprefix(self._prefix)
        return name if not self._path.is_dir() else (folder / name).relative_to(self._path).as_posix()
