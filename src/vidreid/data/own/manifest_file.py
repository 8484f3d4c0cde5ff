"""The columns of a manifest as they stand in its file, CSV or Parquet, before anything is asked of them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet
from numpy.typing import NDArray

from vidreid.errors import DataError, MissingDataError

TEXTS = ("tracklet", "frame_path", "person", "camera", "role")
BOX = ("x", "y", "width", "height")
NUMBERS = ("frame_number", *BOX)
KEYPOINTS = "keypoints"
COLUMNS = (*TEXTS, *NUMBERS, KEYPOINTS)
"""The columns that are read; all others are left alone."""

_DELIMITERS = (",", ";", "\t")
# A row must fit into one: a frame with keypoints takes about a kilobyte.
_BLOCK = 1 << 24


class ManifestColumns(NamedTuple):
    """What stands in a manifest.

    Attributes:
        table: The columns that are there, in the order of ``COLUMNS`` and without the keypoints: text without
            white space around it, and numbers as text or number. A column without any value is left out.
            The index says in which row of the file something stands; a CSV's first line is its row 1.
        keypoints: Texts (CSV) or lists (Parquet) in the order of the table's rows, or ``None`` where there
            are none or nobody asked for them.
    """

    table: pd.DataFrame
    keypoints: pa.ChunkedArray | None


def read_columns(path: Path, required: Sequence[str], with_keypoints: bool = False) -> ManifestColumns:
    """Read the columns of a manifest.

    A CSV is UTF-8, with or without a byte order mark, with commas, semicolons or tabs between its fields; its
    blank lines are left out. Parquet is told by its first bytes.

    Args:
        path: The file.
        required: Columns that must be there.
        with_keypoints: Also read the keypoints.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is empty, of another form or encoding, or lacks a column or has one twice.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingDataError(
            f"The manifest {path} cannot be read ({error.strerror}): set data.root to its folder and "
            "data.manifest to its name."
        ) from error
    if not data.strip():
        raise DataError(f"The manifest {path} is empty: write a row a frame.")
    if data.startswith(b"PK\x03\x04"):
        raise DataError(f"{path} is a workbook of a spreadsheet program: save it as CSV (UTF-8).")
    wanted = [name for name in COLUMNS if with_keypoints or name != KEYPOINTS]
    is_parquet = data.startswith(b"PAR1")
    try:
        table = (_parquet if is_parquet else _csv)(path, data, wanted, required)
    except (pa.ArrowException, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged ({_first_line(error)}): write it anew.") from error
    keypoints = table.column(KEYPOINTS) if KEYPOINTS in table.column_names else None
    columns = {
        name: _stripped(table.column(name).to_pandas()) for name in table.column_names if name != KEYPOINTS
    }
    blank = np.logical_and.reduce([_empty(column) for column in columns.values()])
    if blank.all():
        raise DataError(f"{path} names its columns and holds no row: write a row a frame.")
    valued = {
        name: column for name, column in columns.items() if name in required or not _empty(column).all()
    }
    # The header is a CSV's first row.
    frame = pd.DataFrame(valued).set_axis(np.arange(len(table)) + (1 if is_parquet else 2))
    if blank.any():
        frame = frame.loc[~blank]
        keypoints = None if keypoints is None else keypoints.filter(pa.array(~blank))
    return ManifestColumns(frame, keypoints)


def _csv(path: Path, data: bytes, wanted: Sequence[str], required: Sequence[str]) -> pa.Table:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not UTF-8 (line {line}): save it as CSV in UTF-8, and names will be read as written."
        ) from error
    header, delimiter = _header(path, text)
    places = _places(path, header, wanted, required)
    broken: list[arrow_csv.InvalidRow] = []

    def skip(row: arrow_csv.InvalidRow) -> str:
        broken.append(row)
        return "skip"

    # Under numbers for names, since columns that are left alone may have one name.
    names = [str(place) for place in range(len(header))]
    table = arrow_csv.read_csv(
        pa.py_buffer(text.encode() + b"\n"),
        arrow_csv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=names, skip_rows_after_names=1
        ),
        arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=[str(place) for place in places.values()],
            strings_can_be_null=False,
        ),
    )
    if broken:
        row = broken[0]
        raise DataError(
            f"{path}, row {row.number} has {row.actual_columns} fields and the first line {len(header)}: "
            "correct the row (a field that holds a separator needs quotes)."
        )
    return table.rename_columns(list(places))


def _header(path: Path, text: str) -> tuple[list[str], str]:
    """Return the names in the first line, and what separates them."""
    text = text[:_BLOCK]
    best: tuple[int, list[str], str] = (-1, [], ",")
    for delimiter in _DELIMITERS:
        try:
            names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=delimiter))]
        except (csv.Error, StopIteration) as error:
            raise DataError(f"The first line of {path} is no list of column names: correct it.") from error
        known = sum(name in COLUMNS for name in names)
        if known > best[0]:
            best = known, names, delimiter
    return best[1:]


def _parquet(path: Path, data: bytes, wanted: Sequence[str], required: Sequence[str]) -> pa.Table:
    file = arrow_parquet.ParquetFile(pa.BufferReader(data))
    places = _places(path, file.schema_arrow.names, wanted, required)
    table = file.read(columns=list(places))
    table.validate(full=True)
    columns = {
        name: table.column(name) if name == KEYPOINTS else _plain(path, name, table.column(name))
        for name in places
    }
    return pa.table(columns)


def _places(
    path: Path, header: Sequence[str], wanted: Sequence[str], required: Sequence[str]
) -> dict[str, int]:
    """Return where the wanted columns stand."""
    twice = next((name for name in wanted if header.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path} has two columns {twice}: rename one of them.")
    missing = [name for name in required if name not in header]
    if missing:
        hint = (
            "add it, or set data.cameras=each_tracklet if nobody knows the cameras: then every tracklet "
            "counts as a camera of its own, and numbers look too good."
            if missing == ["camera"]
            else "name them so; other names are not guessed."
        )
        raise DataError(
            f"{path} has no column {' and no column '.join(missing)} among {', '.join(header)}: {hint}"
        )
    return {name: header.index(name) for name in wanted if name in header}


def _plain(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of Parquet as text or, if it holds numbers, as these."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_floating(kind) and name in TEXTS:
        # pandas makes whole numbers floats where one is missing: without a fraction they are what they were.
        return column.to_pandas().map(lambda value: "" if value != value else f"{value:.15g}").pipe(_column)
    if pa.types.is_decimal(kind) and name in NUMBERS:
        return column.cast(pa.float64())
    if name in NUMBERS and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return column
    if pa.types.is_null(kind) or pa.types.is_integer(kind):
        column = column.cast(pa.string())
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataError(f"{path}: the column {name} holds {kind}: write text or numbers.")
    return column.cast(pa.string()).fill_null("")


def _column(values: pd.Series) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type=pa.string())])


def _stripped(column: pd.Series) -> pd.Series:
    return column if pd.api.types.is_numeric_dtype(column) else column.str.strip()


def _empty(column: pd.Series) -> NDArray[np.bool_]:
    empty = column.isna() if pd.api.types.is_numeric_dtype(column) else column == ""
    return empty.to_numpy(dtype=bool)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
