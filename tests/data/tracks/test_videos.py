"""Frames by their numbers, from files and folders."""

import cv2
import numpy as np
import pytest

from support.tracked_videos import delay, picture, rows_of, write_frames, write_video
from vidreid.data.tracks.videos import FrameFolder, VideoFile, open_pictures
from vidreid.errors import DataError

ROWS = rows_of()


@pytest.mark.parametrize("first", [0, 1])
def test_a_folder_counts_from_one(tmp_path, first):
    folder = open_pictures(write_frames(tmp_path / "img1", ROWS, 12, first))
    assert isinstance(folder, FrameFolder)
    assert folder.size == (120, 160)
    for frame, read in zip([2, 7, 12], folder.read([2, 7, 12]), strict=True):
        assert np.array_equal(read, picture(ROWS, frame))
    assert folder.missing(np.array([1, 12])) is None
    assert "12 frames (1 to 12), but the tracks have boxes in 2 others, the first 13" in str(
        folder.missing(np.array([3, 13, 14]))
    )


def every_frame(file):
    video, frames = cv2.VideoCapture(str(file)), []
    while True:
        there, frame = video.read()
        if not there:
            return frames
        frames.append(frame)


@pytest.mark.parametrize(("codec", "ending"), [("mp4v", "mp4"), ("MJPG", "avi"), ("FFV1", "mkv")])
def test_frames_of_a_file_are_those_of_decoding_all(tmp_path, codec, ending):
    video = open_pictures(write_video(tmp_path / f"a.{ending}", ROWS, codec=codec))
    decoded = every_frame(video.path)
    assert len(decoded) == 40
    wanted = [1, 2, 9, 30, 40]
    for frame, read in zip(wanted, video.read(wanted), strict=True):
        assert np.array_equal(read, decoded[frame - 1])
        assert np.abs(read.astype(int) - picture(ROWS, frame)).mean() < 4
    assert video.notices == []
    assert video.missing(np.array([40])) is None
    assert "has 40 frames, but the tracks have boxes in 2 frames after it, 41 to 44" in str(
        video.missing(np.array([40, 41, 44]))
    )


@pytest.mark.parametrize(("name", "count"), [("Single1", 220), ("Double1", 98)])
def test_real_videos(shared_data, name, count):
    video = open_pictures(shared_data / f"two_cameras/{name}.mp4")
    assert video.size == (480, 854)
    assert video.notices == []
    assert video.missing(np.array([count])) is None
    assert f"has {count} frames" in str(video.missing(np.array([count + 1])))
    (last,) = video.read([count])
    assert np.array_equal(last, every_frame(video.path)[-1])


def test_a_varying_frame_rate_is_said_and_does_not_move_frames(tmp_path):
    """Where looking frames up by their number goes wrong, counting them does not."""
    file = write_video(tmp_path / "a.mkv", ROWS, codec="MJPG")
    even = every_frame(file)
    delay(file, 21, 200)
    video = open_pictures(file)
    (notice,) = video.notices
    assert "varying frame rate (1 place; first, frames 20 and 21 are 240 ms apart, most 40)" in notice
    assert all(np.array_equal(a, b) for a, b in zip(video.read(range(1, 41)), even, strict=True))

    looked_up, wrong = cv2.VideoCapture(str(file)), 0
    for place, frame in enumerate(even):
        looked_up.set(cv2.CAP_PROP_POS_FRAMES, place)
        wrong += not np.array_equal(looked_up.read()[1], frame)
    assert wrong > 0


def test_a_video_that_is_cut_off_is_said(tmp_path):
    file = write_video(tmp_path / "a.avi", ROWS, codec="MJPG")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    video = open_pictures(file)
    assert "after it" in str(video.missing(np.array([40])))
    with pytest.raises(DataError, match=r"a\.avi cannot be decoded beyond frame \d+ of \d+.*frame 40"):
        list(video.read([3, 40]))


def test_what_is_no_video_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no video file or folder of frames .*none"):
        open_pictures(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DataError, match=r"text\.mp4 cannot be read as a video"):
        open_pictures(tmp_path / "text.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty holds no frame such as 000001"):
        open_pictures(tmp_path / "empty")
    folder = write_frames(tmp_path / "img1", ROWS, 3)
    cv2.imwrite(str(folder / "000002.png"), np.zeros((10, 20, 3), np.uint8))
    with pytest.raises(DataError, match=r"Frame 2 of .* is 20x10 pixels and the first is 160x120"):
        list(open_pictures(folder).read([1, 2]))
    assert isinstance(open_pictures(write_video(tmp_path / "a.mp4", ROWS, 3)), VideoFile)
