"""Procedural walkers as the pictures of a tree whose writer painted noise."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vidreid.data.frames import read_image
from vidreid.data.readers.mars_reader import read_mars


def dressed(
    root: Path, tiny_root: Path, person: Callable[[Path], str] = lambda path: path.parent.name
) -> Path:
    """Put a walker into every picture of a tree, in its size, and return ``root``.

    A person is one walker everywhere, a folder of frames one walk in its order.

    Args:
        root: The tree.
        tiny_root: The procedural benchmark that the walkers are from.
        person: Tells from the path of a picture who is in it; by default the folder is called so.
    """
    benchmark = read_mars(tiny_root)
    frames, table = benchmark.train_frames, benchmark.train
    people = table["pid"].unique()
    pictures = sorted(path for path in root.rglob("*") if path.suffix in (".jpg", ".png"))
    names = {name: place for place, name in enumerate(sorted({person(path) for path in pictures}))}
    folders = {folder: place for place, folder in enumerate(sorted({path.parent for path in pictures}))}
    for number, path in enumerate(pictures):
        walks = table.loc[
            table["pid"] == people[names[person(path)] % len(people)], ["start", "stop"]
        ].to_numpy()
        start, stop = walks[folders[path.parent] % len(walks)].tolist()
        height, width = read_image(path).shape[:2]
        walker = read_image(frames.path(start + number % (stop - start)))
        resized = cv2.resize(walker, (width, height), interpolation=cv2.INTER_AREA)
        assert cv2.imwrite(str(path), np.ascontiguousarray(resized[..., ::-1]))
    return root
