"""Which frames the sheet shows."""

from pathlib import Path

import cv2
import numpy as np

from vidreid.data.image_folder import list_images
from vidreid.keypoints.coverage import Coverage
from vidreid.keypoints.store import KeypointStore, write_keypoints
from vidreid.visualize.pose_sheet import pose_sheet

GREY_OF_A_FRAME = 2


def test_spread_frames_above_those_with_the_fewest_joints(tmp_path: Path) -> None:
    for n in range(100):
        cv2.imwrite(str(tmp_path / f"{n:03d}.png"), np.full((32, 16, 3), GREY_OF_A_FRAME * n, np.uint8))
    keypoints = np.tile(np.array([100.0, 100.0, 1.0]), (100, 17, 1))  # drawn outside the frames
    keypoints[[7, 91]] = 0
    frames = list_images(tmp_path)
    write_keypoints(tmp_path / "keypoints", "frames", keypoints, frames.names_crc(), "test")
    store = KeypointStore.open(tmp_path / "keypoints", "frames", 100, frames.names_crc())
    (tmp_path / "050.png").write_bytes(b"cannot be read")
    sheet = pose_sheet(frames, store, Coverage.of(store).joints, rows=3, columns=2)
    assert sheet is not None
    assert sheet.shape == (3 * (256 + 6) + 6, 2 * (128 + 6) + 6, 3)
    middles = [[sheet[134 + 262 * row, 70 + 134 * column, 0] for column in range(2)] for row in range(3)]
    # Spread: the middles of four quarters; below them the two without joints.
    assert middles == [[2 * 12, 2 * 37], [2 * 62, 2 * 87], [2 * 7, 2 * 91]]


def test_nothing_to_draw(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"cannot be read")
    frames = list_images(tmp_path)
    write_keypoints(tmp_path / "keypoints", "frames", np.zeros((1, 17, 3)), frames.names_crc(), "test")
    store = KeypointStore.open(tmp_path / "keypoints", "frames", 1, frames.names_crc())
    assert pose_sheet(frames, store, Coverage.of(store).joints) is None
