"""Our reader of MATLAB files against SciPy's writer and reader."""

from io import BytesIO

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from vidreid.data.readers.mat_files import read_matrix
from vidreid.data.readers.mat_level5 import DamagedFileError, read_level5
from vidreid.errors import DataError

TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
SHAPES = [(1, 1), (1, 3), (5, 4), (2, 3, 4), (0, 0), (300, 7)]


def written(variables: dict, packed: bool) -> bytes:
    file = BytesIO()
    savemat(file, variables, format="5", do_compression=packed, long_field_names=True)
    return file.getvalue()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", TYPES)
def test_matrices_come_back(kind: str, shape: tuple[int, ...], packed: bool) -> None:
    matrix = np.random.default_rng(0).uniform(0, 120, shape).astype(kind)
    data = written({"one": matrix, "a_longer_name_of_a_matrix": matrix + 1}, packed)
    read = read_level5(data)
    assert list(read) == ["one", "a_longer_name_of_a_matrix"]
    for name, expected in (("one", matrix), ("a_longer_name_of_a_matrix", matrix + 1)):
        np.testing.assert_array_equal(read[name], expected)
        assert read[name].dtype == loadmat(BytesIO(data))[name].dtype == np.dtype(kind)


def test_what_is_no_matrix_of_numbers_is_told_apart() -> None:
    cells = np.empty((1, 2), dtype=object)
    cells[:] = [[np.zeros(3), "text"]]
    variables = {"text": "words", "cells": cells, "complex": np.array([[1 + 2j]]), "numbers": np.eye(2)}
    read = read_level5(written(variables, packed=True))
    assert {name: matrix is None for name, matrix in read.items()} == {
        "text": True, "cells": True, "complex": True, "numbers": False,
    }  # fmt: skip


def test_the_real_files_of_mars(shared_data) -> None:
    for name, shape in (("tracks_train_info", (8298, 4)), ("query_IDX", (1, 1980))):
        file = shared_data / "mars_info" / f"{name}.mat"
        (variable,) = (key for key in loadmat(file) if not key.startswith("__"))
        matrix = read_matrix(file, variable, "MARS")
        np.testing.assert_array_equal(matrix, loadmat(file)[variable])
        assert matrix.shape == shape


def test_files_of_the_other_byte_order() -> None:
    """Written by hand: SciPy writes its machine's order only."""

    def element(kind: int, data: bytes) -> bytes:
        return kind.to_bytes(4, "big") + len(data).to_bytes(4, "big") + data + bytes(-len(data) % 8)

    numbers = np.array([[1, 300], [-2, 7]])
    inside = (
        element(6, (12).to_bytes(4, "big") + bytes(4))
        + element(5, np.array([2, 2], ">i4").tobytes())
        + element(1, b"x")
        + element(3, numbers.astype(">i2").tobytes(order="F"))
    )
    data = b"by hand".ljust(124) + b"\x01\x00MI" + element(14, inside)
    matrix = read_level5(data)["x"]
    np.testing.assert_array_equal(matrix, numbers)
    assert matrix.dtype == np.int32


@pytest.mark.parametrize("packed", [False, True])
def test_every_cut_is_noticed(packed: bool) -> None:
    data = written({"one": np.arange(12.0).reshape(3, 4)}, packed)
    for length in range(len(data)):
        try:
            assert read_level5(data[:length]) == {}, length
            assert length == 128, "only a file without variables has none"
        except DamagedFileError:
            pass


def test_sizes_that_are_not_there_are_noticed() -> None:
    data = bytearray(written({"one": np.arange(12.0).reshape(3, 4)}, packed=False))
    place = data.index((3).to_bytes(4, "little") + (4).to_bytes(4, "little"), 128)
    for rows in (2, 4, 2**31 - 1, -1):
        data[place : place + 4] = (rows % 2**32).to_bytes(4, "little")
        with pytest.raises(DamagedFileError, match=r"'one' (is no whole matrix|has not the numbers)"):
            read_level5(bytes(data))


def test_the_sentence(tmp_path) -> None:
    (tmp_path / "a.mat").write_bytes(b"no such thing")
    with pytest.raises(DataError, match=r"a\.mat is not a readable MATLAB file \(it does not begin"):
        read_matrix(tmp_path / "a.mat", "x", "anything")
    (tmp_path / "b.mat").write_bytes(written({"x": "text"}, packed=True))
    with pytest.raises(DataError, match=r"b\.mat: x is no matrix of numbers: this is not the list"):
        read_matrix(tmp_path / "b.mat", "x", "the list")
