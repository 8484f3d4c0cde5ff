"""A tracklet of 900 frames is described in batches of the usual size, to the mean of all its clips."""

import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from vidreid.commands.quiet import quiet
from vidreid.data import reading
from vidreid.data.own_data import ManifestDataModule
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.metrics.reid import ReidMetric
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.module import IMAGENET_MEAN, IMAGENET_STD, ReidModule

HEIGHT, WIDTH, T, BATCH = 64, 32, 4, 8
LENGTHS = {"long": 901, "short": 90, "query": 3, "other": 5}
"""Frames of the test tracklets; 901 is no multiple of a clip."""
TEST_ROLE = {"long": "gallery", "short": "gallery", "query": "query", "other": "gallery"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of JPEG frames of noise: two people to train on, and the tracklets above."""
    root = tmp_path_factory.mktemp("long")
    generator = np.random.default_rng(0)
    rows = []

    def add(tracklet: str, person: str, camera: str, role: str, frames: int) -> None:
        tint = generator.integers(60, 196, 3)
        for frame in range(frames):
            name = f"{tracklet}/{frame:04d}.jpg"
            (root / name).parent.mkdir(exist_ok=True)
            picture = np.clip(tint + generator.integers(-60, 60, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(root / name), picture)
            rows.append((tracklet, name, person, camera, role))

    for person in ("anna", "bert"):
        add(f"train_{person}", person, "door", "train", 4)
    for tracklet, frames in LENGTHS.items():
        person = "dora" if tracklet == "other" else "cleo"
        add(tracklet, person, "hall" if tracklet == "query" else "door", TEST_ROLE[tracklet], frames)
    columns = ["tracklet", "frame_path", "person", "camera", "role"]
    pd.DataFrame(rows, columns=columns).to_csv(root / "manifest.csv", index=False)
    return root


def data_of(root: Path, sampling: str, **settings: Any) -> ManifestDataModule:
    return ManifestDataModule(
        root, height=HEIGHT, width=WIDTH, test_clip_length=T, test_sampling=sampling, test_batch_size=BATCH,
        keypoints=None, workers=0, **settings,
    )  # fmt: skip


def module_of() -> ReidModule:
    torch.manual_seed(0)
    network = VisualNetwork(PCB(2, "resnet10t", stripes=2, reduced=8, channels=(8, 16, 24, 32)))
    losses = LossRecipe({"identity": IdentityLoss()})
    return ReidModule(network, losses, lambda _: None, lambda *_: None, ReidMetric)  # pyright: ignore


def frames_of(root: Path, tracklet: str) -> list[Path]:
    return sorted((root / tracklet).iterdir())


def by_hand(network: Any, files: list[Path]) -> Tensor:
    """The slow way: cut all frames into clips of T, the last in a cycle; describe each alone, and average."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    descriptors = []
    for start in range(0, len(files), T):
        own = files[start : start + T]
        while len(own) < T:
            own = [*own, own[len(own) - len(files[start : start + T])]]
        pixels = [np.ascontiguousarray(cv2.imread(str(file))[:, :, ::-1].transpose(2, 0, 1)) for file in own]
        clip = torch.stack([(torch.from_numpy(one) / 255 - mean) / std for one in pixels])
        descriptors.append(network.describe(clip[None])[0].double())
    return torch.stack(descriptors).mean(0)


@pytest.mark.parametrize("sampling", ["dense", "dense_stride4", "evenly"])
def test_no_batch_is_larger_than_it_may_be(sampling: str, root: Path) -> None:
    module, data = module_of(), data_of(root, sampling)
    shapes: list[tuple[int, ...]] = []
    describe = module.network.describe

    def spy(images: Tensor, *others: Any) -> Tensor:
        shapes.append(tuple(images.shape[:2]))
        return describe(images, *others)

    module.network.describe = spy  # pyright: ignore[reportAttributeAccessIssue]
    trainer = L.Trainer(
        accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    with quiet():
        trainer.test(module, datamodule=data, verbose=False)
    assert {frames for _, frames in shapes} == {T}
    sizes = [clips for clips, _ in shapes]
    wanted = {
        "dense": 226 + 23 + 1 + 2,  # 901, 90, 3 and 5 frames in clips of 4
        # Blocks of 16 frames give 4 clips, the rest as many as it has frames, at most 4.
        "dense_stride4": (56 * 4 + 4) + (5 * 4 + 4) + 3 + 4,
        "evenly": 4,
    }[sampling]
    assert sum(sizes) == wanted
    assert sizes == [BATCH] * (wanted // BATCH) + [wanted % BATCH] * (wanted % BATCH > 0)

    assert module.metric is not None
    described = module.metric.descriptors()
    assert len(described.features) == len(LENGTHS)
    if sampling == "dense":
        names = data.benchmark.test.set_index("tracklet")
        module.eval()
        with torch.no_grad():
            for row, number in enumerate(described.tracklets.tolist()):
                first = data.benchmark.test_frames.path(int(names.loc[number, "start"]))  # pyright: ignore
                expected = by_hand(module.network, frames_of(root, first.parent.name))
                torch.testing.assert_close(described.features[row].double(), expected, rtol=1e-5, atol=1e-6)


def test_a_clip_reads_its_own_frames(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the tracklet: T pictures a clip, all of them once over the clips."""
    rows: list[int] = []
    read = reading.read_frame

    def spy(frames: Any, row: int) -> Any:
        rows.append(row)
        return read(frames, row)

    monkeypatch.setattr(reading, "read_frame", spy)
    clips = data_of(root, "dense").test_data()
    seen: list[int] = []
    for clip in range(len(clips)):
        rows.clear()
        images = clips[clip].images
        assert len(rows) <= T
        assert images.shape == (T, 3, HEIGHT, WIDTH)
        seen += rows
    assert sorted(seen) == list(range(sum(LENGTHS.values())))


@pytest.mark.parametrize("sampling", ["dense", "evenly"])
def test_the_loader_holds_no_more_for_a_long_tracklet(sampling: str, root: Path) -> None:
    """Bytes of numpy and Python, exactly: the highest while the clips of one tracklet pass."""

    def peak(tracklet: str) -> tuple[int, int]:
        clips = data_of(root, sampling).test_data()
        lengths = clips.stops - clips.starts
        own = [c for c, row in enumerate(clips.rows) if lengths[row] == LENGTHS[tracklet]]
        clips[own[0]]  # what is made once is there
        tracemalloc.start()
        try:
            for clip in own:
                clips[clip]
            return tracemalloc.get_traced_memory()[1], len(own)
        finally:
            tracemalloc.stop()

    (long, clips), (short, fewer) = peak("long"), peak("short")
    assert clips >= 9 * fewer or sampling == "evenly"
    assert short > T * HEIGHT * WIDTH * 3, "decoded pictures are among what is counted"
    assert long < 1.1 * short
