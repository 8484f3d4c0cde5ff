"""Stores are filled whole, in the order of the frames, and go on where they were killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidreid.data.frame_poses import PoseFinder
from vidreid.data.frames import FrameError
from vidreid.data.image_folder import list_images
from vidreid.data.pose_filling import StoreFiller
from vidreid.errors import DataError
from vidreid.keypoints.poses import Pose
from vidreid.keypoints.store import KeypointStore

FRAMES = 23


class Brightness:
    """Puts every joint at the colour of the first pixel; counts what it is given."""

    skeleton = "coco17"

    def __init__(self, delay: float = 0.0) -> None:
        self.batches: list[int] = []
        self.delay = delay

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Pose]]:
        time.sleep(self.delay)
        self.batches.append(len(images))
        return [[self._pose(image)] for image in images]

    def _pose(self, image: NDArray[np.uint8]) -> Pose:
        red, green, blue = image[0, 0].tolist()
        # The number of the frame is in its red, and the place in the batch must not matter.
        return Pose(np.tile([red, green + image.shape[1] / 8, blue / 255], (17, 1)))


def make_images(folder: Path, count: int = FRAMES) -> Path:
    for n in range(count):
        (folder / f"{n % 3}").mkdir(parents=True, exist_ok=True)
        picture = np.full((10 + n % 4, 8 + n % 5, 3), (200, 2 * n, n), np.uint8)  # blue, green, red
        cv2.imwrite(str(folder / f"{n % 3}" / f"{n:03d}.png"), picture)
    return folder


def filler(tool: object, **settings) -> StoreFiller:
    # By score: what a pixel's colour says lies outside of most pictures.
    settings = {
        "source": "brightness",
        "batch_size": 3,
        "chunk": 5,
        "progress": False,
        "choose": "score",
        **settings,
    }
    finder = {key: settings.pop(key) for key in ("choose", "workers", "on_bad_frame") if key in settings}
    return StoreFiller(PoseFinder(tool, **finder), **settings)  # pyright: ignore[reportArgumentType]


def stored_bytes(folder: Path) -> tuple[bytes, bytes]:
    return (folder / "frames.npy").read_bytes(), (folder / "frames.json").read_bytes()


def test_frames_of_many_sizes_in_their_order(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images"))
    tool = Brightness()
    filled = filler(tool, workers=3).fill(tmp_path / "store", "frames", frames)
    numbers = [int(frames.path(row).stem) for row in range(len(frames))]
    assert numbers != sorted(numbers), "sorted by folder first"
    keypoints = filled.store[:]
    np.testing.assert_array_equal(keypoints[:, 4, 0], numbers)
    np.testing.assert_array_equal(keypoints[:, 4, 1], [2 * n + (8 + n % 5) / 8 for n in numbers])
    np.testing.assert_allclose(keypoints[..., 2], 200 / 255, rtol=1e-3)
    assert tool.batches == [3, 2] * 4 + [3], "no batch reaches over a chunk"
    assert (filled.done_before, filled.unreadable.tolist()) == (False, [])
    told = json.loads((tmp_path / "store" / "frames.json").read_text())
    assert (told["source"], told["skeleton"], told["frames"]) == ("brightness", "coco17", FRAMES)
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["frames.json", "frames.npy"]
    KeypointStore.open(tmp_path / "store", "frames", FRAMES, frames.names_crc())


def test_a_finished_store_is_left_alone(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images"))
    filler(Brightness()).fill(tmp_path, "frames", frames)
    before, tool = stored_bytes(tmp_path), Brightness()
    # As a kill between the last two steps leaves it.
    (tmp_path / ".frames.partial").mkdir()
    assert filler(tool).fill(tmp_path, "frames", frames).done_before
    assert (stored_bytes(tmp_path), tool.batches) == (before, [])
    assert not (tmp_path / ".frames.partial").exists()
    with pytest.raises(DataError, match=r"another source \(brightness instead of other\): choose another"):
        filler(tool, source="other").fill(tmp_path, "frames", frames)
    assert stored_bytes(tmp_path) == before
    with pytest.raises(KeyboardInterrupt):
        filler(Stops(), source="other").fill(tmp_path, "frames", frames, restart=True)
    filler(tool, source="other").fill(tmp_path, "frames", frames)
    assert sum(tool.batches) == FRAMES - 10, "what the restart had done was there"
    assert json.loads((tmp_path / "frames.json").read_text())["source"] == "other"
    make_images(tmp_path / "images", FRAMES + 1)
    with pytest.raises(DataError, match="these keypoints belong to other images"):
        filler(tool, source="other").fill(tmp_path, "frames", list_images(tmp_path / "images"))


class Stops(Brightness):
    """Stops like Ctrl-C after some batches."""

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Pose]]:
        if len(self.batches) == 5:
            raise KeyboardInterrupt
        return super().estimate(images)


def test_what_is_begun_goes_on_with_the_same_settings_only(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images"))
    filler(Brightness()).fill(tmp_path / "whole", "frames", frames)
    with pytest.raises(KeyboardInterrupt):
        filler(Stops()).fill(tmp_path / "store", "frames", frames)
    partial = tmp_path / "store" / ".frames.partial"
    assert not (tmp_path / "store" / "frames.npy").exists()
    assert sorted(path.name for path in partial.iterdir()) == [
        "000000000.npy",
        "000000005.npy",
        "settings.json",
    ]
    with pytest.raises(DataError, match=r"source was brightness and is other\): go on .* restart=true"):
        filler(Brightness(), source="other").fill(tmp_path / "store", "frames", frames)
    with pytest.raises(DataError, match="batch_size was 3 and is 2"):
        filler(Brightness(), batch_size=2).fill(tmp_path / "store", "frames", frames)
    (partial / "000000005.npy").write_bytes(b"damaged")
    tool = Brightness()
    filler(tool).fill(tmp_path / "store", "frames", frames)
    assert sum(tool.batches) == FRAMES - 5, "the first chunk was there"
    assert stored_bytes(tmp_path / "store") == stored_bytes(tmp_path / "whole")


def test_settings_that_are_damaged_are_said(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images"))
    (tmp_path / ".frames.partial").mkdir()
    (tmp_path / ".frames.partial" / "settings.json").write_bytes(b"\xff[")
    with pytest.raises(DataError, match=r"settings.json is damaged: set restart=true"):
        filler(Brightness()).fill(tmp_path, "frames", frames)
    filler(Brightness()).fill(tmp_path, "frames", frames, restart=True)


def test_killed_at_any_time(tmp_path: Path, repo_root: Path) -> None:
    """SIGKILL after the first, then after the third chunk; the bytes are those of a call left alone."""
    frames = list_images(make_images(tmp_path / "images"))
    filler(Brightness()).fill(tmp_path / "whole", "frames", frames)
    program = (
        "from pathlib import Path\n"
        "from data.test_pose_filling import Brightness, filler\n"
        "from vidreid.data.image_folder import list_images\n"
        f"root = Path({str(tmp_path)!r})\n"
        "filler(Brightness(delay=0.2)).fill(root / 'store', 'frames', list_images(root / 'images'))\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{repo_root / 'src'}:{repo_root / 'tests'}"}
    partial = tmp_path / "store" / ".frames.partial"
    for chunks in (1, 3):
        process = subprocess.Popen([sys.executable, "-c", program], env=environment)
        deadline = time.monotonic() + 60
        while len(list(partial.glob("0*.npy"))) < chunks and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert not (tmp_path / "store" / "frames.json").exists()
    tool = Brightness()
    filler(tool).fill(tmp_path / "store", "frames", frames)
    assert sum(tool.batches) <= FRAMES - 15
    assert stored_bytes(tmp_path / "store") == stored_bytes(tmp_path / "whole")
    assert not partial.exists()


@pytest.mark.parametrize("stopped", [False, True])
def test_frames_that_cannot_be_read(tmp_path: Path, stopped: bool) -> None:
    folder = make_images(tmp_path / "images")
    frames = list_images(folder)
    frames.path(4).write_bytes(b"no image")
    frames.path(20).write_bytes(frames.path(20).read_bytes()[:40])
    with pytest.raises(FrameError, match=r"not a readable image.* set data.on_bad_frame=skip_frame"):
        filler(Brightness()).fill(tmp_path / "strict", "frames", frames)
    if stopped:
        with pytest.raises(KeyboardInterrupt):
            filler(Stops(), on_bad_frame="skip_frame").fill(tmp_path / "store", "frames", frames)
    filled = filler(Brightness(), on_bad_frame="skip_frame").fill(tmp_path / "store", "frames", frames)
    assert filled.unreadable.tolist() == [4, 20], "also those of chunks that were there"
    keypoints = filled.store[:]
    assert np.flatnonzero((keypoints == 0).all(axis=(1, 2))).tolist() == [4, 20]
    assert np.isfinite(np.load(filled.store.path)).all()


class Files:
    """Poses by path, as a tool writes them: nobody, one person, or two."""

    skeleton = "posetrack17"

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[int, int]]] = []

    def poses(self, image: str, size: tuple[int, int]) -> list[Pose]:
        self.asked.append((image, size))
        number = int(Path(image).stem)
        one = Pose(np.full((17, 3), 1.0) * [number, 5, 0.5], score=0.2)
        two = Pose(np.full((17, 3), 1.0) * [number + 100, 5, 0.5], score=0.9)
        return [[], [one], [one, two]][number % 3]


def test_files_of_a_tool(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images", 6))
    tool = Files()
    filled = filler(tool, choose="score").fill(tmp_path / "store", "frames", frames)
    assert tool.asked == [
        ("0/000.png", (10, 8)), ("0/003.png", (13, 11)), ("1/001.png", (11, 9)),
        ("1/004.png", (10, 12)), ("2/002.png", (12, 10)), ("2/005.png", (11, 8)),
    ]  # fmt: skip
    assert filled.store[:][:, 0, 0].tolist() == [0, 0, 1, 4, 102, 105]
    assert filled.store.layout == "posetrack17"


class Odd(Brightness):
    """Joints that no store can hold."""

    def _pose(self, image: NDArray[np.uint8]) -> Pose:
        keypoints = np.tile([3.0, 4.0, 0.5], (17, 1))
        keypoints[0] = [np.nan, 1, 1]
        keypoints[1] = [1e9, 1, 1]
        keypoints[2] = [1, 1, -0.2]
        keypoints[3] = [1, 1, 7.0]
        keypoints[4] = [1, 1, np.nan]
        return Pose(keypoints)


def test_joints_that_are_no_numbers_are_missing(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images", 2))
    filled = filler(Odd()).fill(tmp_path / "store", "frames", frames)
    first = np.load(filled.store.path)[0]
    np.testing.assert_array_equal(first[[0, 1, 2, 4]], 0)
    np.testing.assert_array_equal(first[3], [1, 1, 1])
    np.testing.assert_array_equal(first[5:], np.tile([3, 4, 0.5], (12, 1)))
    assert filled.unreadable.size == 0


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    frames = list_images(make_images(tmp_path / "images", 2))
    with pytest.raises(ValueError, match="batch_size=0 and chunk=5 must be 1 or more"):
        filler(Brightness(), batch_size=0)
    with pytest.raises(ValueError, match="choose one of error, skip_frame"):
        filler(Brightness(), on_bad_frame="ignore")
    with pytest.raises(ValueError, match="choose one of target, score"):
        filler(Brightness(), choose="prettiest")
    tool = Brightness()
    tool.skeleton = "halpe26"
    with pytest.raises(ValueError, match="halpe26"):
        filler(tool)
    tool.skeleton = "coco17"
    tool._pose = lambda image: Pose(np.zeros((26, 3)))
    with pytest.raises(DataError, match=r"shape \(26, 3\) instead of \(17, 3\)"):
        filler(tool).fill(tmp_path / "store", "frames", frames)
