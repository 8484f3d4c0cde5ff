"""KMPNet as a whole: what the graph changes in training, and that it leaves no trace in what is described."""

import copy
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork, export_visual

NARROW = (8, 8, 16, 16)
IDENTITIES = 7


def visual_branch() -> PCB:
    torch.manual_seed(0)
    return PCB(IDENTITIES, "resnet18", channels=NARROW, reduced=8, dropout=0.0)


def kmpnet(descriptor="visual", **options) -> KMPNet:
    visual = visual_branch()
    torch.manual_seed(1)
    options = {"layers": (1, 1, 2, 1), "width": 8, "embedding": 16, "dropout": 0.0} | options
    return KMPNet(visual, partial(GraphBranch, IDENTITIES, **options), descriptor)


@pytest.fixture
def clips() -> Tensor:
    return torch.randn(2, 3, 3, 64, 32, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def keypoints() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    places = torch.rand(2, 3, 12, 2, generator=generator) * torch.tensor([32.0, 64.0])
    scores = (torch.rand(2, 3, 12, 1, generator=generator) > 0.2).float()
    return torch.cat([places, scores], -1)


def test_heads_and_their_shapes(clips, keypoints) -> None:
    outputs = kmpnet()(clips, keypoints)
    names = [f"stripe_{i}" for i in range(1, 5)] + [f"graph_{i}" for i in range(1, 6)]
    assert list(outputs.logits) == names
    assert all(logit.shape == (2, 3, IDENTITIES) for logit in outputs.logits.values())
    assert outputs.embeddings["graph_5"].shape == (2, 3, 16)
    assert outputs.embeddings["visual"].shape == (2, 64)


def test_the_visual_side_has_the_same_bits_with_and_without_the_graph(clips, keypoints) -> None:
    """Logits and running statistics in training, the descriptor in evaluation, from equal weights."""
    with_graph, without = kmpnet().train(), VisualNetwork(visual_branch()).train()
    outputs, plain = with_graph(clips, keypoints), without(clips)
    for name, logit in plain.logits.items():
        assert torch.equal(outputs.logits[name], logit)
    for key, value in without.visual.state_dict().items():
        assert torch.equal(with_graph.visual.state_dict()[key], value)
    with torch.no_grad():
        described = with_graph.eval().describe(clips, keypoints)
        assert torch.equal(described, without.eval().describe(clips))
        assert torch.equal(described, with_graph.describe(clips))
        assert torch.equal(described, export_visual(with_graph).describe(clips))


def test_every_parameter_learns_and_every_stage_gets_a_gradient_from_the_graph(clips, keypoints) -> None:
    network = kmpnet()
    outputs = network(clips, keypoints)
    sum((logit**2).sum() for logit in outputs.logits.values()).backward()
    without = [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert not without

    network.zero_grad()
    graph = network(clips, keypoints).logits
    sum((graph[f"graph_{i}"] ** 2).sum() for i in range(1, 6)).backward()
    for stage in ("conv1", "layer1", "layer2", "layer3", "layer4"):
        parameters = getattr(network.visual.backbone, stage).parameters()
        assert any(p.grad is not None and p.grad.any() for p in parameters), stage


def test_state_dicts_share_the_visual_names() -> None:
    """A first stage without the graph gives all visual weights of the second, and none of the graph's."""
    network, first = kmpnet(), VisualNetwork(visual_branch())
    assert set(network.visual.state_dict()) == set(first.visual.state_dict())
    assert {key for key in network.state_dict() if key.startswith("visual.")} == set(first.state_dict())
    rest = {key for key in network.state_dict() if not key.startswith("visual.")}
    assert rest
    assert all(key.startswith("graph.") for key in rest)


class Describe(nn.Module):
    def __init__(self, network: VisualNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.describe(images)


def operations(program: torch.export.ExportedProgram) -> list[str]:
    return [str(node.target) for node in program.graph.nodes if node.op == "call_function"]


def test_an_exported_program_holds_no_operation_of_the_graph(clips) -> None:
    network = kmpnet().eval()
    plain = VisualNetwork(visual_branch()).eval()
    program = torch.export.export(Describe(network), (clips,))
    assert operations(program) == operations(torch.export.export(Describe(plain), (clips,)))
    assert not any("softmax" in name or "index" in name or "bmm" in name for name in operations(program))
    with torch.no_grad():
        torch.testing.assert_close(program.module()(clips), network.describe(clips))

    dynamic = {
        "images": {0: torch.export.Dim("clips", min=1, max=64), 1: torch.export.Dim("frames", min=1, max=64)}
    }
    program = torch.export.export(Describe(export_visual(network)), (clips,), dynamic_shapes=dynamic)
    assert not any(".graph." in key or ".head." in key for key in program.state_dict)
    longer = torch.randn(3, 5, 3, 64, 32)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(longer), network.describe(longer))


def test_training_without_keypoints_is_refused(clips) -> None:
    with pytest.raises(ValueError, match="KMPNet trains with keypoints and the batch has none"):
        kmpnet()(clips)


def test_the_graphs_own_descriptor(clips, keypoints) -> None:
    graph, visual = kmpnet(descriptor="graph").eval(), kmpnet().eval()
    with torch.no_grad():
        described = graph.describe(clips, keypoints)
        single = torch.stack([graph.describe(clips[:, t : t + 1], keypoints[:, t : t + 1]) for t in range(3)])
        joined = kmpnet(descriptor="joined").eval().describe(clips, keypoints)
    assert described.shape == (2, 5 * 16)
    torch.testing.assert_close(single.norm(dim=2), torch.ones(3, 2))
    assert described.norm(dim=1).max() <= 1 + 1e-6
    sides = [visual.describe(clips), described]
    torch.testing.assert_close(
        joined, torch.cat([side / side.norm(dim=1, keepdim=True) for side in sides], 1)
    )


def test_the_graph_describes_only_with_keypoints(clips) -> None:
    with pytest.raises(ValueError, match="descriptor=graph reads keypoints and the batch has none"):
        kmpnet(descriptor="graph").describe(clips)
    with pytest.raises(ValueError, match="Unknown descriptor 'both'"):
        kmpnet(descriptor="both")


def test_copies_and_checkpoints(clips, keypoints, tmp_path) -> None:
    network = kmpnet().eval()
    network(clips, keypoints)
    other = copy.deepcopy(network)
    torch.save(network.state_dict(), tmp_path / "state.pth")
    other.load_state_dict(torch.load(tmp_path / "state.pth", weights_only=True))
    with torch.no_grad():
        ours, theirs = (net(clips, keypoints).logits for net in (network, other))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("backbone", "layers"), [("convnext_atto", 3), ("resnet18", (1, 1, 1, 1)), ("regnety_002", 4)]
)
def test_any_cnn_of_timm_trains_inside_kmpnet(backbone, layers, clips, keypoints) -> None:
    """Four maps or five, plain names or timm's: gradients of both branches reach the first convolution."""
    network = KMPNet(PCB(IDENTITIES, backbone, stripes=2), partial(GraphBranch, IDENTITIES, layers=layers))
    outputs = network(clips, keypoints)
    assert list(outputs.logits) == ["stripe_1", "stripe_2", *(f"graph_{i}" for i in range(1, 6))]
    first = next(network.visual.backbone.parameters())
    for heads in ("stripe", "graph"):
        loss = sum(logit.square().sum() for name, logit in outputs.logits.items() if name.startswith(heads))
        assert torch.autograd.grad(loss, first, retain_graph=True)[0].abs().sum() > 0
    network.eval()
    with torch.no_grad():
        assert torch.equal(export_visual(network).describe(clips), network.describe(clips))


def test_the_training_pass_compiles_as_one_graph(clips, keypoints) -> None:
    """No break of the traced graph, and the same numbers; the backend that generates code is left out."""
    network = kmpnet()
    plain = network(clips, keypoints)
    torch.compiler.reset()
    compiled = torch.compile(network, fullgraph=True, backend="eager")(clips, keypoints)
    for name, logit in plain.logits.items():
        torch.testing.assert_close(compiled.logits[name], logit)
