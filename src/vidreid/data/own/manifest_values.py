"""Numbers and boxes in the rows of a manifest, and refusing a row."""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from vidreid.data.own.manifest_file import BOX
from vidreid.errors import DataError

_FAR = 10**8


def refuse(where: str, table: pd.DataFrame, wrong: NDArray[np.bool_], words: str) -> None:
    """Refuse the first row that is wrong.

    Args:
        where: The file, for the message.
        table: Its rows.
        wrong: ``(n,)``.
        words: What is wrong; a column's name in braces stands for its value.

    Raises:
        DataError: If one is wrong; the message names its row.
    """
    if wrong.any():
        place = int(np.argmax(wrong))
        values = {str(name): table[name].iloc[place] for name in table}
        raise DataError(f"{where}, row {table.index[place]}: {words.format(**values)}")


def whole_numbers(where: str, table: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return a column of whole numbers.

    Raises:
        DataError: If one is none, or fits no int64; the message names its row.
    """
    numbers = _numbers(where, table, name)
    whole = numbers.astype(np.int64)
    refuse(where, table, whole != numbers, f"the {name} is {{{name}}}, which is no whole number.")
    return whole


def box_edges(where: str, table: pd.DataFrame) -> NDArray[np.int64]:
    """Return left, top, right and bottom of the boxes ``(n, 4)``, rounded to whole pixels.

    Raises:
        DataError: If a column is missing, or a box has no area or lies outside of any image.
    """
    missing = [name for name in BOX if name not in table]
    if missing:
        raise DataError(
            f"{where} has no value in {', '.join(missing)}: a box needs all four of {', '.join(BOX)}, and "
            "frames that are crops none."
        )
    x, y, width, height = (_numbers(where, table, name).astype(np.float64) for name in BOX)
    far = np.max(np.abs([x, y, width, height]), axis=0) > _FAR
    edges = np.stack([x, y, x + width, y + height], axis=1).clip(-2 * _FAR, 2 * _FAR)
    edges = np.floor(edges + 0.5).astype(np.int64)
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    for wrong, what in (
        (far, "lies beyond any image"),
        ((width <= 0) | (height <= 0), "has no area"),
        ((edges[:, 2:] <= 0).any(axis=1), "lies outside of the image"),
    ):
        words = "the box x={x} y={y} width={width} height={height}"
        refuse(where, table, np.asarray(wrong), f"{words} {what}: correct it.")
    return edges


def _numbers(where: str, table: pd.DataFrame, name: str) -> NDArray[np.int64] | NDArray[np.float64]:
    """Return a column of numbers, as int64 if they are written without fractions and fit."""
    column = pa.array(table[name])
    for kind in (pa.int64(), pa.float64()):
        try:
            # Four times as fast as pandas, which alone can go on after what is no number.
            numbers = column.cast(kind).to_numpy(zero_copy_only=False)
            break
        except pa.ArrowException:
            continue
    else:
        numbers = np.asarray(pd.to_numeric(table[name], errors="coerce"), dtype=np.float64)
    if numbers.dtype != np.int64:
        # Whole numbers above 2**53 that are no int64 would run into each other.
        refuse(where, table, ~(np.abs(numbers) < 2**53), f"the {name} is {{{name}!r}}, which is no number.")
    return numbers
