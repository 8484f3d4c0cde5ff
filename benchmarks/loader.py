"""Frames a second of the loader's work on clips (decode, transform) against plain JPEG decoding.

All run in this process on the same files of 256 x 128, in turns. ``batches`` stacks the clips as well.
The clock counts processor time, so that other work on the machine does not decide the ratio.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vidreid.data.dataset import TrainClips, collate_clips
from vidreid.data.frames import read_image
from vidreid.data.mars_format import folder_of, frame_name, names_crc
from vidreid.data.reading import ClipReader
from vidreid.data.samplers import Draw
from vidreid.data.tracklets import FrameList, tracklet_table
from vidreid.data.transforms import ClipTransform, training_augmentations
from vidreid.keypoints.store import KeypointStore, write_keypoints

HEIGHT, WIDTH = 256, 128
TRACKLETS, FRAMES, CLIP = 32, 16, 8
ROUNDS = 15


def run() -> dict[str, float]:
    """Measure and return frames a second and their ratio (1.0: the transform costs nothing)."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(*_write(Path(folder)))
    finally:
        cv2.setNumThreads(threads)


def _measure(frames: FrameList, store: KeypointStore) -> dict[str, float]:
    starts = np.arange(TRACKLETS) * FRAMES
    table = tracklet_table(np.arange(TRACKLETS), np.ones(TRACKLETS, dtype=int), starts, starts + FRAMES)
    transform = ClipTransform(HEIGHT, WIDTH, training_augmentations())
    clips = TrainClips(table, ClipReader(frames, store), transform, CLIP)
    # Plain decoding reads as many frames as the clips have, of the same files.
    paths = [
        str(frames.path(row)) for start in starts for row in range(start, start + FRAMES, FRAMES // CLIP)
    ]

    def decode(round_number: int) -> None:
        for path in paths:
            cv2.imread(path)

    def decode_checked(round_number: int) -> None:
        for path in paths:
            read_image(path)

    def load(round_number: int) -> None:
        for row in range(TRACKLETS):
            clips[Draw(row, round_number * TRACKLETS + row)]

    def load_batches(round_number: int) -> None:
        for first in range(0, TRACKLETS, 8):
            rows = range(first, first + 8)
            collate_clips([clips[Draw(row, round_number * TRACKLETS + row)] for row in rows])

    work: dict[str, Callable[[int], None]] = {
        "decode": decode,
        "read_image": decode_checked,
        "loader": load,
        "batches": load_batches,
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for round_number in range(ROUNDS):
        for name, function in work.items():
            begin = time.process_time()
            function(round_number)
            seconds[name].append(time.process_time() - begin)
    # A round is a mean over many draws, so that the median is fair to flips and erasing alike.
    speed = {
        f"{name}_frames_per_second": TRACKLETS * CLIP / float(np.median(s)) for name, s in seconds.items()
    }
    return {
        **speed,
        "loader_to_decode": speed["loader_frames_per_second"] / speed["decode_frames_per_second"],
    }


def _write(root: Path) -> tuple[FrameList, KeypointStore]:
    """Write JPEG files of random smooth textures with some noise, about as large as those of MARS."""
    rng = np.random.default_rng(0)
    names = [
        frame_name(pid, 1, 1, frame) for pid in range(1, TRACKLETS + 1) for frame in range(1, FRAMES + 1)
    ]
    for pid in range(1, TRACKLETS + 1):
        (root / folder_of(pid)).mkdir()
    for name in names:
        coarse = rng.integers(0, 255, (16, 8, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        picture += rng.normal(0, 4, picture.shape)
        cv2.imwrite(str(root / name[:4] / name), np.clip(picture, 0, 255).astype(np.uint8))
    keypoints = rng.random((len(names), 17, 3)) * [WIDTH, HEIGHT, 1]
    write_keypoints(root, "frames", keypoints, names_crc(names), "random")
    frames = FrameList(root, np.array(names, dtype=np.bytes_))
    return frames, KeypointStore.open(root, "frames", len(frames), frames.names_crc())


if __name__ == "__main__":
    print(json.dumps({name: round(value, 3) for name, value in run().items()}, indent=2))
