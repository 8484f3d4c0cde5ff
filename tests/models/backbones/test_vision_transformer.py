"""The trunk of frames: patches, positions, cameras, and weights from files under timm's names."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from vidreid.models.backbones import weights
from vidreid.models.backbones.vision_transformer import VisionTransformer, resize_positions

TINY: dict[str, Any] = {"patch": 8, "embedding": 24, "depth": 3, "heads": 2}


def tiny(**options: Any) -> VisionTransformer:
    torch.manual_seed(0)
    options = {"height": 64, "width": 32, "stride": 8, "camera": "off"} | TINY | options
    return VisionTransformer("vit_tiny_patch16_224", **options)


def timm_vit(size: int | tuple[int, int] = 32) -> Any:
    torch.manual_seed(1)
    return timm.create_model(
        "vit_tiny_patch16_224", img_size=size, patch_size=8, embed_dim=24, depth=3, num_heads=2, num_classes=7
    )


@pytest.fixture
def weights_file(tmp_path: Path) -> Path:
    """A whole ViT of square pictures, with its classifier, as timm saves it."""
    file = tmp_path / "vit.safetensors"
    save_file(timm_vit().state_dict(), file)
    return file


def test_with_timms_weights_it_is_timms_network(tmp_path: Path) -> None:
    """On pictures of the size that the weights are of, the trunk and its last block give timm's features."""
    reference = timm_vit((32, 32)).eval()
    torch.save(reference.state_dict(), tmp_path / "vit.pth")
    trunk = tiny(height=32, width=32, weights=tmp_path / "vit.pth").eval()
    frames = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        block, norm = trunk.take_last_block().eval()
        torch.testing.assert_close(norm(block(trunk(frames))), reference.forward_features(frames))


def test_positions_are_resized_to_the_grid(weights_file: Path) -> None:
    trunk = tiny(weights=weights_file)
    before = timm_vit().pos_embed
    assert trunk.positions.shape == (1, 1 + 8 * 4, 24)
    torch.testing.assert_close(trunk.positions, resize_positions(before, (4, 4), (8, 4)))
    torch.testing.assert_close(trunk.positions[:, 0], before[:, 0])


def test_resizing_by_hand() -> None:
    """From 1x2 to 1x4, half-pixel centres: a, 3/4 a + 1/4 b, 1/4 a + 3/4 b, b."""
    positions = torch.tensor([[[9.0], [1.0], [5.0]]])
    resized = resize_positions(positions, (1, 2), (1, 4))
    torch.testing.assert_close(resized, torch.tensor([[[9.0], [1.0], [2.0], [4.0], [5.0]]]))
    assert resize_positions(positions, (1, 2), (1, 2)) is positions


def test_frames_of_another_size_get_resized_positions() -> None:
    trunk = tiny().eval()
    with torch.no_grad():
        tokens = trunk.embed(torch.zeros(1, 3, 96, 48))
        expected = resize_positions(trunk.positions, (8, 4), (12, 6))
        bias = trunk.project.bias
        torch.testing.assert_close(tokens[:, 1:], expected[:, 1:] + bias)
        assert trunk(torch.zeros(1, 3, 96, 48)).shape == (1, 1 + 72, 24)


def test_overlapping_patches() -> None:
    trunk = VisionTransformer("vit_tiny_patch16_224", stride=12, embedding=24, depth=2, heads=2, camera=False)
    assert trunk.grid == (21, 10), "stride 12 at 256x128, as TransReID"
    frames = torch.randn(1, 3, 256, 128)
    tokens = trunk.embed(frames) - trunk.positions
    # Row 2, column 3 of the patches by hand: pixels 24..39 and 36..51.
    pixels = frames[0, :, 24:40, 36:52]
    by_hand = (trunk.project.weight * pixels).sum((1, 2, 3)) + trunk.project.bias
    torch.testing.assert_close(tokens[0, 1 + 2 * 10 + 3], by_hand, atol=1e-4, rtol=1e-4)


def test_cameras_are_added_to_every_token() -> None:
    trunk = tiny(camera="on", cameras=[1, 4])
    frames = torch.randn(3, 3, 64, 32)
    plain = trunk.embed(frames, torch.tensor([1, 4, 4]))
    assert trunk.cameras is not None
    with torch.no_grad():
        before = trunk.cameras.table.clone()
        trunk.cameras.table[1] += 1.0
    moved = trunk.embed(frames, torch.tensor([1, 4, 4]))
    expected = torch.zeros_like(plain)
    expected[1:] = 3.0  # three times the embedding, [CLS] included
    torch.testing.assert_close(moved - plain, expected, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        trunk.cameras.table.copy_(before)
    assert not any(key.startswith("cameras") for key in tiny(camera="off").state_dict())


def test_the_trunk_ends_before_the_last_block() -> None:
    trunk = tiny()
    assert len(trunk.blocks) == 2
    assert not [key for key in trunk.state_dict() if key.startswith(("norm", "blocks.2", "head"))]
    trunk.take_last_block()
    with pytest.raises(RuntimeError, match="belongs to a branch already"):
        trunk.take_last_block()


def test_imagenet_weights_come_by_their_tag(monkeypatch: pytest.MonkeyPatch, weights_file: Path) -> None:
    asked: list[tuple[str, str]] = []

    def stand_in(name: str, setting: str) -> dict[str, Tensor]:
        asked.append((name, setting))
        return weights.read_state(weights_file)

    monkeypatch.setattr("vidreid.models.backbones.vision_transformer.imagenet_weights", stand_in)
    torch.manual_seed(0)
    trunk = VisionTransformer(
        "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
        pretrained=True,
        height=64,
        width=32,
        stride=8,
        camera=False,
        **TINY,
    )
    assert asked == [("vit_tiny_patch16_224.augreg_in21k_ft_in1k", "model.backbone")]
    torch.testing.assert_close(trunk.cls_token, timm_vit().cls_token)


def test_weights_that_cannot_be_had_name_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *args: None)
    with pytest.raises(ConnectionError, match=r"give a local file by `model\.backbone\.weights=FILE`"):
        weights.imagenet_weights(
            "vit_base_patch16_224.orig_in21k_ft_in1k", reachable=lambda: False, setting="model.backbone"
        )


@pytest.mark.parametrize(
    "name", ["vit_base_patch16_224.orig_in21k_ft_in1k", "vit_small_patch16_224.augreg_in21k_ft_in1k"]
)
def test_the_tags_of_the_configuration_exist(name: str) -> None:
    released = timm.get_pretrained_cfg(name)
    assert released is not None
    assert released.input_size == (3, 224, 224)
    assert tuple(released.mean) == tuple(released.std) == (0.5, 0.5, 0.5), "conf has these means"


def test_refusals(tmp_path: Path, weights_file: Path) -> None:
    with pytest.raises(ValueError, match="timm has no model 'vit_huge_patch7': choose a ViT such as"):
        VisionTransformer("vit_huge_patch7")
    with pytest.raises(ValueError, match="'resnet18' is no plain ViT"):
        VisionTransformer("resnet18")
    with pytest.raises(ValueError, match="is no plain ViT with one"):
        VisionTransformer("vit_small_patch14_reg4_dinov2")
    with pytest.raises(ValueError, match="Unknown camera 'maybe': the camera embedding is on or off"):
        tiny(camera="maybe")
    with pytest.raises(ValueError, match="Frames of 4x32 are smaller than a patch of 8 pixels"):
        tiny(height=4)
    with pytest.raises(ValueError, match=r"does not fit the network.*missing: blocks\.0"):
        state = {k: v for k, v in weights.read_state(weights_file).items() if not k.startswith("blocks.0.")}
        save_file(state, tmp_path / "torn.safetensors")
        tiny(weights=tmp_path / "torn.safetensors")
