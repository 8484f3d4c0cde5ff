import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat


def names(tree: Path, split: str) -> list[str]:
    content = (tree / "info" / f"{split}_name.txt").read_bytes()
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
    return content.decode("ascii").split("\r\n")[:-1]


@pytest.mark.parametrize("split", ["train", "test"])
def test_name_lists_name_every_file_in_ascii_order(tree: Path, split: str) -> None:
    listed = names(tree, split)
    on_disk = sorted(
        path.relative_to(tree / f"bbox_{split}").as_posix() for path in (tree / f"bbox_{split}").rglob("*")
    )
    assert [f"{name[:4]}/{name}" for name in listed] == [path for path in on_disk if path.endswith(".jpg")]
    assert listed == sorted(listed)
    assert all(re.fullmatch(r"(00-1|\d{4})C[1-6]T\d{4}F\d{3}\.jpg", name) for name in listed)


@pytest.mark.parametrize("split", ["train", "test"])
def test_tracklet_rows_are_one_based_contiguous_and_agree_with_the_names(tree: Path, split: str) -> None:
    rows = loadmat(tree / "info" / f"tracks_{split}_info.mat")[f"track_{split}_info"]
    assert rows.dtype == np.int32
    listed = names(tree, split)
    assert rows[0, 0] == 1
    assert rows[-1, 1] == len(listed)
    np.testing.assert_array_equal(rows[1:, 0], rows[:-1, 1] + 1)
    for first, last, pid, camera in rows.tolist():
        own = listed[first - 1 : last]
        assert {int(name[:4]) if name[:4] != "00-1" else -1 for name in own} == {pid}
        assert {int(name[5]) for name in own} == {camera}
        assert len({name[7:11] for name in own}) == 1
        assert [int(name[12:-4]) for name in own] == list(range(1, len(own) + 1))


@pytest.mark.parametrize("split", ["train", "test"])
def test_tracklets_of_an_identity_run_on_while_its_cameras_grow(tree: Path, split: str) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}
    for name in names(tree, split):
        seen.setdefault(name[:4], []).append((int(name[5]), int(name[7:11])))
    for pairs in seen.values():
        assert pairs == sorted(pairs)
        assert sorted({tracklet for _, tracklet in pairs}) == list(range(1, len({t for _, t in pairs}) + 1))


def test_one_query_for_each_identity_and_camera(tree: Path) -> None:
    query = loadmat(tree / "info" / "query_IDX.mat")["query_IDX"]
    rows = loadmat(tree / "info" / "tracks_test_info.mat")["track_test_info"]
    assert query.dtype == np.uint16
    assert query.shape[0] == 1
    asked = [tuple(rows[q - 1, 2:].tolist()) for q in query[0].astype(int)]
    wanted = {tuple(row[2:].tolist()) for row in rows if row[2] > 0}
    assert len(asked) == len(set(asked))
    assert set(asked) == wanted


def test_train_and_test_share_no_identity_and_the_test_has_junk_and_distractors(tree: Path) -> None:
    train, test = ({name[:4] for name in names(tree, split)} for split in ("train", "test"))
    assert not train & test
    assert {"00-1", "0000"} < test
    assert not {"00-1", "0000"} & train


def test_crops_are_jpeg_of_the_named_size(tree: Path) -> None:
    for path in sorted(tree.rglob("*.jpg"))[::10]:
        assert path.read_bytes()[:3] == b"\xff\xd8\xff"
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape == (128, 64, 3)
        assert picture.std() > 3


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_frame_has_keypoints_and_a_visible_share(tree: Path, split: str) -> None:
    count = len(names(tree, split))
    for source in ("true", "detector"):
        keypoints = np.load(tree / "keypoints" / source / f"bbox_{split}.npy")
        assert keypoints.shape == (count, 17, 3)
        assert keypoints.dtype == np.float16
        assert np.isfinite(keypoints).all()
        assert keypoints[..., 2].min() >= 0
        assert keypoints[..., 2].max() <= 1
    visible = np.load(tree / "visible" / f"bbox_{split}.npy")
    assert visible.shape == (count,)
    assert visible.min() >= 0
    assert visible.max() <= 1
    assert visible.std() > 0.05


def test_description_names_everybody(tree: Path) -> None:
    told = json.loads((tree / "synthetic.json").read_text())
    assert (told["seed"], told["size"], told["height"]) == (0, "tiny", 128)
    for split in ("train", "test"):
        listed = names(tree, split)
        real = {int(name[:4]) for name in listed if name[:4] not in ("00-1", "0000")}
        assert {int(pid) for pid in told[split]["attributes"]} == real
        assert {int(pid) for pid in told[split]["families"]} == real
        assert told[split]["frames"] == len(listed)
        assert told[split]["tracklets"] == len({name[:11] for name in listed})


def test_the_house_reads_it_as_mars(tree: Path) -> None:
    read_mars = pytest.importorskip("vidreid.data.mars").read_mars
    benchmark = read_mars(tree)
    for split, table, frames in (
        ("train", benchmark.train, benchmark.train_frames),
        ("test", benchmark.test, benchmark.test_frames),
    ):
        listed = names(tree, split)
        assert len(frames) == len(listed)
        start, stop = int(table["start"].iloc[-1]), int(table["stop"].iloc[-1])
        paths = frames.paths(start, stop)
        assert [path.name for path in paths] == listed[start:stop]
        assert all(path.is_file() for path in paths)
