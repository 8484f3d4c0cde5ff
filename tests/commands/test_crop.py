"""The command as a user types it: real videos to a manifest, and one sentence for what cannot be used."""

import csv

import pytest
from hydra import compose, initialize_config_dir

from support.tracked_videos import rows_of, write_frames, write_mot, write_video
from vidreid.commands import config_dir
from vidreid.commands.crop import run_crop


def asked(*overrides):
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("crop", ["workers=1", *overrides])


def test_two_real_cameras(shared_data, tmp_path, capsys):
    data = shared_data / "two_cameras"
    videos = ",".join(
        f"{{video:{data}/{name}.mp4,tracks:{data}/boxes.csv}}" for name in ("Single1", "Double1")
    )
    run_crop(asked(f"out={tmp_path}/cut", f"sources=[{videos}]", "max_frames=25", "role=test"))
    assert capsys.readouterr().out == (
        f"cut: {tmp_path}/cut\n"
        "  368 crops, 15 tracklets, 2 cameras, 2 people\n"
        "  Single1 (camera 1): 220 boxes, 220 crops, 9 tracklets\n"
        "  Double1 (camera 2): 148 boxes, 148 crops, 6 tracklets\n"
    )
    rows = list(csv.DictReader((tmp_path / "cut/manifest.csv").open(newline="")))
    boxes = list(csv.DictReader((data / "boxes.csv").open(newline="")))
    expected = sorted((row["camera"], row["person"], int(row["frame0"]) + 1) for row in boxes)
    assert sorted((row["camera"], row["person"], int(row["frame_number"])) for row in rows) == expected
    assert all((tmp_path / "cut" / row["frame_path"]).is_file() for row in rows)
    run_crop(asked(f"out={tmp_path}/cut", f"sources=[{videos}]", "max_frames=25", "role=test"))
    assert capsys.readouterr().out.startswith(f"already there: {tmp_path}/cut\n  368 crops, 15 tracklets")


def test_a_sequence_of_mot17(shared_data, tmp_path, capsys):
    sequence = shared_data / "mot17_mini/train/MOT17-04-FRCNN"
    run_crop(asked(f"out={tmp_path}/cut", f"sequence={sequence}", "camera=4", "min_height=1"))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  336 crops, 42 tracklets, 1 camera, unknown people",
        "  MOT17-04-FRCNN (camera 4): 792 boxes, 336 crops, 42 tracklets; left out 456 of other classes",
    ]


@pytest.fixture
def one(tmp_path):
    write_video(tmp_path / "a.mp4", rows_of(5), 5)
    write_mot(tmp_path / "a.txt", rows_of(5))
    return [f"out={tmp_path}/out", f"video={tmp_path}/a.mp4", f"tracks={tmp_path}/a.txt"]


def test_one_video(one, tmp_path, capsys):
    run_crop(asked(*one, "persons=tracks"))
    assert "10 crops, 2 tracklets, 1 camera, 2 people\n  a (camera a): 10 boxes" in capsys.readouterr().out
    (tmp_path / "list.csv").write_text("video,tracks,camera\na.mp4,a.txt,7\n")
    run_crop(asked(f"out={tmp_path}/listed", f"sources={tmp_path}/list.csv"))
    assert "a (camera 7): 10 boxes" in capsys.readouterr().out
    write_frames(tmp_path / "img1", rows_of(5), 5)
    run_crop(asked(f"out={tmp_path}/frames", f"video={tmp_path}/img1", one[2], "camera=gate"))
    assert "(camera gate): 10 boxes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["video=nowhere.mp4"], "no video file or folder of frames nowhere"),
        (["tracks=nowhere.txt"], r"no file nowhere\.txt"),
        (["tracks=null"], "source 1 lacks tracks"),
        (["sequence=a"], "source 1 has a video and a sequence"),
        (["sources=list.csv"], r"drop it, or drop video="),
        (["video=null", "tracks=null", "sources=3"], "sources= is no list of videos"),
        (["video=null", "tracks=null", "sources=nowhere.yaml"], r"no file nowhere\.yaml"),
        (["video=null", "tracks=null"], "no video to cut"),
        (["format=bmp"], "choose one of jpg, png"),
        (["workers=-1"], "workers=-1"),
        (["min_visibility=2", "min_confidence=3"], "10 below min_confidence"),
        (["margin=much"], "margin=much: choose a share"),
        (["classes=1"], "classes=1: choose a list of whole numbers"),
        (["stride=1.5"], "stride=1.5: choose a whole number"),
        (["min_confidence=[1]"], "min_confidence="),
    ],
)
def test_wrong_input_is_one_sentence(one, tmp_path, changes, words):
    with pytest.raises((ValueError, OSError), match=words):
        run_crop(asked(*one, *changes))
    assert not (tmp_path / "out").exists()
