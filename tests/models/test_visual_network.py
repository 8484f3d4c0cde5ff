"""Clips as frames, with PCB and the plain ResNet as visual branches."""

import pytest
import torch
import torch.nn.functional as F

from vidreid.models.global_pooled import GlobalPooled
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork, export_visual

NARROW = (8, 8, 16, 16)
IDENTITIES = 7


def pcb(**options) -> PCB:
    torch.manual_seed(0)
    return PCB(IDENTITIES, "resnet18", channels=NARROW, reduced=8, stripes=2, **options)


def plain() -> GlobalPooled:
    torch.manual_seed(0)
    return GlobalPooled(IDENTITIES, "resnet18", channels=NARROW)


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randn(2, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("visual", [pcb, plain])
def test_a_clip_is_the_mean_of_its_frames(visual, clips) -> None:
    network = VisualNetwork(visual()).eval()
    with torch.no_grad():
        described = network.describe(clips)
        frames = torch.stack([network.describe(clips[:, t : t + 1]) for t in range(3)])
    assert described.shape == (2, network.visual.descriptor_size)
    torch.testing.assert_close(described, frames.mean(0))


def test_pcb_descriptor_is_channel_major_with_unit_stripes(clips) -> None:
    visual = pcb().eval()
    with torch.no_grad():
        maps = visual.stages(clips[0])
        described = visual.describe_frames(maps)
    rows = maps[-1].shape[2] // 2
    for stripe in range(2):
        pooled = maps[-1][:, :, stripe * rows : (stripe + 1) * rows].mean((2, 3))
        torch.testing.assert_close(described[:, stripe::2], F.normalize(pooled, dim=1))


@pytest.mark.parametrize(("visual", "names"), [(pcb, ["stripe_1", "stripe_2"]), (plain, ["global"])])
def test_training_outputs(visual, names, clips) -> None:
    network = VisualNetwork(visual())
    outputs = network(clips)
    assert {name: tuple(logit.shape) for name, logit in outputs.logits.items()} == dict.fromkeys(
        names, (2, 3, IDENTITIES)
    )
    assert outputs.embeddings["visual"].shape == (2, network.visual.descriptor_size)
    sum(logit.sum() for logit in outputs.logits.values()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_logits_belong_to_their_clip_and_frame(clips) -> None:
    network = VisualNetwork(pcb()).eval()
    with torch.no_grad():
        together = network(clips).logits["stripe_2"]
        single = network(clips[1:, 2:]).logits["stripe_2"]
    torch.testing.assert_close(together[1, 2], single[0, 0])


@pytest.mark.parametrize("visual", [pcb, plain])
def test_export_keeps_the_descriptor_and_nothing_else(visual, clips) -> None:
    network = VisualNetwork(visual())
    network(clips)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    exported = export_visual(network)
    network.eval()
    with torch.no_grad():
        assert torch.equal(exported.describe(clips), network.describe(clips))
    assert not any(".head." in key for key in exported.state_dict())
    assert {key for key in before if ".head." not in key} == set(exported.state_dict())
    with torch.no_grad():
        next(exported.parameters()).zero_()
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), "the original is untouched"
    with pytest.raises(RuntimeError, match="exported for description only"):
        exported(clips)


def test_other_strides_and_stripes(clips) -> None:
    visual = PCB(IDENTITIES, "resnet18", channels=NARROW, last_stride=2, stripes=3)
    assert visual.scales[-1] == 1 / 32
    assert visual.descriptor_size == 3 * 16
    assert VisualNetwork(visual).eval().describe(clips).shape == (2, 48)
