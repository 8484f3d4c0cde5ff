"""Checked values out of what a pose tool wrote about a person, each wrong one with its place."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError
from vidreid.keypoints.poses import Pose

# Of pixels and scores: whatever is larger is a damaged number.
_BOUND = 1e9
_NUMBERS = {int, float}


class Place(NamedTuple):
    """A place in a file, for messages.

    Attributes:
        file: The file.
        entry: Number of the entry, from 1.
        what: What entries are called.
    """

    file: Path
    entry: int | None = None
    what: str = "entry"

    def __str__(self) -> str:
        return str(self.file) if self.entry is None else f"{self.file}, {self.what} {self.entry}"

    def wrong(self, told: str) -> DataError:
        """Return the error about this place."""
        return DataError(f"{self}: {told}.")


def fields(value: Any, place: Place) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        DataError: If the value is none.
    """
    if not isinstance(value, dict):
        raise place.wrong(f"there is {short(value)} instead of an object: this is a file of another format")
    return value


def elements(value: Any, what: str, place: Place) -> list[Any]:
    """Return a JSON list.

    Raises:
        DataError: If the value is none; the sentence calls it ``what``.
    """
    if not isinstance(value, list):
        raise place.wrong(f"{what} is {short(value)} instead of a list: this is a file of another format")
    return value


def number_array(value: Any, what: str, place: Place) -> NDArray[np.float64]:
    """Return a flat JSON list of numbers; what is no number in JSON (NaN) is NaN.

    Raises:
        DataError: If there is anything else in it, or a number beyond all pixels.
    """
    if not isinstance(value, list) or not set(map(type, value)) <= _NUMBERS:
        raise place.wrong(f"{what} is {short(value)} instead of a list of numbers: write the file anew")
    try:
        numbers = np.array(value, dtype=np.float64)
    except OverflowError:
        numbers = np.array([math.inf])
    if (np.abs(numbers) > _BOUND).any():
        raise place.wrong(f"{what} holds a number beyond {_BOUND:.0e}: the file is damaged, write it anew")
    return numbers


def joint_array(
    value: Any, joints: int | Sequence[int], place: Place, what: str = "keypoints", width: int = 3
) -> NDArray[np.float64]:
    """Return the numbers of a person's joints, written flat or as a list of joints.

    Args:
        value: What JSON holds.
        joints: How many they must be, or several allowed numbers of them.
        place: Where it stands.
        what: Its name.
        width: Numbers of a joint: 3, or 2 without confidence.

    Returns:
        ``(K, width)``.

    Raises:
        DataError: If it is anything else.
    """
    if isinstance(value, list) and value and all(isinstance(joint, list) for joint in value):
        if any(len(joint) != width for joint in value):
            raise place.wrong(f"{what} has a joint that is not {width} numbers: write the file anew")
        value = [number for joint in value for number in joint]
    numbers = number_array(value, what, place)
    allowed = (joints,) if isinstance(joints, int) else tuple(joints)
    if len(numbers) not in [width * count for count in allowed]:
        raise place.wrong(
            f"{what} has {len(numbers)} numbers instead of {width * allowed[0]} ({allowed[0]} joints of "
            f"{width}): these are keypoints of another kind"
        )
    return numbers.reshape(-1, width)


def optional_number(entry: dict[str, Any], key: str, place: Place) -> float | None:
    """Return a number, or ``None`` where there is none or it is not finite.

    Raises:
        DataError: If something else stands there.
    """
    value = entry.get(key)
    if value is None or (type(value) is float and -_BOUND <= value <= _BOUND):
        return value  # the common case of a million entries
    number = number_array([value], key, place)[0]
    return None if math.isnan(number) else float(number)


def optional_box(entry: dict[str, Any], key: str, place: Place) -> tuple[float, float, float, float] | None:
    """Return x, y, width and height, or ``None`` where there is no box or it is not finite.

    Raises:
        DataError: If something else stands there.
    """
    value = entry.get(key)
    if value is None or value == []:
        return None
    return box(number_array(value, key, place), key, place)


def box(numbers: NDArray[np.float64], what: str, place: Place) -> tuple[float, float, float, float] | None:
    """Return x, y, width and height, or ``None`` if one is not finite.

    Raises:
        DataError: If they are not four, or a side is negative.
    """
    if len(numbers) != 4 or (numbers[2:] < 0).any():
        raise place.wrong(f"{what} is {short(numbers.tolist())} instead of a box: write the file anew")
    x, y, width, height = numbers.tolist()
    return (x, y, width, height) if np.isfinite(numbers).all() else None


def optional_track(value: Any) -> int | None:
    """Return a person's number within a video; lists of one, as trackers write them, are understood."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if type(value) is int and abs(value) < 2**53 else None


def cleaned(joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return joints ``(..., K, 3)`` as poses hold them: confidence in [0, 1], missing joints all zero.

    A joint is missing if its confidence is 0, less or NaN, whatever its coordinates, or if one of those is
    not finite.
    """
    joints = np.asarray(joints, dtype=np.float64)
    confidence = np.clip(np.nan_to_num(joints[..., 2:], nan=0.0), 0.0, 1.0)
    there = np.isfinite(joints[..., :2]).all(axis=-1, keepdims=True) & (confidence > 0)
    return np.where(there, np.concatenate([joints[..., :2], confidence], axis=-1), 0.0)


def says_something(pose: Pose) -> bool:
    """Tell whether anything is known of a person: a joint, a box or whether it is the target."""
    return bool((pose.keypoints[:, 2] > 0).any()) or pose.box is not None or pose.is_target is not None


def short(value: Any) -> str:
    """Return a value as it looks in JSON, cut off if it is long."""
    if isinstance(value, list | dict) and len(value) > 20:
        return f"a {'list' if isinstance(value, list) else 'group'} of {len(value)}"
    try:
        text = json.dumps(value)
    except (RecursionError, ValueError):
        text = "something"
    return text if len(text) <= 60 else f"{text[:57]}..."
