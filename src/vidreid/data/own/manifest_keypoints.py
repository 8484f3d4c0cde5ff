"""Keypoints in the column of a manifest: JSON text, or lists of Parquet."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vidreid.errors import DataError

_SHAPE = (17, 3)
_CHUNK = 4096
_BROKEN = (ValueError, TypeError, OverflowError, RecursionError)


def parse_keypoints(column: pa.ChunkedArray, rows: Sequence[int], where: str) -> NDArray[np.float32]:
    """Return the keypoints of all rows; text is taken as data, never run.

    Args:
        column: A text or list of 17 triples of x, y and confidence a row; empty or null where there are none.
        rows: Their numbers in the file, for messages.
        where: The file, for messages.

    Returns:
        ``(n, 17, 3)``; what is missing is NaN.

    Raises:
        DataError: If a row holds anything else; the message names it.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    keypoints = np.full((len(column), *_SHAPE), np.nan, dtype=np.float32)
    if pa.types.is_null(column.type):
        return keypoints
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    for start in range(0, len(column), _CHUNK):
        part = column.slice(start, _CHUNK)
        stop = start + len(part)
        found = (_from_text if is_text else _from_lists)(part, rows[start:stop], where)
        with np.errstate(over="ignore"):  # what does not fit is infinite, and so missing
            keypoints[start:stop] = found
    return keypoints


def _from_text(part: pa.ChunkedArray, rows: Sequence[int], where: str) -> NDArray[np.float64]:
    texts = [(text or "").strip() for text in part.to_pylist()]
    there = [place for place, text in enumerate(texts) if text]
    found = np.full((len(texts), *_SHAPE), np.nan)
    try:
        # One call for many rows; one by one only to find what is wrong.
        together = json.loads(f"[{','.join(texts[place] for place in there)}]")
        found[there] = _array(together, len(there))
    except _BROKEN:
        for place in there:
            found[place] = _row(texts[place], rows[place], where)
    return found


def _row(text: str, row: int, where: str) -> NDArray[np.float64]:
    try:
        return _array([json.loads(text)], 1)[0]
    except _BROKEN as error:
        raise DataError(_other_form(row, where)) from error


def _array(values: list[Any], count: int) -> NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)
    if array.shape != (count, *_SHAPE) and not (count == 0 and array.size == 0):
        raise ValueError(array.shape)
    return array.reshape(count, *_SHAPE)


def _from_lists(part: pa.ChunkedArray, rows: Sequence[int], where: str) -> NDArray[np.float64]:
    found = np.full((len(part), *_SHAPE), np.nan)
    there = np.flatnonzero(part.is_valid().to_numpy())
    values = part.drop_null().combine_chunks()
    for length in _SHAPE:
        if not _is_list(values.type):
            raise DataError(_other_form(rows[0], where))
        lengths = pc.call_function("list_value_length", [values]).fill_null(-1).to_numpy(zero_copy_only=False)
        if (lengths != length).any():
            per_frame = len(lengths) // max(len(there), 1)
            raise DataError(_other_form(rows[there[int(np.argmax(lengths != length)) // per_frame]], where))
        values = pc.call_function("list_flatten", [values])
    try:
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise DataError(_other_form(rows[0], where)) from error
    found[there] = numbers.reshape(len(there), *_SHAPE)
    return found


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _other_form(row: int, where: str) -> str:
    return (
        f"{where}, row {row}: the keypoints are not 17 triples of x, y and confidence: write [[x, y, c], "
        "...] in COCO's order, or leave the field empty."
    )
