"""Exact keypoints with one thing wrong: each gives its finding and no other."""

import numpy as np
import pytest

from support.spoiled import change_keypoints, copy_tree, finding, found, inspected
from vidreid.keypoints.skeleton import COCO17

HEIGHT, WIDTH = 128, 64


def _spoiled(tiny_root, tmp_path, change, **settings):
    folder = change_keypoints(tiny_root, tmp_path / "store", change)
    return inspected(tiny_root, keypoints=folder, **settings)


def _at(x, y, keypoints):
    return np.stack([x, y, keypoints[..., 2]], axis=-1)


def _whole_image(keypoints, tracklets):
    return keypoints + [310, 190, 0] * (keypoints[..., 2:] > 0)


def _exchanged(keypoints, tracklets):
    return keypoints[..., [1, 0, 2]]


def _upside_down(keypoints, tracklets):
    return _at(keypoints[..., 0], HEIGHT - keypoints[..., 1], keypoints)


def _fractions(keypoints, tracklets):
    return _at(keypoints[..., 0] / WIDTH, keypoints[..., 1] / HEIGHT, keypoints)


def _ankles_first(keypoints, tracklets):
    return np.concatenate([keypoints[:, :5], keypoints[:, :4:-1]], axis=1)


def _scattered(keypoints, tracklets):
    return np.random.default_rng(0).random(keypoints.shape) * [WIDTH, HEIGHT, 1]


def _one_pose(keypoints, tracklets):
    whole = keypoints[np.argmax((keypoints[:, 5:, 2] > 0).sum(axis=1))]
    return np.repeat(whole[None], len(keypoints), axis=0)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (_whole_image, "keypoints_of_whole_image", "100 % of the joints lie outside"),
        (_exchanged, "keypoints_xy_swapped", "they would with x and y exchanged (100 %)"),
        (_upside_down, "keypoints_upside_down", "y counted from the bottom (100 %)"),
        (_ankles_first, "keypoints_upside_down", "joints in the reverse order, ankles first (98 %)"),
        (_fractions, "keypoints_fractions", "x and y multiplied by the size of the frame (100 %)"),
        (_scattered, "keypoints_implausible", "see samples.png"),
        (_one_pose, "keypoints_same_pose", "spread over 0.0 % of the crop"),
    ],
)
def test_keypoints_in_the_wrong_place(tiny_root, tmp_path, change, code, words):
    inspection = _spoiled(tiny_root, tmp_path, change)
    assert found(inspection) == {code: "error"}
    assert words in finding(inspection, code).sentence


@pytest.mark.parametrize("planted", [0.1, 0.2])
def test_left_and_right_exchanged_in_some_frames(tiny_root, tmp_path, planted):
    def swap(keypoints, tracklets):
        chosen = np.random.default_rng(5).permutation(len(keypoints))[: round(planted * len(keypoints))]
        keypoints[chosen] = keypoints[chosen][:, list(COCO17.mirror)]
        return keypoints

    inspection = _spoiled(tiny_root, tmp_path, swap)
    assert found(inspection) == {"keypoints_left_right": "warning"}
    swaps = inspection.keypoints["train"].swaps
    assert swaps.swapped / swaps.frames == pytest.approx(planted, abs=0.05)
    # A step changes sides if one of its two frames is exchanged and the other is not.
    assert swaps.changes / swaps.steps == pytest.approx(2 * planted * (1 - planted), abs=0.1)


def test_left_and_right_exchanged_everywhere_cannot_be_told(tiny_root, tmp_path):
    inspection = _spoiled(tiny_root, tmp_path, lambda keypoints, _: keypoints[:, list(COCO17.mirror)])
    assert found(inspection) == {}


def test_frozen_keypoints(tiny_root, tmp_path):
    def freeze(keypoints, tracklets):
        first = np.searchsorted(tracklets, tracklets)
        late = np.arange(len(keypoints)) - first
        # Every second frame repeats the one before.
        return keypoints[np.arange(len(keypoints)) - late % 2]

    inspection = _spoiled(tiny_root, tmp_path, freeze)
    assert found(inspection) == {"keypoints_frozen": "warning"}
    counts = inspection.keypoints["train"]
    assert counts.frozen / counts.pairs == pytest.approx(0.55, abs=0.07)


def test_values_that_are_no_numbers(tiny_root, tmp_path):
    def spoil(keypoints, tracklets):
        there = np.flatnonzero(keypoints[:, 6, 2] > 0)[:4]
        keypoints[there, 6, 0] = np.nan
        keypoints[np.flatnonzero(keypoints[:, 7, 2] == 0)[0], 7, :2] = np.nan  # missing anyway
        return keypoints

    inspection = _spoiled(tiny_root, tmp_path, spoil)
    assert found(inspection) == {"keypoints_not_finite": "warning"}
    assert "4 train frames with" in finding(inspection, "keypoints_not_finite").sentence


def test_confidences_of_another_scale(tiny_root, tmp_path):
    inspection = _spoiled(tiny_root, tmp_path, lambda keypoints, _: keypoints * [1, 1, 100])
    assert found(inspection) == {"keypoints_confidence_range": "warning"}
    assert inspection.keypoints["train"].out_of_range == 128  # the frames with joints
    assert finding(inspection, "keypoints_confidence_constant").severity == "note"


def test_no_joint_at_all(tiny_root, tmp_path):
    inspection = _spoiled(tiny_root, tmp_path, lambda keypoints, _: keypoints * [1, 1, 0])
    assert found(inspection) == {"keypoints_empty": "error"}


def test_frames_without_joints_and_joints_without_frames(tiny_root, tmp_path):
    def thin(keypoints, tracklets):
        keypoints[::2] = 0
        keypoints[:, 0] = 0
        return keypoints

    inspection = _spoiled(tiny_root, tmp_path, thin, joints="coco17")
    assert found(inspection) == {"keypoints_sparse": "warning", "keypoints_joint_missing": "warning"}
    assert "No train frame has nose:" in finding(inspection, "keypoints_joint_missing").sentence


def test_keypoints_of_other_frames(tiny_root, tmp_path):
    folder = change_keypoints(tiny_root, tmp_path / "store", lambda keypoints, _: keypoints[:-1])
    inspection = inspected(tiny_root, keypoints=folder)
    assert found(inspection) == {"keypoints_refused": "error"}
    assert "describes 132 frames" in finding(inspection, "keypoints_refused").sentence


def test_a_damaged_pose_file(tiny_root, tmp_path):
    tree = copy_tree(tiny_root, tmp_path / "tree")
    stored = np.load(tree / "keypoints/true/bbox_train.npy").astype(float)
    names = (tree / "info/train_name.txt").read_text().split()
    for name, joints in zip(names, stored, strict=True):
        file = tree / "bbox_train_keypoints" / name[:4] / name.replace(".jpg", ".pose")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(joints.tolist()))
    assert found(inspected(tree, keypoints="pose_files")) == {}
    file.write_text("[[1, 2")
    inspection = inspected(tree, keypoints="pose_files")
    assert found(inspection) == {"keypoints_unreadable": "error"}
    assert finding(inspection, "keypoints_unreadable").where == [f"bbox_train/{names[-1][:4]}/{names[-1]}"]
    assert inspection.keypoints["train"].frames == 132
