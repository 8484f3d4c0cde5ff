import numpy as np
import pytest
from scipy.io import loadmat

from vidreid.data.mars_format import (
    folder_of,
    frame_name,
    names_crc,
    parse_frame_name,
    read_info,
    write_info,
)

ROWS = np.array([[1, 2, 1, 1], [3, 3, 7, 6]])
NAMES = ["0001C1T0001F001.jpg", "0001C1T0001F002.jpg", "0007C6T0001F001.jpg"]


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ((1, 1, 1, 1), "0001C1T0001F001.jpg"),
        ((-1, 6, 12, 920), "00-1C6T0012F920.jpg"),
        ((0, 2, 3248, 7), "0000C2T3248F007.jpg"),
        ((1500, 3, 4, 1000), "1500C3T0004F1000.jpg"),
    ],
)
def test_names_follow_mars_in_both_directions(numbers, name):
    assert frame_name(*numbers) == name
    assert parse_frame_name(name) == numbers
    assert folder_of(numbers[0]) == name[:4]


@pytest.mark.parametrize(
    "name", ["0001C1T0001.jpg", "1C1T0001F001.jpg", "0001C1T0001F001.jpg.part", "Thumbs.db"]
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="0001C1T0001F001"):
        parse_frame_name(name)


@pytest.mark.parametrize("numbers", [(10_000, 1, 1, 1), (-2, 1, 1, 1), (1, 10, 1, 1), (1, 1, 10_000, 1)])
def test_numbers_that_do_not_fit_are_refused(numbers):
    with pytest.raises(ValueError, match=r"do(es)? not fit"):
        frame_name(*numbers)


def test_info_has_the_variables_types_and_line_ends_of_mars(tmp_path, shared_data):
    write_info(tmp_path, NAMES, NAMES, ROWS, ROWS, np.array([2]))
    info = tmp_path / "info"
    assert (info / "train_name.txt").read_bytes() == "".join(f"{n}\r\n" for n in NAMES).encode()
    for file_name, variable in (
        ("tracks_train_info.mat", "track_train_info"),
        ("tracks_test_info.mat", "track_test_info"),
        ("query_IDX.mat", "query_IDX"),
    ):
        real = loadmat(shared_data / "mars_info" / file_name)[variable]
        written = loadmat(info / file_name)
        assert [name for name in written if not name.startswith("__")] == [variable]
        assert written[variable].dtype == real.dtype
    assert loadmat(info / "query_IDX.mat")["query_IDX"].tolist() == [[2]]
    assert loadmat(info / "tracks_train_info.mat")["track_train_info"].tolist() == ROWS.tolist()


def test_the_same_info_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_info(tmp_path / name, NAMES, NAMES, ROWS, ROWS, np.array([2]))
    for file in sorted((tmp_path / "a/info").iterdir()):
        assert file.read_bytes() == (tmp_path / "b/info" / file.name).read_bytes()


def test_query_becomes_zero_based_int64_without_wrapping(tmp_path):
    write_info(tmp_path, NAMES, NAMES, ROWS, ROWS, np.array([1, 2], dtype=np.uint16))
    info = read_info(tmp_path / "info")
    assert info.query.dtype == np.int64
    assert info.query.tolist() == [0, 1]
    assert (info.query - 5).tolist() == [-5, -4]


def test_checksum_is_that_of_the_joined_names():
    # 0xCBF43926 is the published check value of CRC-32 over "123456789".
    assert names_crc(["123456789"]) == 0xCBF43926
    assert names_crc(np.array(NAMES, dtype="S")) == names_crc(NAMES)
    assert names_crc(NAMES[::-1]) != names_crc(NAMES)
