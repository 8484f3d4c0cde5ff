"""Manifests as people write them: CSV in its dialects, Parquet, and what goes wrong in them."""

import numpy as np
import pandas as pd
import pytest

from support.own_data import HEIGHT, WIDTH, rows_of_noise, with_keypoints
from vidreid.data.own.manifest import read_manifest

TEXT = """tracklet,frame_path,person,camera
t2,b/1.png,anna,door
t2,b/2.png,anna,door
t10,a/1.png,bert,hall
t1,c/1.png,,door
"""


def _read(tmp_path, text, **options):
    file = tmp_path / "manifest.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_manifest(file, **options)


def _column(own, name):
    return own.table[name].tolist()


def test_rows_come_tracklet_after_tracklet(tmp_path):
    own = _read(tmp_path, TEXT)
    # As text t10 comes before t2.
    assert _column(own, "tracklet") == ["t1", "t10", "t2", "t2"]
    assert _column(own, "frame_path") == ["c/1.png", "a/1.png", "b/1.png", "b/2.png"]
    assert _column(own, "person") == ["", "bert", "anna", "anna"]
    assert _column(own, "camera") == ["door", "hall", "door", "door"]
    assert own.table.index.tolist() == [5, 4, 2, 3]
    assert own.folder == tmp_path
    assert own.edges is own.keypoints is None
    numbers = _read(tmp_path, TEXT.replace("\nt", "\n"))
    assert _column(numbers, "tracklet") == ["1", "2", "2", "10"]


def _wider(text, names, values):
    header, *lines = text.splitlines()
    return "\n".join([header + names, *(line + values for line in lines)])


@pytest.mark.parametrize(
    "dialect",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.rstrip(),
        lambda text: text.replace("\n", "\n\n").replace("hall\n", "hall\n,,,\n"),
        lambda text: text.replace(",", " , "),
        lambda text: _wider(text, ",note,note", ",x,y"),
        lambda text: text.replace("b/", "./b/"),
        lambda text: _wider(text, ",role,x", ", ,"),
        lambda text: "".join(f'"{line}"\n'.replace(",", '","') for line in text.splitlines()),
    ],
    ids=["bom", "crlf", "semicolons", "tabs", "no last newline", "blank lines", "white space",
         "extra columns", "dots", "empty columns", "quotes"],
)  # fmt: skip
def test_dialects_say_the_same(tmp_path, dialect):
    plain, read = _read(tmp_path, TEXT), _read(tmp_path, dialect(TEXT))
    pd.testing.assert_frame_equal(read.table.reset_index(drop=True), plain.table.reset_index(drop=True))


def test_frame_numbers_order_frames(tmp_path):
    text = "tracklet,frame_path,person,camera,frame_number\n" + "".join(
        f"{tracklet},{tracklet}/{number}.png,1,1,{number}\n"
        for number in ("10", "9.0", "-1")
        for tracklet in "ba"
    )
    assert _column(_read(tmp_path, text), "frame_path") == [
        f"{tracklet}/{number}.png" for tracklet in "ab" for number in ("-1", "9.0", "10")
    ]
    large = [2**53, 2**53 + 1, 2**60 + 1]
    nanoseconds = text.replace(",10\n", f",{large[2]}\n").replace(",9.0\n", f",{large[1]}\n")
    ordered = _read(tmp_path, nanoseconds.replace(",-1\n", f",{large[0]}\n"))
    assert _column(ordered, "frame_path")[:3] == ["a/-1.png", "a/9.0.png", "a/10.png"]


def test_spreadsheets_make_floats_of_ids(tmp_path):
    own = _read(tmp_path, TEXT.replace("anna", "7.0", 1).replace("anna", "7").replace("bert", "10.00"))
    assert _column(own, "person") == ["", "10", "7", "7"]


def test_leading_zeros_belong_to_the_name(tmp_path):
    assert _column(_read(tmp_path, TEXT.replace("anna", "007")), "person") == ["", "bert", "007", "007"]


def test_names_may_be_of_any_language(tmp_path):
    own = _read(tmp_path, TEXT.replace("anna", "Zoë Müller").replace("b/", "björn/美/"))
    assert _column(own, "person")[2:] == ["Zoë Müller"] * 2
    assert _column(own, "frame_path")[2] == "björn/美/1.png"


def test_parquet_says_the_same_as_csv(tmp_path):
    rows, joints = with_keypoints(rows_of_noise(tmp_path, people=("3", "12", "20")))
    rows["frame_number"] = np.arange(len(rows))[::-1]
    rows["camera"] = np.where(rows["camera"] == "door", 1, 2)
    rows = rows.assign(x=0.4, y=1, width=10, height=20)
    rows.loc[rows["person"] == "20", "person"] = ""
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    # Missing values make floats of numbers in pandas, and people keep lists as lists.
    typed = rows.assign(
        person=pd.to_numeric(rows["person"]), keypoints=[one.tolist() for one in joints.astype(float)]
    )
    typed.astype({"tracklet": "category"}).to_parquet(tmp_path / "lists.parquet", index=False)
    rows.to_parquet(tmp_path / "texts.parquet", index=False)
    csv = read_manifest(tmp_path / "manifest.csv", with_keypoints=True)
    for name in ("lists", "texts"):
        parquet = read_manifest(tmp_path / f"{name}.parquet", with_keypoints=True)
        pd.testing.assert_frame_equal(
            parquet.table.reset_index(drop=True), csv.table.reset_index(drop=True), check_dtype=False
        )
        np.testing.assert_array_equal(parquet.edges, csv.edges)
        np.testing.assert_allclose(parquet.keypoints, csv.keypoints, rtol=1e-6)
        # The header is row 1 of a CSV.
        assert parquet.table.index.tolist() == [row - 1 for row in csv.table.index]


def test_boxes_are_rounded_to_pixels(tmp_path):
    rows = rows_of_noise(tmp_path, people=("anna",), cameras=("door",))
    rows = rows.assign(x=[0.5, -3, 2], y=[1.4, 0, 2], width=[4, 5, 0.2], height=[2.2, 50, 0.3])
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    edges = read_manifest(tmp_path / "manifest.csv").edges
    # Edges are rounded, not sizes; a crop has at least one pixel.
    assert edges.tolist() == [[1, 1, 5, 4], [-3, 0, 2, 50], [2, 2, 3, 3]]


def test_keypoints_that_are_missing(tmp_path):
    rows, joints = with_keypoints(rows_of_noise(tmp_path, people=("anna",)))
    rows.loc[1, "keypoints"] = ""
    holes = joints[2].astype(object)
    holes[3, 0], holes[4, 1] = None, float("nan")
    rows.loc[2, "keypoints"] = str(holes.tolist()).replace("None", "null").replace("nan", "NaN")
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    keypoints = read_manifest(tmp_path / "manifest.csv", with_keypoints=True).keypoints
    np.testing.assert_allclose(keypoints[0], joints[0], rtol=1e-6)
    assert np.isnan(keypoints[1]).all()
    assert np.isnan(keypoints[2]).any(axis=1).tolist() == [joint in (3, 4) for joint in range(17)]
    assert keypoints[..., :2][np.isfinite(keypoints[..., :2])].max() < max(HEIGHT, WIDTH)


def test_without_cameras(tmp_path):
    text = TEXT.replace(",camera", "").replace(",door", "").replace(",hall", "")
    assert "camera" not in read_manifest_of(tmp_path, text).table
    assert "camera" not in read_manifest_of(tmp_path, TEXT).table


def read_manifest_of(tmp_path, text):
    return _read(tmp_path, text, cameras="each_tracklet")


def _box(x, y, width, height):
    header, *lines = TEXT.splitlines()
    lines = [f"{line},0,0,5,5" for line in lines[:3]] + [f"{lines[3]},{x},{y},{width},{height}"]
    return "\n".join([f"{header},x,y,width,height", *lines])


def _added(name, *values):
    header, *lines = TEXT.splitlines()
    return "\n".join(
        [f"{header},{name}", *(f"{line},{value}" for line, value in zip(lines, values, strict=True))]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"is empty: write a row a frame"),
        (" \n\n", "is empty"),
        ("tracklet,frame_path,person,camera\n", "names its columns and holds no row"),
        ("tracklet,frame_path,person,camera\n,,,\n", "names its columns and holds no row"),
        (b"PK\x03\x04 anything", "is a workbook of a spreadsheet program: save it as CSV"),
        (b"PAR1 and no more", "is damaged .*write it anew"),
        (TEXT.encode().replace(b"bert", b"Zo\xeb"), r"is not UTF-8 \(line 4\): save it as CSV in UTF-8"),
        (TEXT.encode("utf-16"), "is not UTF-8"),
        (TEXT.replace("person", "id"), "has no column person among tracklet, frame_path, id, camera: name"),
        ("\n" + TEXT, "has no column tracklet and no column person"),
        (TEXT.replace(",camera", "").replace(",door", "").replace(",hall", ""),
         "has no column camera among .* or set data.cameras=each_tracklet"),
        (TEXT.replace("camera", "person"), "has two columns person"),
        (TEXT.replace("bert,hall", "bert"), "row 4 has 3 fields and the first line 4"),
        (TEXT.replace("bert,hall", "bert,hall,9"), "row 4 has 5 fields and the first line 4"),
        (TEXT.replace("bert", '"bert'), "row 4 has 3 fields"),
        (TEXT.replace("t10,", ","), "row 4: there is no tracklet: every frame belongs to one"),
        (TEXT.replace("hall", ""), "row 4: there is no camera: name it, or set data.cameras=each_tracklet"),
        (TEXT.replace("bert", "NaN"), "row 4: the person is 'NaN', which is no name: leave the field empty"),
        (TEXT.replace("hall", "None"), "row 4: the camera is 'None', which is no name"),
        (TEXT.replace("a/1.png", ""), "row 4: the frame_path '' is empty"),
        (TEXT.replace("a/1.png", "/a/1.png"), "row 4: the frame_path '/a/1.png' does not begin at the"),
        (TEXT.replace("a/1.png", "C:/1.png"), "row 4: the frame_path 'C:/1.png' does not begin"),
        (TEXT.replace("a/1.png", "a/../../1.png"), r"row 4: .* leads out of a folder by '\.\.'"),
        (TEXT.replace("a/1.png", "..\\1.png"), "row 4: .* has a backslash: write / between"),
        (TEXT.replace("a/1.png", "a\x001.png"), "row 4: .* holds a NUL character"),
        (TEXT.replace("b/2.png,anna", "b/2.png,bert"),
         "the tracklet 't2' has two people, 'anna' in row 2 and 'bert' in row 3: give one"),
        (TEXT.replace("b/2.png,anna,door", "b/2.png,anna,hall"), "'t2' has two cameras, 'door' in row 2"),
        (_added("role", "query", "gallery", "train", "train"), "'t2' has two roles, 'query' in row 2"),
        (_added("role", "train", "train", "probe", "train"), "row 4: the role is 'probe': choose one of"),
        (_added("role", "train", "train", "", "train"), "row 4: the role is '': choose one of"),
        (TEXT.replace("b/2", "b/1"), "row 3: 'b/1.png' comes a second time in the tracklet 't2'"),
        (TEXT.replace("a/1", "b/1"), "row 4: 'b/1.png' shows 'bert' here and somebody else in a row above"),
        (_added("frame_number", 1, 1, 1, 1), "row 3: the frame_number 1 comes a second time in the"),
        (_added("frame_number", 1, 2, 1.5, 1), "row 4: the frame_number is 1.5, which is no whole number"),
        (_added("frame_number", 1, 2, "", 1), "row 4: the frame_number is '', which is no number"),
        (_added("frame_number", 1, 2, 10**30, 1), "row 4: the frame_number is '10+', which is no number"),
        (_added("x", 1, 2, 3, 4), "has no value in y, width, height: a box needs all four"),
        (_box(1, 2, 3, "wide"), "row 5: the height is 'wide', which is no number"),
        (_box(1, 2, 3, "inf"), "row 5: the height is 'inf', which is no number"),
        (_box(1, 2, 0, 3), "row 5: the box x=1 y=2 width=0 height=3 has no area"),
        (_box(-9, 2, 3, 3), "row 5: the box x=-9 y=2 width=3 height=3 lies outside of the image"),
        (_box(1, 2, 10**12, 3), "row 5: .* lies beyond any image"),
    ],
)  # fmt: skip
def test_spoiled_manifests_get_a_sentence(tmp_path, text, words):
    with pytest.raises(ValueError, match=rf"manifest\.csv.*{words}"):
        _read(tmp_path, text)


@pytest.mark.parametrize(
    "joints",
    ["1", "[1,2,3]", "[[1,2,3]]", str([[1, 2, 3]] * 16), str([[1, 2]] * 17), "[[1,2,3]", '"a"', "[" * 5000,
     str([[1, 2, "x"]] * 17), f"{[[1, 2, 3]] * 17},{[[1, 2, 3]] * 17}", "__import__('os')", "{}",
     str([10**400] * 17)],
)  # fmt: skip
def test_spoiled_keypoints_name_their_row(tmp_path, joints):
    rows, _ = with_keypoints(rows_of_noise(tmp_path, people=("anna",)))
    rows.loc[4, "keypoints"] = joints
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(ValueError, match="row 6: the keypoints are not 17 triples"):
        read_manifest(tmp_path / "manifest.csv", with_keypoints=True)
    # Who reads none need not mend them.
    assert read_manifest(tmp_path / "manifest.csv").keypoints is None


@pytest.mark.parametrize(
    "joints", [[[1.0, 2.0, 3.0]] * 16, [[1.0, 2.0]] * 17, [None] + [[1.0, 2.0, 3.0]] * 16, []]
)
def test_spoiled_lists_name_their_row(tmp_path, joints):
    rows = rows_of_noise(tmp_path, people=("anna",))
    good = [[1.0, 2.0, 0.5]] * 17
    rows.assign(keypoints=[good, None, good, joints, good, good]).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(ValueError, match="row 4: the keypoints are not 17 triples"):
        read_manifest(tmp_path / "m.parquet", with_keypoints=True)


def test_parquet_of_other_types(tmp_path):
    rows = rows_of_noise(tmp_path, people=("anna",))
    rows.assign(camera=pd.Timestamp("2026-01-01")).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(ValueError, match=r"the column camera holds timestamp.*: write text or numbers"):
        read_manifest(tmp_path / "m.parquet")
    rows.assign(keypoints=1.5).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(ValueError, match="row 1: the keypoints are not"):
        read_manifest(tmp_path / "m.parquet", with_keypoints=True)


def test_a_missing_manifest_and_keypoints_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"manifest .*nowhere\.csv cannot be read .*set data\.root"):
        read_manifest(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match=r"has no keypoints: add a column keypoints, set data\.keypoints to"):
        _read(tmp_path, TEXT, with_keypoints=True)
    with pytest.raises(ValueError, match=r"no data\.cameras=none: choose one of given, each_tracklet"):
        _read(tmp_path, TEXT, cameras="none")
