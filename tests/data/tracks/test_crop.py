"""From videos and boxes to crops: what is on them, against a slow twin, with more processes."""

import csv
import shutil

import cv2
import numpy as np
import pytest

from support.tracked_videos import SOURCES, colour, rows_of, tree_of, write_mot, write_street_and_yard
from vidreid.data.frames import FrameError
from vidreid.data.tracks.crop import crop_videos
from vidreid.data.tracks.settings import CropSettings
from vidreid.data.tracks.sources import make_sources

ROWS = rows_of()


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return write_street_and_yard(tmp_path_factory.mktemp("videos"))


def cut(out, root, workers=1, part_size=7, **settings):
    return crop_videos(out, make_sources(SOURCES, root), CropSettings(**settings), workers, False, part_size)


def manifest(out):
    with (out / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_crop_shows_its_box(videos, tmp_path):
    cut(tmp_path / "out", videos, format="png", max_gap=4)
    rows = manifest(tmp_path / "out")
    sizes = {(frame, track): (width, height) for frame, track, _, _, width, height in ROWS}
    assert len(rows) == 2 * len(ROWS)
    for row in rows:
        _, track, piece = row["tracklet"].split("_")
        frame = int(row["frame_number"])
        assert piece == ("2" if track == "11" and frame > 14 else "1")
        assert row["person"] == ""
        folder = row["camera"].replace(" ", "-")
        assert row["frame_path"] == f"crops/{folder}/{row['tracklet']}/{frame:06d}.png"
        crop = cv2.imread(str(tmp_path / "out" / row["frame_path"]))
        assert crop.shape[:2] == sizes[frame, int(track)][::-1]
        inside = crop if row["camera"] == "1" else crop[8:-8, 8:-8]
        error = np.abs(inside.astype(int) - colour(frame, int(track))).max()
        assert error <= (0 if row["camera"] == "1" else 16), row


def test_the_bytes_are_those_of_a_slow_cropper(videos, tmp_path):
    settings = {
        "margin": 0.2,
        "min_height": 64,
        "stride": 3,
        "max_frames": 4,
        "max_gap": 4,
        "persons": "tracks",
    }
    cropped = cut(tmp_path / "out", videos, role="test", **settings)
    expected = slow_crops(videos / "yard.mp4")
    rows = [row for row in manifest(tmp_path / "out") if row["camera"] == "back yard"]
    assert [(row["tracklet"], int(row["frame_number"])) for row in rows] == [key for key, _ in expected]
    for row, (_, data) in zip(rows, expected, strict=True):
        assert (tmp_path / "out" / row["frame_path"]).read_bytes() == data
        assert (row["person"], row["role"]) == (row["tracklet"].split("_")[1], "test")
    assert sum(cropped.plan.sources[1].left_out.values()) == len(ROWS) - len(expected)


def slow_crops(file):
    """Cut as the settings above say, one box after the other, and name tracklets by hand."""
    capture, frames = cv2.VideoCapture(str(file)), {}
    for frame in range(1, 41):
        frames[frame] = capture.read()[1]
    kept = {}
    for frame, track, left, top, width, height in sorted(ROWS, key=lambda row: (row[1], row[0])):
        if frame % 3 != 1:
            continue
        x0, x1 = max(left - 0.2 * width, 0), min(left + 1.2 * width, 160)
        y0, y1 = max(top - 0.2 * height, 0), min(top + 1.2 * height, 120)
        x0, x1, y0, y1 = (int(value + 0.5) for value in (x0, x1, y0, y1))
        if y1 - y0 < 64:
            continue
        crop = frames[frame][y0:y1, x0:x1]
        data = cv2.imencode(".jpg", np.ascontiguousarray(crop), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        kept.setdefault((track, track == 11 and frame > 14), []).append((frame, data))
    crops, pieces = [], {}
    for (track, _), found in kept.items():
        count = -(-len(found) // 4)
        for piece in np.array_split(np.arange(len(found)), count):
            pieces[track] = pieces.get(track, 0) + 1
            crops += [((f"yard_{track}_{pieces[track]}", found[i][0]), found[i][1]) for i in piece]
    return crops


def test_boxes_at_the_edge(videos, tmp_path):
    rows = [(1, 1, -10, -5, 30, 50), (2, 1, 150, 90, 1000, 1000), (3, 1, 500, 5, 20, 50), (4, 1, 5, 5, 0, 50)]
    write_mot(tmp_path / "edge.txt", [*rows, (5, 1, 10**7, 0, 10**8, 50)])
    (source,) = make_sources([{"video": videos / "street/img1", "tracks": tmp_path / "edge.txt"}])
    cropped = crop_videos(tmp_path / "out", [source], CropSettings(min_height=20), progress=False)
    (plan,) = cropped.plan.sources
    boxes = cropped.plan.crops[["left", "top", "right", "bottom"]].to_numpy().tolist()
    assert boxes == [[0, 0, 20, 45], [150, 90, 160, 120]]
    assert plan.left_out == {"outside the picture": 3}
    assert plan.camera == "street"
    with pytest.raises(ValueError, match=r"No crop is left of 5 boxes: 3 outside the picture, 2 lower than"):
        crop_videos(tmp_path / "none", [source], CropSettings(min_height=60), progress=False)
    assert not (tmp_path / "none").exists()


def test_workers_and_parts_change_no_byte(videos, tmp_path):
    for name, workers, part_size in (("one", 1, 7), ("two", 2, 7), ("large", 1, 1000)):
        cut(tmp_path / name, videos, workers=workers, part_size=part_size)
    one, two, large = (tree_of(tmp_path / name) for name in ("one", "two", "large"))
    assert one == two
    # The size of the parts is written down.
    assert one.pop("crop.json") != large.pop("crop.json")
    assert one == large


def test_who_is_on_which_track(videos, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("camera,video,track,person\n1,,3,Eve\nback yard,yard,3,Ada\nback yard,,3,Bob\n7,,1,X\n")
    cropped = cut(tmp_path / "out", videos, persons=str(people), max_frames=100)
    rows = {
        (row["camera"], row["tracklet"].split("_")[1]): row["person"] for row in manifest(tmp_path / "out")
    }
    assert rows == {("1", "3"): "Eve", ("back yard", "3"): "Ada", ("1", "11"): "", ("back yard", "11"): ""}
    (notice,) = cropped.plan.notices
    assert notice.startswith("2 rows of ")
    assert notice.endswith("are of no track that is there; the first is camera back yard, track 3.")
    people.write_text("camera,track,person\n7,1,X\n")
    with pytest.raises(ValueError, match=r"No row of .*people\.csv is of a track .*camera 7, track 1"):
        cut(tmp_path / "no", videos, persons=str(people))
    people.write_text("camera,track,person\n1,3,X\n1,3,Y\n")
    with pytest.raises(ValueError, match="line 3 says that track 3 of camera 1 is 'Y', an earlier line 'X'"):
        cut(tmp_path / "no", videos, persons=str(people))
    people.write_text("camera,person\n1,X\n")
    with pytest.raises(ValueError, match="has no column track: name its columns camera,track,person"):
        cut(tmp_path / "no", videos, persons=str(people))
    with pytest.raises(ValueError, match="persons='ids' is unknown: choose null, tracks or a CSV file"):
        cut(tmp_path / "no", videos, persons="ids")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"format": "gif"}, "choose one of jpg, png"),
        ({"role": "val"}, "choose null or one of train, test, query, gallery"),
        ({"stride": 0}, "stride=0: choose a whole number of at least 1"),
        ({"max_gap": -1}, "max_gap=-1"),
        ({"max_frames": 0}, "max_frames=0"),
        ({"margin": float("nan")}, "margin=nan: choose a share"),
        ({"first_frame": 2}, "first_frame=2: choose 0 or 1"),
    ],
)
def test_wrong_settings_name_the_choices(settings, words):
    with pytest.raises(ValueError, match=words):
        CropSettings(**settings)


def test_boxes_beyond_the_end_are_said_before_anything_is_written(videos, tmp_path):
    write_mot(tmp_path / "long.txt", [(40, 1, 5, 5, 20, 50), (41, 1, 5, 5, 20, 50), (45, 1, 5, 5, 20, 50)])
    for video, words in (
        ("yard.mp4", r"yard\.mp4 has 40 frames, .* 2 frames after it, 41 to 45 \(.*long\.txt\): are these"),
        ("street/img1", r"img1 has 40 frames \(1 to 40\), but .* 2 others, the first 41"),
    ):
        sources = make_sources([{"video": videos / video, "tracks": tmp_path / "long.txt"}])
        with pytest.raises(ValueError, match=words):
            crop_videos(tmp_path / "out", sources, progress=False)
    assert not (tmp_path / "out").exists()


def test_a_frame_that_another_process_cannot_read_is_one_sentence(videos, tmp_path):
    root = shutil.copytree(videos, tmp_path / "videos")
    frame = root / "street/img1/000030.png"
    frame.write_bytes(frame.read_bytes()[:200])
    with pytest.raises(FrameError, match=r"000030\.png is cut off after 200 bytes"):
        cut(tmp_path / "out", root, workers=2)
    assert not (tmp_path / "out" / "manifest.csv").exists()
