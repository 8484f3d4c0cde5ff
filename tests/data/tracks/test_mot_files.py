"""Boxes of trackers and annotators, whole and damaged."""

import pytest

from vidreid.data.tracks.mot_files import read_tracks
from vidreid.data.tracks.row_filter import RowFilter
from vidreid.errors import DataError

GOOD = "1,7,10,20,30,40,1,-1,-1,-1\n"


def written(tmp_path, text, name="tracks.txt"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(tmp_path, text, videos=("a",), camera=None, **options):
    return read_tracks(written(tmp_path, text), RowFilter(**options), videos, camera)


@pytest.mark.parametrize(("sequence", "boxes", "tracks"), [("02", 88, 22), ("04", 336, 42)])
def test_annotations_of_mot17(shared_data, sequence, boxes, tracks):
    file = shared_data / f"mot17_mini/train/MOT17-{sequence}-FRCNN/gt/gt.txt"
    lines = [line.split(",") for line in file.read_text().split()]
    found = read_tracks(file, RowFilter())
    assert (len(found.boxes), found.boxes["track"].nunique()) == (boxes, tracks)
    assert sum(found.left_out.values()) == len(lines) - boxes

    seen = [line for line in lines if float(line[6]) == 1 and line[7] == "1" and float(line[8]) >= 0.5]
    visible = read_tracks(file, RowFilter(min_visibility=0.5)).boxes
    expected = sorted((int(line[1]), int(line[0]), *map(float, line[2:6])) for line in seen)
    columns = visible[["track", "frame", "x", "y", "w", "h"]].itertuples(index=False)
    assert [(int(track), *rest) for track, *rest in columns] == expected


def test_detections_of_mot17_are_no_tracks(shared_data):
    file = shared_data / "mot17_mini/train/MOT17-02-FRCNN/det/det.txt"
    with pytest.raises(DataError, match=r"det\.txt holds detections without tracks \(every id is -1\): run"):
        read_tracks(file, RowFilter())


@pytest.mark.parametrize(
    "text",
    [
        "2,12,1.5,2,3,4\n1,12,1,2,3,4\n1,9,0,0,5,6\n",
        "2,12,1.5,2,3,4,0.9\n1,12.0,1,2,3,4,1\n\n1,9,0,0,5,6,1\n",
        "2, 12, 1.5, 2, 3, 4, 1, -1, -1, -1\r\n1, 12, 1, 2, 3, 4, 1, -1, -1, -1\r\n1,9,0,0,5,6,1,2.5,7,0\r\n",
        "﻿Frame,ID,H,W,Y,X\n2,12,4,3,2,1.5\n1,12,4,3,2,1\n1,9,6,5,0,0\n",
        "frame0,track,x,y,w,h,note\n1,12,1.5,2,3,4,b\n0,12,1,2,3,4,\n0,9,0,0,5,6,c\n",
    ],
)
def test_forms_of_the_same_boxes(tmp_path, text):
    boxes = read(tmp_path, text).boxes
    assert boxes.to_numpy().tolist() == [
        [1, "9", "", 0, 0, 5, 6],
        [1, "12", "", 1, 2, 3, 4],
        [2, "12", "", 1.5, 2, 3, 4],
    ]


def test_frames_from_zero(tmp_path):
    assert read(tmp_path, "0,1,1,2,3,4\n1,1,1,2,3,4\n", first_frame=0).boxes["frame"].tolist() == [1, 2]


def test_a_file_of_several_videos_and_cameras(tmp_path):
    text = "video,camera,person,frame0,x,y,w,h\na,1,A,0,1,2,3,4\nb,2,A,0,5,6,7,8\nb,2,B,3,5,6,7,8\n"
    first, second = read(tmp_path, text), read(tmp_path, text, videos=("b.mp4", "b"))
    assert (first.camera, second.camera) == ("1", "2")
    assert first.boxes.to_numpy().tolist() == [[1, "A", "A", 1, 2, 3, 4]]
    assert second.boxes["person"].tolist() == ["A", "B"]
    with pytest.raises(DataError, match=r"no row of video 'c', but of a, b: correct"):
        read(tmp_path, text, videos=("c",))
    with pytest.raises(DataError, match=r"no row of camera '1', but of 2"):
        read(tmp_path, text, videos=("b",), camera="1")
    with pytest.raises(DataError, match=r"holds the cameras 1, 2: say which is this"):
        read(tmp_path, text.replace("video,", "film,"))


def test_who_is_on_a_track(tmp_path):
    text = "frame,id,person,x,y,w,h\n1,5,Eve,1,2,3,4\n1,6,,1,2,3,4\n"
    assert read(tmp_path, text).boxes[["track", "person"]].to_numpy().tolist() == [["5", "Eve"], ["6", ""]]


def test_what_is_left_out_is_counted_once(tmp_path):
    text = (
        "1,1,0,0,9,9,1,1,1\n1,2,0,0,9,9,0,1,1\n1,3,0,0,9,9,0,7,1\n1,-1,0,0,9,9,1,1,1\n"
        "1,5,0,0,9,9,0.4,1,1\n1,6,0,0,9,9,1,1,0.1\n1,7,0,0,9,9,-1,-1,-1\n"
    )
    found = read(tmp_path, text, min_confidence=0.5, min_visibility=0.3)
    assert found.boxes["track"].tolist() == ["1", "7"]
    assert found.left_out == {
        "without a track id": 1,
        "of other classes": 1,
        "with confidence 0": 1,
        "below min_confidence": 1,
        "below min_visibility": 1,
    }
    assert "3" in read(tmp_path, "1,3,0,0,9,9,1,7,1\n", classes=None).boxes["track"].tolist()
    with pytest.raises(DataError, match=r"No box of .* is left \(its classes are 7\): 1 of other classes"):
        read(tmp_path, "1,3,0,0,9,9,1,7,1\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (b"\xff\xd8\xff\xe0", "is no text in UTF-8"),
        (b"a\x00b", "has a line of column names and no row"),
        ("1 7 10 20 30 40\n", "has 1 fields of data instead of 6 to 10"),
        ("1,2,3,4,5,6,7,8,9,10,11\n", "11 fields of data"),
        (GOOD + "2,7,10,20\n", "line 2 has 4 fields instead of 10: the file is damaged or cut off"),
        (GOOD + "\n2,7,ten,20,30,40,1,-1,-1,-1\n", r"line 3: x is 'ten' instead of a number"),
        (GOOD + "2,7,nan,20,30,40,1,-1,-1,-1\n", r"line 2: x is 'nan'"),
        (GOOD + "2,7,1,20,inf,40,1,-1,-1,-1\n", r"line 2: w is 'inf'"),
        (GOOD + "2,7,1,20,-30,40,1,-1,-1,-1\n", r"line 2: the box has a negative size \(w\)"),
        (GOOD + "2.5,7,1,20,30,40,1,-1,-1,-1\n", r"line 2: frame is '2\.5' instead of a whole number"),
        (GOOD + "1e300,7,1,20,30,40,1,-1,-1,-1\n", r"line 2: frame is '1e300'"),
        (GOOD + "2,x,1,20,30,40,1,-1,-1,-1\n", r"line 2: id is 'x'"),
        (GOOD + "0,7,1,20,30,40,1,-1,-1,-1\n", r"line 2: the frame is 0, but the first is 1.*first_frame=0"),
        (GOOD + GOOD, r"line 2 gives track 7 a second box in frame 1: remove one"),
        (GOOD.replace(",7,", ",-1,"), r"every id is -1"),
        ("frame,id,x,y,w\n1,2,3,4,5\n", "has no column h, but frame, id, x, y, w"),
        ("time,who,x,y,w,h\n1,2,3,4,5,6\n", "no column frame or frame0, no column id or track"),
        ("frame,id,x,x,y,w,h\n1,2,3,4,5,6,7\n", "names the column 'x' twice"),
        ("frame,id,x,y,w,h\n", "no row: is it the right file"),
        ("frame,id,x,y,w,h\n1,,3,4,5,6\n", "line 2: the id is empty"),
        (
            "frame,id,person,x,y,w,h\n2,5,B,3,4,5,6\n1,5,A,3,4,5,6\n",
            "line 2 says that track 5 is 'B', and in an earlier frame it is 'A'",
        ),
        ("frame0,id,x,y,w,h\n-1,2,3,4,5,6\n", "line 2: the frame0 is -1, but the first is 0"),
        ('1,7,"10,20,30,40\n' * 3, "fields"),
        (GOOD + "2,7," + "1" * 200_000 + ",20,30,40,1,-1,-1,-1\n", "not comma separated text"),
    ],
)
def test_damaged_files_are_one_sentence(tmp_path, text, words):
    with pytest.raises(DataError, match=words) as caught:
        read(tmp_path, text)
    assert "tracks.txt" in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nothing"):
        read_tracks(tmp_path / "nothing", RowFilter())
    with pytest.raises(DataError, match="cannot be read"):
        read_tracks(tmp_path, RowFilter())
