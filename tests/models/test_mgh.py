"""MGH with narrow trunks: its parts, its place in KMPNet, and what is exported of it."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.triplet import TripletLoss
from vidreid.models.backbones.staged_resnet import StagedResNet
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.mgh import MGH, NonLocalResNet
from vidreid.models.visual_network import VisualNetwork, export_visual

NARROW = (8, 8, 16, 16)
IDENTITIES = 7
PIDS = torch.tensor([3, 3, 5, 5])


def mgh(backbone="resnet18", **options) -> MGH:
    torch.manual_seed(0)
    return MGH(IDENTITIES, backbone, channels=NARROW, width=12, **options)


@pytest.fixture
def clips() -> Tensor:
    return torch.randn(4, 3, 3, 128, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def keypoints() -> Tensor:
    generator = torch.Generator().manual_seed(2)
    places = torch.rand(4, 3, 12, 2, generator=generator) * torch.tensor([32.0, 128.0])
    return torch.cat([places, torch.ones(4, 3, 12, 1)], -1)


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet10t", []),
        ("resnet18", ["layer2_1", "layer3_1"]),
        ("resnet50", ["layer2_1", "layer2_3", "layer3_1", "layer3_3", "layer3_5"]),
        ("resnet101", ["layer2_1", "layer2_3", "layer3_1", "layer3_3", "layer3_5"]),
    ],
)
def test_where_the_non_local_blocks_stand(name, blocks) -> None:
    with torch.device("meta"):
        assert list(NonLocalResNet(name).non_local) == blocks


def test_numbers_of_parameters() -> None:
    """The release has 44.18 M, of which 640,625 are a classifier that it does not use; the trunk 30.87 M."""
    with torch.device("meta"):
        network = MGH(625)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 2) == round(44.18 - 0.640625, 2)
    assert round(sum(p.numel() for p in network.backbone.parameters()) / 1e6, 2) == 30.87


def test_a_new_trunk_is_the_plain_one_without_its_first_relu(clips) -> None:
    own, plain = NonLocalResNet("resnet18", channels=NARROW), StagedResNet("resnet18", channels=NARROW)
    plain.load_state_dict({k: v for k, v in own.state_dict().items() if not k.startswith("non_local.")})
    with torch.no_grad():
        assert not torch.equal(own(clips[0])[0], plain(clips[0])[0])
        assert (own(clips[0])[0] < 0).any()
        plain.act1 = nn.Identity()
        for ours, theirs in zip(own(clips[0]), plain(clips[0]), strict=True):
            assert torch.equal(ours, theirs)


def test_a_non_local_block_acts_on_the_rest_of_its_layer_and_on_the_tap(clips) -> None:
    network = NonLocalResNet("resnet18", channels=NARROW).eval()
    with torch.no_grad():
        before = network(clips[0])
        network.non_local["layer2_1"].norm.bias.fill_(1.0)
        after = network(clips[0])
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    torch.testing.assert_close(after[2], before[2] + 1)


@pytest.mark.parametrize("backbone", ["resnet10t", "resnet18"])
def test_shapes(backbone, clips) -> None:
    network = VisualNetwork(mgh(backbone))
    outputs = network(clips)
    names = ["global", "stripes_2", "stripes_4", "stripes_8"]
    assert {name: tuple(logit.shape) for name, logit in outputs.logits.items()} == dict.fromkeys(
        names, (4, IDENTITIES)
    )
    size = 16 + 3 * 12
    assert network.visual.descriptor_size == size
    assert outputs.embeddings["visual"].shape == (4, size)
    assert network.eval().describe(clips).shape == (4, size)
    assert network.visual.channels[1:] == NARROW


def test_the_vector_by_hand(clips) -> None:
    """Global part, order of the stripes' nodes and mean over nodes, from the last map."""
    network = mgh().eval()
    with torch.no_grad():
        feature_map = network.stages(clips.flatten(0, 1))[-1]
        joined = network.join(feature_map, 3)
        mean = torch.stack([feature_map[3 * b : 3 * b + 3].mean((0, 2, 3)) for b in range(4)])
        torch.testing.assert_close(joined[:, :16], network.global_norm(F.relu(F.normalize(mean))))
        for graph, stripes in enumerate((2, 4, 8)):
            rows = feature_map.shape[2] // stripes
            nodes = torch.stack(
                [
                    torch.stack(
                        [
                            feature_map[3 * b + t, :, s * rows : (s + 1) * rows].mean((1, 2))
                            for t in range(3)
                            for s in range(stripes)
                        ]
                    )
                    for b in range(4)
                ]
            )
            for layer in network.graphs[graph]:
                nodes = layer(nodes, 3)
            start = 16 + 12 * graph
            torch.testing.assert_close(joined[:, start : start + 12], nodes.mean(1))
        outputs = network.outputs([feature_map], 3)
        neck = network.neck(joined)
        torch.testing.assert_close(network.describe([feature_map], 3), neck)
        torch.testing.assert_close(outputs.embeddings["visual"], joined)
        torch.testing.assert_close(outputs.logits["stripes_4"], network.head[2](neck[:, 28:40]))


def test_clips_do_not_see_each_other(clips) -> None:
    network = VisualNetwork(mgh()).eval()
    with torch.no_grad():
        torch.testing.assert_close(network.describe(clips)[2:3], network.describe(clips[2:3]))


def test_start_values() -> None:
    torch.manual_seed(0)
    network = MGH(500, "resnet18", channels=NARROW, width=256)
    assert network.head[3].weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert not network.head[3].bias.any()


def test_a_training_step_of_mgh_and_of_kmpnet_with_it(clips, keypoints) -> None:
    graph = partial(GraphBranch, IDENTITIES, layers=(1, 1, 2, 1), width=8, embedding=16, dropout=0.0)
    network = KMPNet(mgh(), graph)
    recipe = LossRecipe(
        {
            "identity": IdentityLoss(reduction="sum", heads="visual"),
            "graph": IdentityLoss(heads="graph"),
            "triplet": TripletLoss(),
        }
    )
    outputs = network(clips, keypoints)
    plain = VisualNetwork(mgh())(clips)
    for name, logit in plain.logits.items():
        assert torch.equal(outputs.logits[name], logit)
    assert list(outputs.logits) == [*plain.logits, *(f"graph_{i}" for i in range(1, 6))]
    total, log = recipe(outputs.logits, outputs.embeddings, PIDS)
    parts = [log[f"identity/{name}"] for name in plain.logits]
    graph_mean = torch.stack([log[f"graph/graph_{i}"] for i in range(1, 6)]).mean()
    torch.testing.assert_close(total.detach(), sum(parts) + graph_mean + log["triplet"])

    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(5):
        outputs = network(clips, keypoints)
        value, _ = recipe(outputs.logits, outputs.embeddings, PIDS)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert value < total
    # Blocks whose last norm starts at zero learn from the second step on. A bias before a batch norm changes
    # nothing: rounding leaves a gradient there or not.
    learning = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    every = {name for name, p in network.named_parameters() if p.requires_grad and not name.endswith("bias")}
    assert every <= learning


def test_export_keeps_the_descriptor_and_no_classifiers(clips, keypoints) -> None:
    network = KMPNet(mgh(), partial(GraphBranch, IDENTITIES, layers=(1, 1, 1, 1), width=8, embedding=8))
    network(clips, keypoints)
    exported = export_visual(network)
    network.eval()
    with torch.no_grad():
        assert torch.equal(exported.describe(clips), network.describe(clips))
    kept = set(exported.state_dict())
    assert kept == {key for key in network.state_dict() if not key.startswith(("graph.", "visual.head."))}
    with pytest.raises(RuntimeError, match="exported for description only"):
        exported(clips)


class Describe(nn.Module):
    def __init__(self, network: VisualNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.describe(images)


def test_the_descriptor_is_exportable_for_any_number_of_clips(clips) -> None:
    network = export_visual(VisualNetwork(mgh()))
    dynamic = {"images": {0: torch.export.Dim("clips", min=1, max=64)}}
    program = torch.export.export(Describe(network), (clips,), dynamic_shapes=dynamic)
    more = torch.randn(5, *clips.shape[1:])
    with torch.no_grad():
        torch.testing.assert_close(program.module()(more), network.describe(more))


def test_memory_format_and_copies_change_no_numbers(clips) -> None:
    network = VisualNetwork(mgh()).eval()
    other = copy.deepcopy(network).to(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(other.describe(clips), network.describe(clips), atol=1e-4, rtol=1e-4)


def test_only_resnets() -> None:
    with pytest.raises(ValueError, match="is no ResNet"):
        MGH(3, "convnext_tiny")
