"""The images of files in COCO's form: which file name an image id stands for."""

from pathlib import Path
from typing import Any

from vidreid.keypoints.formats.entries import Place, elements, fields, short


def image_names(content: dict[str, Any], file: Path) -> dict[Any, str]:
    """Return the file name of each image id of ``images``.

    Raises:
        DataError: If an image lacks one of them, or has that of another.
    """
    names: dict[Any, str] = {}
    for number, value in enumerate(elements(content.get("images"), "images", Place(file)), start=1):
        place = Place(file, number, "image")
        image = fields(value, place)
        key, name = image.get("id"), image.get("file_name")
        if not isinstance(key, int | str) or isinstance(key, bool) or not isinstance(name, str) or not name:
            raise place.wrong(f"its id and file_name are {short(key)} and {short(name)}: write the file anew")
        if key in names:
            raise place.wrong(f"{names[key]} has the id {short(key)} too: write the file anew")
        names[key] = name
    return names


def image_named(key: Any, names: dict[Any, str], place: Place) -> str:
    """Return the file name of an image id.

    Raises:
        DataError: If no image has it.
    """
    if not isinstance(key, int | str) or isinstance(key, bool) or key not in names:
        raise place.wrong(f"image_id is {short(key)}, which no image has: write the file anew")
    return names[key]
