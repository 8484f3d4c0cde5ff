"""What copies of data sets look like when something went wrong: one sentence each, nothing written."""

from pathlib import Path

import numpy as np
import pytest

from support.bad_input import (
    Spoil,
    at,
    cut,
    emptied,
    first_name_twice,
    loaded,
    looped,
    matrix,
    put,
    raw,
    renamed,
    text,
)
from support.fuzzed import FUZZED as BENCHMARKS
from support.fuzzed_files import FUZZED_FILES
from vidreid.errors import DataError

KINDS = {**BENCHMARKS, **FUZZED_FILES}

TRAIN, TEST, QUERY = (f"info/{name}.mat" for name in ("tracks_train_info", "tracks_test_info", "query_IDX"))
POSE = "val_keypoints/*/*.pose"
CASES: list[tuple[str, str, Spoil, str]] = [
    ("truncated mat", "mars", cut(TRAIN), "not a readable MATLAB file"),
    ("empty mat", "mars", raw(TEST, b""), "not a readable MATLAB file"),
    ("mat with a flipped size", "mars", cut(TEST, 0.98), "not a readable MATLAB file"),
    ("NaN in a mat", "mars", matrix(TEST, at(np.nan, 2, 2)), "holds nan where a whole number must stand"),
    ("halves in a mat", "mars", matrix(TRAIN, at(1.5, 0, 0)), "holds 1.5 where a whole number must stand"),
    ("text for a matrix", "mars", matrix(QUERY, lambda old: "text"), "is no matrix of numbers"),
    ("another shape", "mars", matrix(TRAIN, lambda old: old.T), "have shape (4, 10)"),
    ("0-based queries", "mars", matrix(QUERY, lambda old: old - old.min()), "must point to rows 1"),
    ("0-based frames", "mars", matrix(TRAIN, lambda old: old - [1, 1, 0, 0]), "frames 0 to"),
    ("negative identity", "mars", matrix(TRAIN, at(-5, 0, 2)), "identity -5 is not in 1"),
    (
        "a query twice",
        "mars",
        matrix(QUERY, lambda old: np.append(old, old[:, :1], 1)),
        "names a tracklet twice",
    ),
    ("a name twice", "mars", first_name_twice, "0001C1T0001F001.jpg twice"),
    ("another name list", "mars", text("info/train_name.txt", "0001C1", "0009C1"), "do not belong together"),
    ("words for names", "mars", raw("info/train_name.txt", b"\xff.jpg\n" * 45), "no MARS frame name"),
    ("truncated store", "mars", cut("keypoints/detector/bbox_test.npy"), "no readable .npy file"),
    (
        "store of 16 joints",
        "mars",
        lambda root: np.save(root / "keypoints/detector/bbox_test.npy", np.zeros((37, 16, 3))),
        "expected (frames, 17, 3)",
    ),
    (
        "huge number beside a store",
        "mars",
        text("keypoints/detector/bbox_test.json", '"frames": 37', '"frames": 1e999'),
        "does not say whose",
    ),
    ("truncated list", "posetrackreid", cut("query_names.json"), "not readable as JSON"),
    ("list that is no UTF-8", "posetrackreid", raw("query_names.json", b'["\xff"]'), "not readable as JSON"),
    (
        "path upwards in a list",
        "posetrackreid",
        loaded("query_names.json", put("../../a.pose", 0, 0, 0)),
        "is no name of a .pose file",
    ),
    (
        "absolute path in a list",
        "posetrackreid",
        loaded("query_names.json", put("/etc/a.pose", 0, 0, 0)),
        "does not lead through",
    ),
    (
        "identity of 5,000 digits",
        "posetrackreid",
        text("train_names.json", ", 3, ", f", {'9' * 5000}, "),
        "not readable as JSON",
    ),
    (
        "5,000 digits as text",
        "posetrackreid",
        loaded("gallery_names.json", put("9" * 5000, 0, 1)),
        "there is no folder",
    ),
    (
        "a name that is no UTF-8",
        "mars",
        raw("info/test_name.txt", b"0002C1T0001F001\x80.jpg\n" * 37),
        "do not belong together",
    ),
    (
        "infinite identity",
        "posetrackreid",
        text("train_names.json", ", 3, ", ", 1e999, "),
        "the identity is Infinity",
    ),
    (
        "tracklet without frames",
        "posetrackreid",
        loaded("gallery_names.json", put([], 0, 0)),
        "has no frames",
    ),
    (
        "pose of 16 joints",
        "posetrackreid",
        raw(POSE, str([[1, 2, 1]] * 16).encode()),
        "has the shape (16, 3)",
    ),
    ("code for a pose", "posetrackreid", raw(POSE, b"__import__('os').getcwd()"), "is no list of 17 joints"),
    (
        "0-based positions",
        "ilids_vid",
        matrix("*/*.mat", lambda old: old - 1),
        "does not hold each of 1..12 once",
    ),
    ("empty folder", "ilids_vid", emptied("*/sequences/cam1/person001"), "holds no frame"),
    ("loop of links", "ilids_vid", looped("*/sequences/cam1/person001"), "Too many levels of symbolic links"),
    (
        "no UTF-8 in a name",
        "ilids_vid",
        renamed("*/sequences/cam1/person001/*", b"\xff.png"),
        "is not named like a frame",
    ),
    (
        "a person in both halves",
        "prid2011",
        loaded("*.json", lambda old: old[0]["test"].append(old[0]["train"][0])),
        "twice",
    ),
    (
        "another camera in a tracklet",
        "duke_video_reid",
        renamed("*/query/0005/*/*", b"0005C8F0001X1.jpg"),
        "camera",
    ),
    (
        "no UTF-8 in a name of Duke",
        "duke_video_reid",
        renamed("*/query/0005/*/*", b"\xff.jpg"),
        "is not named like",
    ),
    ("truncated HDF5", "ls_vid_hdf5", cut("*/test/data/*"), "not a readable MATLAB file"),
    (
        "path upwards in CCVID",
        "ccvid",
        text("*/query.txt", "session", "../session"),
        "is no path of a folder below the lists",
    ),
    (
        "missing label of clothes",
        "ccvid",
        raw("*/query.txt", b"session1/001_01 1\n"),
        "has 2 fields instead of 3",
    ),
    ("query beyond the table", "mevid", raw("query_IDX.txt", b"9999\n"), "names row 9999"),
    (
        "absolute path in a manifest",
        "manifest",
        text("manifest.csv", "crops/", "/crops/"),
        "does not begin at the manifest's folder",
    ),
    ("path upwards in a manifest", "manifest", text("manifest.csv", "crops/", "../crops/"), ".."),
    ("NUL in a manifest", "manifest", text("manifest.csv", "crops/", "cro\0ps/"), "manifest.csv"),
    ("manifest that is no UTF-8", "manifest", raw("manifest.csv", b"tracklet,\xff\n"), "UTF-8"),
    ("manifest without people", "manifest", text("manifest.csv", "person", "who"), "person"),
    ("huge frame number", "manifest", text("manifest.csv", ",train,0,", ",train,1e999,"), "frame_number"),
    ("truncated Parquet", "parquet", cut("manifest.parquet"), "Parquet"),
    ("empty folder of own data", "folders", emptied("anna/door/t1"), "anna/door/t1"),
    ("loop in own folders", "folders", looped("anna/door/t1"), "anna/door/t1"),
    ("truncated OpenPifPaf", "openpifpaf", cut("poses/0001/*1.jpg*"), "predictions.json"),
    (
        "huge number of OpenPifPaf",
        "openpifpaf",
        text("poses/0001/*1.jpg*", '"score": 0.75', '"score": 1e999'),
        "score",
    ),
    (
        "16 joints of AlphaPose",
        "alphapose",
        loaded("poses/*.json", lambda old: old[0].update(keypoints=[1.0] * 48)),
        "keypoints",
    ),
    ("tracker without ids", "mot", raw("tracks.txt", b"1,-1,2,3,10,20,1,-1,-1,-1\n"), "-1"),
    ("NaN box", "mot", raw("tracks.txt", b"1,1,nan,3,10,20,1,-1,-1,-1\n"), "line 1"),
]


@pytest.mark.parametrize(("kind", "spoil", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_spoiled_copy_is_one_sentence(kind: str, spoil: Spoil, words: str, tmp_path: Path) -> None:
    root = KINDS[kind].make(tmp_path / "tree")
    KINDS[kind].read(root)
    spoil(root)
    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    with pytest.raises(DataError) as refused:
        KINDS[kind].read(root)
    sentence = str(refused.value)
    assert words in sentence, sentence
    assert sentence.count("\n") == 0
    assert 40 < len(sentence) < 1200
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == before, "nothing was written"
