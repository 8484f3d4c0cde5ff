"""Counts of joints by hand."""

from pathlib import Path

import numpy as np
import pytest

from vidreid.keypoints.coverage import Coverage
from vidreid.keypoints.layouts import Layout
from vidreid.keypoints.store import KeypointStore, write_keypoints


def stored(folder: Path, keypoints: np.ndarray, layout: Layout = "coco17") -> KeypointStore:
    write_keypoints(folder, "frames", keypoints, 0, "test", layout)
    return KeypointStore.open(folder, "frames", len(keypoints), 0)


def test_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidreid.keypoints.coverage._AT_ONCE", 2)
    keypoints = np.zeros((4, 17, 3))
    keypoints[0, :, 2] = 0.5
    keypoints[1, :4, 2] = 1.0
    keypoints[3, 0, 2] = 0.25
    coverage = Coverage.of(stored(tmp_path, keypoints))
    assert coverage.joints.tolist() == [17, 4, 0, 1]
    assert coverage.found == 0.75
    assert coverage.confidence == pytest.approx((17 * 0.5 + 4 + 0.25) / 22)
    assert coverage.missing["nose"] == 0
    assert coverage.missing["left_eye"] == pytest.approx(1 / 3)
    assert coverage.missing["right_ankle"] == pytest.approx(2 / 3)
    assert coverage.sentence().startswith("4 frames, somebody found in 75.0%, mean confidence 0.58, joints ")
    assert "joints missing 56.9% (most: right_ear, 66.7%)" in coverage.sentence()


def test_nobody(tmp_path: Path) -> None:
    coverage = Coverage.of(stored(tmp_path, np.zeros((2, 17, 3))))
    assert (coverage.found, coverage.confidence) == (0, 0)
    assert "somebody found in 0.0%" in coverage.sentence()
    assert "joints missing 100.0%" in coverage.sentence()


def test_joints_that_a_layout_has_not_are_not_missing(tmp_path: Path) -> None:
    keypoints = np.ones((2, 17, 3))
    keypoints[:, 3:5] = 0
    coverage = Coverage.of(stored(tmp_path, keypoints, "posetrack17"))
    assert coverage.joints.tolist() == [15, 15]
    assert set(coverage.missing.values()) == {0}
    assert "head_top" in coverage.missing
