"""Comma separated text as a table whose every complaint names the line."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError, MissingDataError

_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class TextTable:
    """Rows of text of one length.

    Attributes:
        path: The file, for messages.
        header: Its columns.
        rows: Cells without the spaces around them.
        lines: The line of each row in the file, from 1.
        named: Whether the file itself names the columns.
    """

    path: Path
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    named: bool

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, name: str) -> bool:
        """Tell whether there is such a column."""
        return name in self.header

    def texts(self, name: str) -> list[str]:
        """Return a column as it is written."""
        place = self.header.index(name)
        return [row[place] for row in self.rows]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as finite numbers.

        Raises:
            DataError: At the first cell that is none.
        """
        texts = self.texts(name)
        try:
            values = np.array([float(text) for text in texts], dtype=np.float64)
        except ValueError:
            values = np.array([_number(text) for text in texts], dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise DataError(
                f"{self.where(bad[0])}: {name} is {texts[bad[0]]!r} instead of a number: correct the file."
            )
        return values

    def whole_numbers(self, name: str) -> NDArray[np.int64]:
        """Return a column as whole numbers; 12.0 is one.

        Raises:
            DataError: At the first cell that is none, or larger than 2^31 - 1.
        """
        values = self.numbers(name)
        bad = np.flatnonzero((values != np.floor(values)) | (np.abs(values) > _LARGEST))
        if len(bad):
            raise DataError(
                f"{self.where(bad[0])}: {name} is {self.texts(name)[bad[0]]!r} instead of a whole number: "
                "correct the file."
            )
        return values.astype(np.int64)

    def where(self, row: int) -> str:
        """Name a row for a message."""
        return f"{self.path}, line {self.lines[row]}"

    def chosen(self, rows: Sequence[int]) -> "TextTable":
        """Return some of the rows."""
        return replace(self, rows=[self.rows[i] for i in rows], lines=[self.lines[i] for i in rows])


def read_text_table(path: Path, unnamed: Mapping[int, tuple[str, ...]] | None = None) -> TextTable:
    """Read a comma separated file; empty lines are left out.

    A first line without a number names the columns.

    Args:
        path: The file, UTF-8.
        unnamed: The columns of files whose first line names none, by their number; by default such files are
            refused.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is no text, empty, or its rows have different lengths.
    """
    rows, lines = _cells(path)
    is_number = [bool(np.isfinite(_number(cell))) for cell in rows[0]]
    named = not any(is_number) and any(letter.isalpha() for cell in rows[0] for letter in cell)
    if named:
        header = tuple(name.lower() for name in rows[0])
        rows, lines = rows[1:], lines[1:]
        twice = [name for name in header if header.count(name) > 1]
        if twice:
            raise DataError(f"{path}, line 1 names the column {twice[0]!r} twice: rename one.")
        if not rows:
            raise DataError(f"{path} has a line of column names and no row: is it the right file?")
    elif unnamed and len(rows[0]) in unnamed:
        header = unnamed[len(rows[0])]
    else:
        expected = f"{min(unnamed)} to {max(unnamed)} comma separated fields" if unnamed else "column names"
        raise DataError(f"{path}, line {lines[0]} has {len(rows[0])} fields of data instead of {expected}.")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise DataError(
                f"{path}, line {line} has {len(row)} fields instead of {len(header)}: the file is damaged or "
                "cut off."
            )
    return TextTable(path, header, rows, lines, named)


def _cells(path: Path) -> tuple[list[list[str]], list[int]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise MissingDataError(f"There is no file {path}: check the path.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8: give the text file of the tracks.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num} is not comma separated text ({error}): correct the file."
        ) from error
    if not rows:
        raise DataError(f"{path} is empty: run the tracker again, or leave this video out.")
    return rows, lines


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
