"""Matrices of numbers in MATLAB files of level 5, which versions 5 to 7.2 write.

Source: MathWorks, "MAT-File Format". SciPy's reader takes the sizes that a file tells for granted, and
damaged files end the whole process in it; here each one is held against the bytes that are there.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""What numbers are written as, which may be smaller than what they are."""
_CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_COMPLEX = 0x800
_LARGEST = 1 << 31
"""Bytes of a variable: MATLAB's own limit for this level."""


class DamagedFileError(ValueError):
    """The bytes are no whole file of level 5; the message says what does not fit."""


class _Element(NamedTuple):
    kind: int
    data: memoryview


def read_level5(data: bytes) -> dict[str, NDArray[np.generic] | None]:
    """Return the variables of a file by name.

    Args:
        data: The file.

    Returns:
        Real matrices of numbers, of any number of dimensions; ``None`` for what is something else, such as
        text or cells.

    Raises:
        DamagedFileError: If the bytes are of another form or cut off.
    """
    order = {b"IM": "<", b"MI": ">"}.get(data[_HEADER - 2 : _HEADER])
    if order is None:
        raise DamagedFileError("it does not begin as one of level 5")
    variables = {}
    for element in _elements(memoryview(data)[_HEADER:], order):
        if element.kind == _COMPRESSED:
            element = next(_elements(memoryview(_inflated(element.data)), order), element)
        if element.kind == _MATRIX:
            name, matrix = _variable(element.data, order)
            variables[name] = matrix
    return variables


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """Yield the elements that follow one another in ``data``."""
    while len(data) >= 8:
        kind, size = struct.unpack(order + "II", data[:8])
        start, step = 8, size
        if kind >> 16:  # a small one: size and type share a word, and the data are in the next
            kind, size = kind & 0xFFFF, kind >> 16
            start, step = 4, 4
        elif kind != _COMPRESSED:
            step += -size % 8
        if size > len(data) - start or (start == 4 and size > 4):
            raise DamagedFileError(f"it tells of {size:,} bytes where {len(data) - start:,} are left")
        yield _Element(kind, data[start : start + size])
        data = data[start + step :]
    if len(data):
        raise DamagedFileError(f"{len(data)} bytes are left at its end")


def _inflated(data: memoryview) -> bytes:
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, _LARGEST)
    except zlib.error as error:
        raise DamagedFileError(f"a variable cannot be unpacked, {error}") from error
    if not stream.eof:
        raise DamagedFileError("a packed variable is cut off, or larger than 2 GB")
    return inflated


def _variable(data: memoryview, order: str) -> tuple[str, NDArray[np.generic] | None]:
    """Return name and matrix of the inside of a matrix element."""
    parts = list(_elements(data, order))
    if len(parts) < 3 or len(parts[0].data) != 8 or len(parts[1].data) % 4:
        raise DamagedFileError("a variable lacks its type, size or name")
    flags = struct.unpack(order + "I", parts[0].data[:4])[0]
    name = bytes(parts[2].data).decode("latin-1")
    if flags & 0xFF not in _CLASSES or flags & _COMPLEX:
        return name, None
    shape = struct.unpack(f"{order}{len(parts[1].data) // 4}i", parts[1].data)
    if len(parts) != 4 or parts[3].kind not in _STORED or len(shape) < 2 or min(shape) < 0:
        raise DamagedFileError(f"the variable {name!r} is no whole matrix")
    stored = np.dtype(order + _STORED[parts[3].kind])
    if len(parts[3].data) != math.prod(shape) * stored.itemsize:
        raise DamagedFileError(f"the variable {name!r} has not the numbers of a matrix of shape {shape}")
    numbers = np.frombuffer(parts[3].data, stored).astype(_CLASSES[flags & 0xFF])
    return name, numbers.reshape(shape, order="F")
