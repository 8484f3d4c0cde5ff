"""Draws the picture of the method page: ``python scripts/draw_kmpnet.py ROOT FILE``.

ROOT is a rendered benchmark (``data/synthetic/small``), whose first long training tracklet is shown.
"""

import itertools
import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyBboxPatch

from vidreid.data.frames import read_image
from vidreid.data.mars import read_mars
from vidreid.files import write_whole
from vidreid.keypoints.layouts import select_joints
from vidreid.keypoints.skeleton import BODY12
from vidreid.keypoints.store import KeypointStore

FRAMES = 3
BLUE, RED, GREY = "#2b6cb0", "#c53030", "#4a5568"
STAGES = ("conv1", "layer1", "layer2", "layer3", "layer4")
LAYERS = (5, 7, 11, 4)
COLUMNS = (4.3, 6.3, 8.3, 10.3, 12.3)
TOP, MIDDLE, BOTTOM = 5.0, 3.2, 1.6


def main(root: Path, file: Path) -> None:
    """Draw the two branches and what joins them."""
    figure, axes = plt.subplots(figsize=(13, 5.2), dpi=110)
    axes.set(xlim=(0, 17), ylim=(0.2, 6.6))
    axes.set_aspect("equal")
    axes.axis("off")
    frame = FancyBboxPatch((3.3, 0.55), 13.5, 3.2, boxstyle="round,pad=0.05", fc="#fff5f5", ec=RED, ls="--")
    axes.add_patch(frame)
    told = "in training only, dropped afterwards: its gradients flow back up the blue arrows"
    axes.text(16.7, 0.7, told, color=RED, ha="right", fontsize=8.5, style="italic")
    axes.text(3.4, 6.2, "visual branch (ResNet-50, PCB, MGH, ...)", color=BLUE, fontsize=10, weight="bold")
    axes.text(3.4, 0.7, "graph of joints", color=RED, fontsize=10, weight="bold")

    for name, x in zip(STAGES, COLUMNS, strict=True):
        _box(axes, x, TOP, name, "#ebf4ff", BLUE)
        _arrow(axes, (x, TOP - 0.4), (x, MIDDLE + 0.3), BLUE)
        axes.add_patch(Ellipse((x, MIDDLE), 0.5, 0.5, fc="white", ec=GREY))
        axes.text(x, MIDDLE, "+", ha="center", va="center", fontsize=12)
        axes.text(x + 0.1, 4.25, "at the\njoints", fontsize=7, color=GREY, va="center")
    for left, right in itertools.pairwise(COLUMNS):
        _arrow(axes, (left + 0.6, TOP), (right - 0.6, TOP), BLUE)
    for x, layers in zip(COLUMNS[:-1], LAYERS, strict=True):
        middle = x + 1.0
        _box(axes, middle, BOTTOM + 0.2, f"{layers} graph\nlayers", "#fed7d7", RED, width=1.25)
        _arrow(axes, (x + 0.12, MIDDLE - 0.25), (middle - 0.35, BOTTOM + 0.65), RED)
        _arrow(axes, (middle + 0.35, BOTTOM + 0.65), (x + 2 - 0.12, MIDDLE - 0.25), RED)

    _arrow(axes, (2.9, TOP), (COLUMNS[0] - 0.6, TOP), BLUE)
    for end in (TOP + 0.55, TOP - 0.45):
        _arrow(axes, (COLUMNS[-1] + 0.6, TOP), (13.65, end), BLUE)
    _box(axes, 15.1, TOP + 0.55, "4 stripes: descriptor", "#ebf4ff", BLUE, width=2.7)
    _box(axes, 15.1, TOP - 0.45, "4 classifiers", "#edf2f7", GREY, width=2.7)
    _arrow(axes, (COLUMNS[-1] + 0.3, MIDDLE), (13.75, MIDDLE), RED)
    _box(axes, 15.1, MIDDLE, "5 groups of joints:\n5 classifiers", "#fed7d7", RED, width=2.6)
    _draw_clip(axes, root)

    with write_whole(file) as temporary:
        figure.savefig(temporary, format="png", bbox_inches="tight", pad_inches=0.1)


def _draw_clip(axes: Axes, root: Path) -> None:
    """Draw frames of a tracklet one behind the other, with limbs and the same joint joined over time."""
    benchmark = read_mars(root)
    lengths = benchmark.train["stop"] - benchmark.train["start"]
    start = int(benchmark.train["start"][int((lengths >= 8).idxmax())])
    frames = benchmark.train_frames
    store = KeypointStore.open(root / "keypoints" / "true", "bbox_train", len(frames), frames.names_crc())
    rows = [start + 2 * t for t in range(FRAMES)]
    keypoints = select_joints(store[rows], "body12")
    width, height, places = 1.25, 2.5, []
    for t, row in enumerate(rows):
        image = read_image(frames.path(row))
        left, low = 0.1 + 0.85 * t, 2.6 + 0.5 * t
        axes.imshow(image, extent=(left, left + width, low, low + height), zorder=2 + t)
        scale = width / image.shape[1], height / image.shape[0]
        places.append([(left + x * scale[0], low + height - y * scale[1]) for x, y, _ in keypoints[t]])
    for place in places:
        for a, b in BODY12.edges:
            axes.plot(*zip(place[a], place[b], strict=True), color="white", lw=1.1, zorder=10)
        axes.scatter(*zip(*place, strict=True), s=7, color=BLUE, zorder=12)
    for before, after in itertools.pairwise(places):
        for a, b in zip(before, after, strict=True):
            axes.plot(*zip(a, b, strict=True), color=RED, lw=0.7, zorder=11)
    told = "T frames, 12 joints each:\nlimbs (white) and\ntime (red) are edges"
    axes.text(1.5, 1.9, told, fontsize=8, ha="center", va="center")


def _box(axes: Axes, x: float, y: float, text: str, fill: str, edge: str, width: float = 1.1) -> None:
    axes.add_patch(
        FancyBboxPatch((x - width / 2, y - 0.35), width, 0.7, boxstyle="round,pad=0.04", fc=fill, ec=edge)
    )
    axes.text(x, y, text, ha="center", va="center", fontsize=8.5)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.4})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
