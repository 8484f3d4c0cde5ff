"""Frames that are boxes of larger images."""

import pickle

import numpy as np
import pytest

from support.own_data import noise, write_noise
from vidreid.data.boxed_frames import BoxedFrames
from vidreid.data.frame_poses import PoseFinder
from vidreid.data.frames import FrameError, read_frame
from vidreid.data.inspection.frame_record import record_of
from vidreid.data.packing import pack_frames
from vidreid.data.tracklets import FrameList
from vidreid.keypoints.formats import open_pose_files
from vidreid.keypoints.formats.coco_writer import CocoImage, write_coco
from vidreid.keypoints.poses import Pose

NAMES = np.array(["straße/1.png".encode(), "straße/1.png".encode(), b"2.png"])
EDGES = np.array([[2, 3, 10, 20], [-5, -6, 7, 8], [30, 20, 99, 99]])


@pytest.fixture
def folder(tmp_path):
    write_noise(tmp_path / "straße/1.png", [1], 40, 50)
    write_noise(tmp_path / "2.png", [2], 40, 50)
    return tmp_path


def test_a_crop_is_a_slice_of_its_image(folder):
    frames = BoxedFrames(folder, NAMES, EDGES)
    one, two = noise([1], 40, 50), noise([2], 40, 50)
    expected = [one[3:20, 2:10], one[0:8, 0:7], two[20:40, 30:50]]
    for copy in (frames, pickle.loads(pickle.dumps(frames))):
        for row, crop in enumerate(expected):
            np.testing.assert_array_equal(read_frame(copy, row), crop)
    assert frames.origins.tolist() == [[2, 3], [0, 0], [30, 20]]


@pytest.mark.parametrize("box", [[50, 0, 60, 10], [0, 40, 10, 50], [-9, 0, 0, 5]])
def test_a_box_outside_is_said(folder, box):
    frames = BoxedFrames(folder, NAMES[:1], np.array([box]))
    with pytest.raises(
        FrameError, match=r"outside of frame .*1\.png, which is 50 x 40 pixels: correct the box"
    ):
        read_frame(frames, 0)


def test_the_checksum_covers_boxes_and_names():
    def crc(names=NAMES, edges=EDGES):
        return BoxedFrames("", names, edges).names_crc()

    assert crc() == crc(edges=EDGES.astype(np.int16))
    other = EDGES.copy()
    other[1, 3] += 1
    assert len({crc(), crc(edges=other), crc(NAMES[::-1]), FrameList("", NAMES, 0).names_crc()}) == 4
    plain = [FrameList("", np.array([name.encode()]), 0).names_crc() for name in ("ä.png", "ö.png")]
    assert plain[0] != plain[1]


def test_poses_of_the_whole_image_go_to_the_boxes_that_they_fill(folder, tmp_path):
    """Two people in one image; each box gets its own, in pixels of the box."""

    def person(left, top):
        keypoints = np.stack([left + np.arange(17) / 4, top + np.arange(17) / 2, np.full(17, 0.5)], axis=1)
        keypoints[3] = 0
        return Pose(keypoints, box=(left, top, 5, 9), score=0.5)

    people = [person(30, 25), person(3, 4)]
    write_coco(tmp_path / "poses.json", [CocoImage("straße/1.png", 40, 50)], [people])
    boxes = BoxedFrames(folder, NAMES[:2], np.array([[2, 3, 10, 20], [28, 20, 50, 40]]))
    finder = PoseFinder(open_pose_files(tmp_path / "poses.json", "coco"))
    ((_, found),) = finder.find(boxes, [[0, 1]])
    for keypoints, pose, corner in zip(found, people[::-1], boxes.origins, strict=True):
        expected = pose.keypoints - [*corner, 0]
        expected[3] = 0
        np.testing.assert_allclose(keypoints, expected, atol=0.01)


def test_boxes_of_one_file_are_no_duplicates(folder):
    frames = BoxedFrames(folder, NAMES, EDGES)
    same = BoxedFrames(folder, NAMES[:1], EDGES[:1])
    digests = [int(record_of(frames, row)["digest"]) for row in range(3)]
    assert len(set(digests)) == 3
    assert int(record_of(same, 0)["digest"]) == digests[0]
    assert (record_of(frames, 0)["height"], record_of(frames, 0)["width"]) == (17, 8)


def test_boxes_are_not_packed(folder, tmp_path):
    with pytest.raises(ValueError, match="boxes of one: leave it out, or cut the boxes"):
        pack_frames(BoxedFrames(folder, NAMES, EDGES), tmp_path / "packed", "frames")
    assert not (tmp_path / "packed").exists()
