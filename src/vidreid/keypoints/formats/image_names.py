"""Finding an image among those that a pose tool's files speak of."""

from array import array
from collections.abc import Callable, Sequence
from typing import Protocol

from vidreid.errors import DataError

_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class Images(Protocol):
    """The images that files speak of, numbered from 0."""

    def find(self, image: str) -> int | None:
        """Return the number of an image, ``None`` if the files do not speak of it.

        Args:
            image: Its path below the folder of its split.

        Raises:
            DataError: If they might speak of it, and that cannot be told.
        """
        ...


class NamedImages:
    """Images by their names: paths of any length, such as ``a.jpg`` or ``0001/a.jpg``.

    An image is the one of its path; else the only one whose path ends as its own, or its own as that path;
    else, where nothing of its folder is named, the only one of its file name. What images end in (``.jpg``,
    ``.png``) makes no difference unless two names differ in that alone.
    """

    def __init__(self, names: Sequence[str], where: str) -> None:
        """Take the names.

        Args:
            names: All different.
            where: What names them, for messages.
        """
        self._names = [plain(name) for name in names]
        self._where = where
        self._by_file: dict[str, int | list[int]] = {}
        for number, name in enumerate(self._names):
            file = without_ending(name.rpartition("/")[2])
            before = self._by_file.setdefault(file, number)
            if isinstance(before, list):
                before.append(number)
            elif before != number:
                self._by_file[file] = [before, number]
        self._folders: set[str] | None = None
        self._once = _AnsweredOnce(len(names))

    def find(self, image: str) -> int | None:
        """Return the number of an image, ``None`` if it is not named; see ``Images``."""
        image = plain(image)
        folder, _, file = image.rpartition("/")
        found = self._by_file.get(without_ending(file))
        if found is None:
            return None
        candidates = found if isinstance(found, list) else [found]
        fitting = [number for number in candidates if self._names[number] == image]
        path = without_ending(image)
        fitting = fitting or [number for number in candidates if self._fits(number, path)]
        if not fitting:
            if self._knows(folder):
                return None
            fitting = candidates
        if len(fitting) > 1:
            raise DataError(
                f"{self._where}: {image} may be {self._names[fitting[0]]} or {self._names[fitting[1]]}: "
                "these files must name images by their path below the folder of the split."
            )
        other = self._once.other_folder(fitting[0], folder)
        if other is not None:
            raise DataError(
                f"{self._where}: {self._names[fitting[0]]} may be {image} or the image of that name in "
                f"{other or 'no folder'}: these files must name images by their path below the folder of the "
                "split."
            )
        return fitting[0]

    def _fits(self, number: int, path: str) -> bool:
        name = without_ending(self._names[number])
        return name == path or name.endswith(f"/{path}") or path.endswith(f"/{name}")

    def _knows(self, folder: str) -> bool:
        """Tell whether some image of a folder is named, so that another of it is simply not."""
        if self._folders is None:
            self._folders = {name.rpartition("/")[0] for name in self._names}
        return folder in self._folders or any(known.endswith(f"/{folder}") for known in self._folders)


class NumberedImages:
    """Images that files speak of by a number, which follows from an image's file name."""

    def __init__(self, numbers: Sequence[int], of_file: Callable[[str], int], where: str) -> None:
        """Take the numbers.

        Args:
            numbers: All different.
            of_file: Returns the number of a file name without folder and ending; raises ``ValueError`` with
                the reason if it has none.
            where: What speaks of them, for messages.
        """
        self._places = {number: place for place, number in enumerate(numbers)}
        self._of_file, self._where = of_file, where
        self._once = _AnsweredOnce(len(numbers))

    def find(self, image: str) -> int | None:
        """Return the place of an image's number, ``None`` if it is not among them; see ``Images``."""
        folder, _, file = plain(image).rpartition("/")
        try:
            number = self._of_file(without_ending(file))
        except ValueError as error:
            raise DataError(f"{self._where} speaks of images by numbers, and {image} {error}.") from error
        place = self._places.get(number)
        if place is None:
            return None
        other = self._once.other_folder(place, folder)
        if other is not None:
            raise DataError(
                f"{self._where}: number {number} may be {image} or an image in {other or 'no folder'}: open "
                "the files of one folder of images at a time."
            )
        return place


class _AnsweredOnce:
    """Remembers from which folder each image was asked for: one image cannot lie in two."""

    def __init__(self, images: int) -> None:
        self._asked = array("i", [-1]) * images
        self._folders: dict[str, int] = {}

    def other_folder(self, image: int, folder: str) -> str | None:
        """Return another folder from which this image was asked for, ``None`` if there is none."""
        asked = self._folders.setdefault(folder, len(self._folders))
        if self._asked[image] < 0:
            self._asked[image] = asked
        if self._asked[image] == asked:
            return None
        other = list(self._folders)[self._asked[image]]
        return None if folder.endswith(f"/{other}") or other.endswith(f"/{folder}") else other


def plain(name: str) -> str:
    """Return a path with ``/`` between its folders and none of ``.``."""
    name = name.replace("\\", "/")
    return "/".join(part for part in name.split("/") if part != ".") if "./" in name else name


def without_ending(name: str) -> str:
    """Return a path without the ending of an image."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and f".{ending.lower()}" in _ENDINGS else name
