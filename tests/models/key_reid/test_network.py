"""KeyRe-ID, VID-Trans-ReID and TransReID as a whole on a tiny transformer: shapes, shortcuts, and the
findings."""

from typing import Any, TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.key_reid.test_guidance import standing
from vidreid.keypoints.skeleton import COCO17
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid import KeyReID
from vidreid.models.two_branch_transformer import TwoBranchTransformer
from vidreid.models.vid_trans_reid import TransReID, VidTransReID

IDENTITIES, T, B = 5, 3, 4
PARTS = list(COCO17.parts)
Network = TypeVar("Network", bound=TwoBranchTransformer)


def trunk(**options: Any) -> VisionTransformer:
    return VisionTransformer(
        "vit_tiny_patch16_224", height=128, width=64, stride=16, patch=16, embedding=24, depth=3, heads=2,
        cameras=[1, 2, 3], **({"drop_path": 0.0} | options),
    )  # fmt: skip


def key_reid(**options: Any) -> KeyReID:
    torch.manual_seed(0)
    return lively(KeyReID(IDENTITIES, trunk(), frames=T, **options))


def vid_trans_reid(**options: Any) -> VidTransReID:
    torch.manual_seed(0)
    return lively(VidTransReID(IDENTITIES, trunk(), frames=T, **options))


def lively(network: Network) -> Network:
    """Larger weights and statistics than a new network has, so that attention is not uniform."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "qkv.weight" in name:
                parameter.mul_(4)
        for name, buffer in network.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    return network


@pytest.fixture
def clips() -> Tensor:
    return torch.randn(B, T, 3, 128, 64, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def keypoints() -> Tensor:
    return torch.stack([torch.stack([standing(2.0 * t - b) for t in range(T)]) for b in range(B)])


CAMERAS = torch.tensor([1, 2, 3, 9])

NETWORKS: dict[str, Any] = {
    "key_reid frames": lambda **o: key_reid(**o),
    "key_reid frames divided": lambda **o: key_reid(join="divided", **o),
    "key_reid aligned": lambda **o: key_reid(tokens="aligned", **o),
    "key_reid released tokens": lambda **o: key_reid(tokens="released", **o),
    "key_reid paper": lambda **o: key_reid(tokens="aligned", part_guidance="paper", **o),
    "key_reid released": lambda **o: key_reid(tokens="released", part_guidance="released", **o),
    "vid aligned": lambda **o: vid_trans_reid(**o),
    "vid released": lambda **o: vid_trans_reid(tokens="released", **o),
    "vid stripes": lambda **o: vid_trans_reid(tokens="frames", shuffle=False, parts=2, **o),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_shortcuts_give_the_same_numbers_and_gradients(name: str, clips: Tensor, keypoints: Tensor) -> None:
    """The whole model, in training, fast and slow: outputs, and the gradient by every weight."""
    fast, slow = (NETWORKS[name](shortcuts=shortcuts).double() for shortcuts in (True, False))
    slow.load_state_dict(fast.state_dict())
    gradients = []
    outputs = []
    for network in (fast, slow):
        out = network.train()(clips.double(), keypoints.double(), CAMERAS)
        values = [*out.logits.values(), *out.embeddings.values(), out.frame_scores]
        outputs.append(values)
        loss = sum((value * torch.linspace(-1, 1, value.numel()).view_as(value)).sum() for value in values)
        loss.backward()
        gradients.append({key: p.grad for key, p in network.named_parameters()})
    for one, other in zip(*outputs, strict=True):
        torch.testing.assert_close(one, other)
    for key in gradients[0]:
        one, other = gradients[0][key], gradients[1][key]
        assert (one is None) == (other is None), key
        if one is not None:
            torch.testing.assert_close(one, other, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_trained(name: str, clips: Tensor, keypoints: Tensor) -> None:
    """No dead block: but for the frozen biases of necks, every weight gets a gradient."""
    network = NETWORKS[name]().train()
    out = network(clips, keypoints, CAMERAS)
    sum(value.square().sum() for value in [*out.logits.values(), *out.embeddings.values()]).backward()
    without = [key for key, p in network.named_parameters() if p.grad is None]
    assert without == [f"necks.{head}.bias" for head in out.logits]


def test_heads_and_shapes(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid(tokens="aligned")
    out = network(clips, keypoints, CAMERAS)
    assert list(out.logits) == list(out.embeddings) == ["global", *PARTS]
    assert all(logit.shape == (B, IDENTITIES) for logit in out.logits.values())
    assert out.embeddings["global"].shape == (B, 24)
    assert out.embeddings["head"].shape == (B, 24 * T)
    assert network.embedding_sizes == {"global": 24, "part": 24 * T}
    assert network.descriptor_size == 24 + 6 * 24 * T
    assert network.describe(clips, keypoints, CAMERAS).shape == (B, network.descriptor_size)
    assert out.frame_scores is not None
    assert out.frame_scores.shape == (B, T)
    parts = vid_trans_reid(parts=4)(clips, None, CAMERAS)
    assert list(parts.logits) == ["global", "stripe_1", "stripe_2", "stripe_3", "stripe_4"]


def test_a_descriptor_by_hand(clips: Tensor, keypoints: Tensor) -> None:
    """Necks in evaluation, then parts divided by their number, or unit vectors, or no necks at all."""
    for options in ({"join": "divided"}, {"join": "unit"}, {"join": "divided", "neck": "before"}):
        network = vid_trans_reid(**options).eval()
        with torch.no_grad():
            vectors, _ = network.vectors(clips, None, CAMERAS)
            pieces = []
            for name, vector in vectors.items():
                neck = network.necks[name]
                if "neck" not in options:
                    vector = (vector - neck.running_mean) / (neck.running_var + 1e-5).sqrt()
                if options["join"] == "unit":
                    vector = vector / vector.norm(dim=1, keepdim=True)
                pieces.append(vector if name == "global" or options["join"] == "unit" else vector / 4)
            torch.testing.assert_close(network.describe(clips, None, CAMERAS), torch.cat(pieces, 1))


@pytest.mark.parametrize("tokens", ["released", "aligned"])
def test_finding_released_parts_are_one_vector(tokens, clips: Tensor, keypoints: Tensor) -> None:
    """With the released guidance and real poses all six part vectors are the same: cosine at least 0.9999."""
    network = key_reid(tokens=tokens, part_guidance="released").eval()
    with torch.no_grad():
        vectors, _ = network.vectors(clips, keypoints, CAMERAS)
    for a in PARTS:
        for b in PARTS:
            assert F.cosine_similarity(vectors[a], vectors[b]).min() >= 0.9999
    fixed = key_reid(tokens=tokens).eval()
    with torch.no_grad():
        apart, _ = fixed.vectors(clips, keypoints, CAMERAS)
    assert F.cosine_similarity(apart["head"], apart["left_leg"]).max() < 0.999


def test_finding_positive_maps_do_not_reach_the_released_descriptor(clips: Tensor, keypoints: Tensor) -> None:
    """Whatever positive numbers the maps hold, the descriptor stays; their sign alone is heard."""
    network = key_reid(tokens="released", part_guidance="released").eval()
    described = []
    generator = torch.Generator().manual_seed(7)
    for maps in (
        torch.ones(B, T, 6, 32),
        torch.full((B, T, 6, 32), 0.05),
        torch.rand(B, T, 6, 32, generator=generator) + 0.05,
        -torch.ones(B, T, 6, 32),
    ):
        network.guidance.frame_maps = lambda keypoints, maps=maps: maps
        with torch.no_grad():
            described.append(network.describe(clips, keypoints, CAMERAS))
    ones, small, random, negative = described
    assert (ones - small).norm() / ones.norm() < 1e-3
    assert (ones - random).norm() / ones.norm() < 1e-3
    assert (ones - negative).norm() / ones.norm() > 0.02


def test_finding_the_papers_maps_are_taken_away_too(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid(tokens="aligned", part_guidance="paper").eval()
    generator = torch.Generator().manual_seed(8)
    maps = [torch.rand(B, T, 6, 32, generator=generator) + 0.05 for _ in range(2)]
    vectors = []
    for each in maps:
        network.guidance.frame_maps = lambda keypoints, each=each: each
        with torch.no_grad():
            vectors.append(network.vectors(clips, keypoints, CAMERAS)[0])
    for part in PARTS:
        assert F.cosine_similarity(vectors[0][part], vectors[1][part]).min() > 0.9999


@pytest.mark.parametrize("tokens", ["frames", "aligned"])
def test_fixed_moving_a_joint_changes_its_part_and_no_other(tokens, clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid(tokens=tokens).eval()
    moved = keypoints.clone()
    moved[:, :, 10, 1] -= 40  # the right wrist goes up
    with torch.no_grad():
        before, after = (network.vectors(clips, k, CAMERAS)[0] for k in (keypoints, moved))
    for name in before:
        change = (before[name] - after[name]).norm() / before[name].norm()
        if name == "right_arm":
            assert change > 1e-2
        else:
            assert torch.equal(before[name], after[name]), name


def test_fixed_reads_the_pixels_under_its_part(clips: Tensor, keypoints: Tensor) -> None:
    """Other pixels at the feet change the legs more than the head. (One block: trunks mix all patches.)"""
    torch.manual_seed(0)
    backbone = VisionTransformer(
        "vit_tiny_patch16_224", height=128, width=64, stride=16, patch=16, embedding=24, depth=1, heads=2,
        camera=False, drop_path=0.0,
    )  # fmt: skip
    network = KeyReID(IDENTITIES, backbone, frames=T).eval()
    other = clips.clone()
    other[..., 96:, :] = torch.randn(B, T, 3, 32, 64, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        before, after = (network.vectors(images, keypoints, None)[0] for images in (clips, other))
    change = {name: float((before[name] - after[name]).norm()) for name in PARTS}
    assert change["left_leg"] > 20 * change["head"]


def test_shift_and_shuffle_change_nothing_but_the_released_weights(clips: Tensor, keypoints: Tensor) -> None:
    """All parts read all rows, and attention does not mind their order."""
    for guidance, tokens, changes in (
        ("fixed", "frames", False),
        ("fixed", "aligned", False),
        ("paper", "aligned", False),
        ("released", "aligned", True),
    ):
        shuffled, plain = (
            key_reid(tokens=tokens, part_guidance=guidance, shuffle=shuffle).eval()
            for shuffle in (True, False)
        )
        if changes:  # real maps are negative everywhere but at single patches; these have both signs
            maps = torch.randn(B, T, 6, 32, generator=torch.Generator().manual_seed(3))
            for network in (shuffled, plain):
                network.guidance.frame_maps = lambda keypoints, maps=maps: maps
        with torch.no_grad():
            one, other = (network.describe(clips, keypoints, CAMERAS) for network in (shuffled, plain))
        assert torch.allclose(one, other, atol=1e-5) != changes, guidance


def test_parts_that_do_not_show_are_flagged_and_zero(clips: Tensor, keypoints: Tensor) -> None:
    keypoints[2, :, [13, 15], 2] = 0.0
    network = key_reid().eval()
    shown = network.visible_segments(keypoints)
    assert shown is not None
    hidden = 1 + PARTS.index("left_leg")
    assert (~shown).nonzero().tolist() == [[2, hidden]]
    with torch.no_grad():
        segments = network.describe(clips, keypoints, CAMERAS).split(list(network.segments or ()), dim=1)
    assert not segments[hidden][2].any()
    assert all(segment[b].norm() == pytest.approx(1.0) for i, segment in enumerate(segments) for b in range(B)
               if (b, i) != (2, hidden))  # fmt: skip
    out = network.train()(clips, keypoints, CAMERAS)
    assert out.visible["left_leg"].tolist() == [True, True, False, True]
    assert list(out.visible) == PARTS
    for other in (key_reid(tokens="aligned", part_guidance="paper"), vid_trans_reid()):
        assert other.segments is None
        assert other.visible_segments(keypoints) is None
        assert not other.shown(keypoints)


def test_the_expected_share_of_a_segment() -> None:
    """Unit vectors count alike; behind necks a segment's share is its size, parts being divided by their
    number."""
    assert key_reid().segment_weights == (1.0,) * 7
    divided = key_reid(tokens="aligned", join="divided")
    assert divided.segment_weights == (24.0, *[24 * T / 36] * 6)


def test_clips_of_any_length_under_frames(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid().eval()
    with torch.no_grad():
        assert network.describe(clips[:, :2], keypoints[:, :2], CAMERAS).shape == (B, network.descriptor_size)
        longer = torch.cat([clips, clips], 1), torch.cat([keypoints, keypoints], 1)
        twice, once = network.describe(*longer, CAMERAS), network.describe(clips, keypoints, CAMERAS)
    # The same frames twice: of the parts only the token's own share of the attention changes.
    for name, one, other in zip(PARTS, *(d[:, 24:].chunk(6, 1) for d in (twice, once)), strict=True):
        assert F.cosine_similarity(one, other).min() > 0.98, name
    with pytest.raises(ValueError, match=r"built for clips of 3 frames and got 2: set data\.clip_length"):
        key_reid(tokens="aligned")(clips[:, :2], keypoints[:, :2], CAMERAS)


@pytest.mark.parametrize("branch", ["global_branch", "local_branch"])
def test_each_branch_alone(branch: str, clips: Tensor, keypoints: Tensor) -> None:
    whole, alone = key_reid(), key_reid(**{branch: False})
    alone.load_state_dict(whole.state_dict(), strict=False)
    with torch.no_grad():
        vectors = whole.eval().vectors(clips, keypoints, CAMERAS)[0]
        left = alone.eval().vectors(clips, keypoints, CAMERAS)[0]
        assert alone.describe(clips, keypoints, CAMERAS).shape == (B, alone.descriptor_size)
    assert list(left) == (PARTS if branch == "global_branch" else ["global"])
    for name, vector in left.items():
        torch.testing.assert_close(vector, vectors[name])


def test_unknown_cameras_get_the_mean(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid().eval()
    with torch.no_grad():
        nobody = network.describe(clips, keypoints, None)
        stranger = network.describe(clips, keypoints, torch.tensor([9, 9, 9, 9]))
        known = network.describe(clips, keypoints, torch.tensor([1, 1, 1, 1]))
        by_frame = network.describe(clips, keypoints, torch.full((B, T), 1))
    torch.testing.assert_close(nobody, stranger)
    torch.testing.assert_close(known, by_frame)
    assert (nobody - known).abs().max() > 1e-4


def test_transreid_takes_frames_as_images(clips: Tensor) -> None:
    torch.manual_seed(0)
    network = TransReID(IDENTITIES, trunk(), parts=2).eval()
    with torch.no_grad():
        out = network(clips, None, CAMERAS)
        frames = torch.stack([network.describe(clips[:, t : t + 1], None, CAMERAS) for t in range(T)], 1)
        torch.testing.assert_close(network.describe(clips, None, CAMERAS), frames.mean(1))
    assert {name: tuple(logit.shape) for name, logit in out.logits.items()} == dict.fromkeys(
        ("global", "stripe_1", "stripe_2"), (B, T, IDENTITIES)
    )
    assert out.frame_scores is None
    torch.testing.assert_close(network.local_block.state_dict(), network.global_block.state_dict())


def test_an_exported_network_describes_the_same(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid()
    exported = network.exported()
    with torch.no_grad():
        expected = network.eval().describe(clips, keypoints, CAMERAS)
        assert torch.equal(exported.describe(clips, keypoints, CAMERAS), expected)
    assert not [key for key in exported.state_dict() if key.startswith("head")]
    assert network.head is not None, "the original keeps its classifiers"
    assert sum(p.numel() for p in exported.parameters()) == network.describing_parameters()
    with pytest.raises(RuntimeError, match="exported for description only"):
        exported(clips, keypoints, CAMERAS)


def test_every_guidance_describes_with_keypoints() -> None:
    """Also those under which no part is ever left out; runs of patches need none."""
    for network in (key_reid(), key_reid(tokens="aligned", part_guidance="paper")):
        assert network.describes_with_keypoints
        assert network.exported().describes_with_keypoints
    assert not key_reid(local_branch=False).describes_with_keypoints
    assert not vid_trans_reid().exported().describes_with_keypoints


@pytest.mark.slow
def test_training_passes_trace_as_one_graph(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid().train()
    before = network(clips, keypoints, CAMERAS)
    network.compile(fullgraph=True, backend="aot_eager")
    after = network(clips, keypoints, CAMERAS)
    for name, logit in before.logits.items():
        torch.testing.assert_close(after.logits[name], logit, atol=1e-4, rtol=1e-4)
    after.logits["head"].sum().backward()


def test_half_precision_comes_close(clips: Tensor, keypoints: Tensor) -> None:
    network = key_reid().eval()
    with torch.no_grad():
        whole = network.describe(clips, keypoints, CAMERAS)
        with torch.autocast("cpu", torch.bfloat16):
            half = network.describe(clips, keypoints, CAMERAS).float()
    assert F.cosine_similarity(whole, half).min() > 0.99


def test_refusals(clips: Tensor) -> None:
    with pytest.raises(ValueError, match="KeyRe-ID reads keypoints and the batch has none"):
        key_reid()(clips, None, CAMERAS)
    with pytest.raises(ValueError, match="Without global_branch and local_branch nothing describes a clip"):
        key_reid(global_branch=False, local_branch=False)
    with pytest.raises(ValueError, match="Unknown neck 'none'"):
        vid_trans_reid(neck="none")
    with pytest.raises(ValueError, match="Unknown join 'sum'"):
        vid_trans_reid(join="sum")
    with pytest.raises(ValueError, match="Unknown tokens 'flat'"):
        vid_trans_reid(tokens="flat")
    with pytest.raises(ValueError, match="Unknown skeleton 'hand'"):
        key_reid(joints="hand")
