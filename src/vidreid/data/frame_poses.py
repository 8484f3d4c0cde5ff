"""From the frames of a list to the keypoints of the person whom each is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vidreid.data.boxed_frames import BoxedFrames
from vidreid.data.decoded_batches import decoded_batches
from vidreid.data.frames import FrameError, decode_image
from vidreid.data.reading import OnBadFrame, check_on_bad_frame
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError
from vidreid.keypoints.choice import check_rule, choose_pose
from vidreid.keypoints.layouts import Layout, stored_layout, to_store
from vidreid.keypoints.poses import Pose, PoseEstimator, PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

_SHAPE = (17, 3)


@dataclass(frozen=True)
class PoseFinder:
    """Finds the keypoints of frames.

    Attributes:
        tool: What finds people: a network, or files that a tool has written.
        choose: Rule by which one of several people is taken (``vidreid.keypoints.choice``).
        workers: Threads that read frames.
        on_bad_frame: ``error``, or ``skip_frame``: the keypoints of a frame that cannot be read are NaN.

    Raises:
        ValueError: If the tool's joints are of no known skeleton, or for another ``on_bad_frame`` or rule.
    """

    tool: PoseEstimator | PoseSource
    choose: str = "target"
    workers: int = 2
    on_bad_frame: OnBadFrame = "error"

    def __post_init__(self) -> None:
        check_on_bad_frame(self.on_bad_frame)
        check_rule(self.choose)
        _ = self.layout

    @property
    def layout(self) -> Layout:
        """What the 17 joints are that come out; other skeletons are mapped to it."""
        return stored_layout(self.tool.skeleton)

    def find(
        self, frames: FrameList, batches: Sequence[Sequence[int]]
    ) -> Iterator[tuple[Sequence[int], NDArray[np.float16]]]:
        """Yield the rows of each batch and their keypoints ``(n, 17, 3)``; where nobody is found, zeros.

        Args:
            frames: The frames, of any sizes.
            batches: Rows that a network is given at once.

        Raises:
            FrameError: If a frame cannot be read, under ``on_bad_frame=error``.
            DataError: If the tool's files are damaged, or people have another number of joints.
        """
        for rows, decoded in decoded_batches(frames, batches, self.workers):
            images: dict[int, NDArray[np.uint8]] = {}
            for place, image in enumerate(decoded):
                if not isinstance(image, FrameError):
                    images[place] = image
                elif self.on_bad_frame == "error":
                    raise FrameError(
                        f"{image} Or set data.on_bad_frame=skip_frame: its joints are then missing."
                    )
            people = self._people(frames, [rows[place] for place in images], list(images.values()))
            keypoints = np.full((len(rows), *_SHAPE), np.nan, np.float16)
            for (place, image), poses in zip(images.items(), people, strict=True):
                pose = choose_pose(poses, (image.shape[0], image.shape[1]), self.choose)
                keypoints[place] = _stored(pose, self.tool.skeleton, frames.file(rows[place]))
            yield rows, keypoints

    def _people(
        self, frames: FrameList, rows: Sequence[int], images: Sequence[NDArray[np.uint8]]
    ) -> list[list[Pose]]:
        # The protocols cannot be told apart by their type while the program runs.
        if hasattr(self.tool, "estimate"):
            return cast(PoseEstimator, self.tool).estimate(images)
        source = cast(PoseSource, self.tool)
        if isinstance(frames, BoxedFrames):
            return [_around_box(source, frames, row) for row in rows]
        return [
            source.poses(frames.relative(row), (image.shape[0], image.shape[1]))
            for row, image in zip(rows, images, strict=True)
        ]


def _around_box(source: PoseSource, frames: BoxedFrames, row: int) -> list[Pose]:
    """Return everybody in the image that a box lies in, in pixels of the box."""
    image = decode_image(frames.encoded(row), frames.file(row))
    left, top = frames.origins[row].tolist()
    moved = []
    for pose in source.poses(frames.relative(row), (image.shape[0], image.shape[1])):
        keypoints, box = pose.keypoints.copy(), pose.box
        keypoints[keypoints[:, 2] > 0, :2] -= left, top
        box = None if box is None else (box[0] - left, box[1] - top, box[2], box[3])
        moved.append(replace(pose, keypoints=keypoints, box=box))
    return moved


def _stored(pose: Pose | None, skeleton: str, frame: str) -> NDArray[np.float16]:
    """Return ``(17, 3)``; joints that are no finite numbers, also as float16, are missing."""
    if pose is None:
        return np.zeros(_SHAPE, np.float16)
    joints = len(find_skeleton(skeleton))
    if pose.keypoints.shape != (joints, 3):
        raise DataError(
            f"A person in {frame} has keypoints of the shape {pose.keypoints.shape} instead of "
            f"({joints}, 3), the joints of {skeleton} with x, y and confidence."
        )
    with np.errstate(over="ignore"):
        stored = to_store(pose, skeleton).astype(np.float16)
    stored[:, 2] = np.clip(stored[:, 2], 0, 1)
    stored[~np.isfinite(stored).all(axis=1) | (stored[:, 2] <= 0)] = 0
    return stored
