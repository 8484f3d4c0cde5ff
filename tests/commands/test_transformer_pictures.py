"""Attention, part maps and ranked lists from real, tiny runs of transformers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from PIL import Image

from support.runs import SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.pictures import compared, draw
from vidreid.commands.pictures.attention import look
from vidreid.commands.pictures.opening import normalizer
from vidreid.commands.train import train
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.vid_trans_reid import TransReID
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.palette import Frame
from vidreid.visualize.strips import RankedRow, ranked_strips

TINY = (
    "data.height=64", "data.width=32", "data.identities_per_batch=2", "data.tracklets_per_identity=2",
    "model.backbone.name=vit_tiny_patch16_224",
    "model.backbone.embedding=24", "model.backbone.depth=2", "model.backbone.heads=2",
    "model.backbone.patch=8", "model.backbone.stride=8", "model.backbone.pretrained=false",
)  # fmt: skip


def asked(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("pictures", [*overrides])


def trained(root: Path, run: Path, *overrides: str) -> Path:
    train(compose_training(root, run, *SMALL, *overrides[:1], *TINY, *overrides[1:], "debug=fast"))
    return run


@pytest.fixture(scope="module")
def key_reid(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("pictures") / "key_reid"
    return trained(tiny_root, run, "experiment=key_reid_mars", "pixels.mean=[0.4,0.5,0.6]")


@pytest.fixture(scope="module")
def vid_trans_reid(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("pictures") / "vid_trans_reid"
    # Another input size than the other run: ranked lists can be compared all the same.
    return trained(tiny_root, run, "experiment=vid_trans_reid_mars", "data.height=96")


def test_attention_of_key_reid(key_reid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = draw(asked("figure=attention", f"run={key_reid}", "count=2", "frames=3"))
    assert file == key_reid / "pictures" / "attention.png"
    sheet = np.asarray(Image.open(file))
    # A row of frames and seven of branches, 144 pixels high, of two blocks of three frames.
    assert sheet.shape[0] > 8 * 146
    assert sheet.shape[1] > 2 * 3 * 72
    assert "attention of KeyReID, tracklets" in capsys.readouterr().out


def test_attention_of_stripes_needs_no_keypoints_and_whole_clips(vid_trans_reid: Path) -> None:
    run = f"run={vid_trans_reid}"
    sheet = np.asarray(Image.open(draw(asked("figure=attention", run, "count=1"))))
    assert 6 * 146 < sheet.shape[0] < 7 * 146
    with pytest.raises(ValueError, match="reads clips of 2 frames and no others, but frames=5"):
        draw(asked("figure=attention", run, "frames=5"))


def test_part_maps(key_reid: Path, vid_trans_reid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # No weights are read for them: a checkpoint that is not there is no error.
    file = draw(asked("figure=part_maps", f"run={key_reid}", "count=2", "frames=2", "checkpoint=none"))
    assert file == key_reid / "pictures" / "part_maps.png"
    assert np.asarray(Image.open(file)).shape[0] > 2 * 256
    assert "part_guidance=fixed, maps=gaussian" in capsys.readouterr().out
    with pytest.raises(ValueError, match="is a run of VidTransReID: choose a run of key_reid"):
        draw(asked("figure=part_maps", f"run={vid_trans_reid}"))


def test_ranked_lists_of_two_runs(
    key_reid: Path, vid_trans_reid: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RankedRow] = []

    def watched(rows: Sequence[RankedRow]) -> Frame:
        seen.extend(rows)
        return ranked_strips(rows)

    monkeypatch.setattr(compared, "ranked_strips", watched)
    settings = ("figure=ranked", "count=2", "ranks=200", "frames=1")
    file = draw(asked(*settings, f"run={key_reid}", f"baseline={vid_trans_reid}"))
    assert file == key_reid / "pictures" / "ranked_compared.png"
    assert file.is_file()
    assert [row.notes[0] for row in seen] == 2 * ["VidTransReID", "KeyReID"]
    assert [row.same_query for row in seen] == [False, True, False, True]
    for upper, lower in zip(seen[::2], seen[1::2], strict=True):
        assert upper.query.captions == lower.query.captions
        # Each run shows what its own network is given.
        assert upper.query.frames[0].shape == (96, 32, 3)
        assert lower.query.frames[0].shape == (64, 32, 3)
    for row in seen:  # every gallery item that counts is there, so the scores can be had by counting
        places = np.flatnonzero(row.right) + 1
        precision = float(np.mean(np.arange(1, len(places) + 1) / places))
        first = "rank-1 right" if places[0] == 1 else f"first right: rank {places[0]}"
        assert row.notes[1:] == (first, f"AP {100 * precision:.1f} %")
    out = capsys.readouterr().out
    assert "VidTransReID" in out
    assert "mAP" in out


@pytest.mark.slow
def test_runs_that_cannot_be_compared_say_why(
    key_reid: Path, tiny_root: Path, tmp_path: Path, repo_root: Path
) -> None:
    other = tmp_path / "other"
    trained(tiny_root, other, "experiment=vid_trans_reid_mars", "data.protocol=queries_removed")
    status, out = call(
        repo_root, "pictures.py", "figure=ranked", f"run={key_reid}", f"baseline={other}", cwd=tmp_path
    )
    assert status == 1
    assert out.strip().startswith("error: The baseline")
    assert "(protocol: queries_removed and official): choose runs of one root and protocol." in out
    assert "Traceback" not in out


def test_pixels_are_normalised_as_the_run_says(key_reid: Path, vid_trans_reid: Path) -> None:
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    own = normalizer(RunFolder(key_reid))(white)
    assert own.shape == (1, 3, 2, 2)
    torch.testing.assert_close(own[0, :, 0, 0], (1 - torch.tensor([0.4, 0.5, 0.6])) / 0.5)
    usual = normalizer(RunFolder(vid_trans_reid))(white)
    torch.testing.assert_close(usual[0, :, 1, 1], torch.ones(3))  # 0.5 and 0.5, as its weights want them


def test_trans_reid_looks_at_every_frame_alone() -> None:
    torch.manual_seed(0)
    trunk = VisionTransformer(
        "vit_tiny_patch16_224", height=32, width=16, stride=None, patch=8, embedding=12, depth=2, heads=3,
        camera="off",
    )  # fmt: skip
    network = TransReID(5, trunk, parts=2).eval()
    images = torch.randn(3, 3, 32, 16)
    together = look(network, images, None, camera=1)
    assert [one.shape for one in together] == 3 * [(3, 4, 2)]
    for frame in range(3):
        alone = look(network, images[frame : frame + 1], None, camera=1)
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one[frame], other[0], rtol=1e-4, atol=1e-6)
