"""The released set-up of KeyRe-ID as resolved from the composed configuration, and the default beside it."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from support.runs import compose_training

RELEASED = {
    "model.tokens": "released",
    "model.part_guidance": "released",
    "model.shuffle": True,
    "model.shift": 5,
    "model.groups": 2,
    "model.join": "divided",
    "model.neck": "after",
    "model.backbone.name": "vit_base_patch16_224.orig_in21k_ft_in1k",
    "model.backbone.pretrained": True,
    "model.backbone.stride": 16,
    "model.backbone.camera": "on",
    "model.backbone.camera_weight": 3.0,
    "model.backbone.drop_path": 0.1,
    "pixels.mean": [0.5, 0.5, 0.5],
    "pixels.std": [0.5, 0.5, 0.5],
    "data.height": 256,
    "data.width": 128,
    "data.clip_length": 4,
    "data.test_clip_length": 4,
    "data.sampler": "identity",
    "data.identities_per_batch": 4,
    "data.tracklets_per_identity": 4,
    "data.flip": 0.5,
    "data.crop": 10,
    "data.erase": 0.5,
    "data.erase_per_frame": True,
    "data.independent_frames": True,
    "data.test_sampling": "dense",
    "data.test_max_clips": 41,
    "data.protocol": "queries_removed",
    "loss.weights": {"center": 0.0005, "attention": 1.0},
    "loss.terms.identity.smoothing": 0.1,
    "loss.terms.identity.global_weight": 0.75,
    "loss.terms.triplet.margin": None,
    "loss.terms.triplet.lone_clips": "count",
    "loss.terms.center.trained": "global",
    "optimizer.lr": 0.008,
    "optimizer.bias_lr": 0.016,
    "optimizer.momentum": 0.9,
    "optimizer.weight_decay": 1e-4,
    "loss_optimizer.lr": 0.5,
    "schedule.warmup_epochs": 5,
    "schedule.start": 8e-5,
    "schedule.floor": 1.6e-5,
    "trainer.max_epochs": 120,
}
"""Facts of the release."""

DEFAULT = RELEASED | {
    "model.tokens": "frames",
    "model.part_guidance": "fixed",
    "model.join": None,
    "data.independent_frames": False,
    "data.test_max_clips": None,
    "data.protocol": "official",
    "loss.terms.triplet.lone_clips": "skip",
    "loss.terms.center.trained": "both",
    "select": "last",
}

PAPER = DEFAULT | {
    "model.tokens": "aligned",
    "model.part_guidance": "paper",
    "model.join": "divided",
    "loss.weights": {"center": 0.0005, "attention": 0.75},
}


def told(config: DictConfig, key: str) -> Any:
    value = OmegaConf.select(config, key)
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


@pytest.mark.parametrize(
    ("variant", "wanted"), [("key_reid_released", RELEASED), ("key_reid_paper", PAPER), ("null", DEFAULT)]
)
def test_the_set_up(variant: str, wanted: dict[str, Any], tmp_path: Path) -> None:
    config = compose_training(
        tmp_path, tmp_path, "experiment=key_reid_mars", *([] if variant == "null" else [f"variant={variant}"])
    )
    assert {key: told(config, key) for key in wanted} == wanted


def test_batches_of_the_parents(tmp_path: Path) -> None:
    """VID-Trans-ReID has 16 identities of 4 tracklets in a batch, TransReID 16 of 4 images."""
    for method, frames in (("vid_trans_reid", 4), ("trans_reid", 1)):
        data = compose_training(tmp_path, tmp_path, f"experiment={method}_mars").data
        assert (data.identities_per_batch, data.tracklets_per_identity, data.clip_length) == (16, 4, frames)
