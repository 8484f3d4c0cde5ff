"""Golden cases 5 and 6: the whole KMPNet with PCB, and visual branches, imported from released weights."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from golden.golden_weights import images
from models.golden_files import FOLDER, close, golden_files, load, number
from models.golden_import import Importer
from vidreid.losses.identity import IdentityLoss
from vidreid.models.kmpnet import KMPNet
from vidreid.models.released.kmpnet import from_released

TYPES = {"float32": torch.float32, "float64": torch.float64}


class Run(NamedTuple):
    """One training step of a golden file in one precision."""

    case: dict[str, np.ndarray]
    suffix: str
    network: KMPNet
    maps: list[Tensor]
    states: list[Tensor]
    logits: Tensor
    heads: Tensor
    gradients: dict[str, dict[str, Tensor]]

    def expect(self, actual: Tensor, key: str, loose: float, tight: float) -> None:
        close(actual, self.case[key + self.suffix], tight if self.suffix else loose)


@pytest.fixture(scope="module")
def importer(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("imported"))


def keypoints_of(case) -> Tensor:
    """Fractions to pixels; the released rule for missing joints becomes confidence 0."""
    fractions = torch.from_numpy(case["keypoints"]).float()
    present = (fractions > 0).any(-1, keepdim=True).float()
    pixels = torch.cat([fractions * torch.tensor([128.0, 256.0]), present], -1)
    return pixels.view(number(case["B"]), number(case["T"]), *pixels.shape[1:])


def clips_of(case) -> Tensor:
    clips, frames = number(case["B"]), number(case["T"])
    pixels = images("c5.images", clips * frames, number(case["seed"]))
    np.testing.assert_allclose(pixels.flatten()[:8], case["images_first8"], atol=1e-6)
    return pixels.view(clips, frames, 3, 256, 128)


@pytest.fixture(scope="module", params=TYPES)
def precision(request) -> str:
    return request.param


@pytest.fixture(scope="module", params=sorted(FOLDER.glob("c5_kmpnet_*.npz")), ids=lambda path: path.stem)
def run(request, precision, importer) -> Run:
    """Forward once; backward with all heads and again with the visual heads alone."""
    case = load(request.param)
    network = importer.network(request.param, "kmpnet_pcb").to(TYPES[precision]).train()
    assert isinstance(network, KMPNet)
    assert len(network.graph.skeleton) == number(case["K"])
    clips, keypoints = clips_of(case).to(TYPES[precision]), keypoints_of(case).to(TYPES[precision])
    maps = network.visual.stages(clips.flatten(0, 1))
    states = network.graph.node_states(maps, keypoints)
    parts = network.graph.pool_nodes(states[-1]).unbind(1)
    graph = [head(part)[1] for head, part in zip(network.graph.heads, parts, strict=True)]
    visual = list(network.visual.classify(maps).values())

    pids = torch.from_numpy(case["labels"]).long()
    loss = IdentityLoss(smoothing=0.1)
    shape = (*clips.shape[:2], -1)
    named = {f"head_{i}": logit.view(shape) for i, logit in enumerate([*visual, *graph])}
    value, details = loss(named, {}, pids)
    plain = loss(dict(list(named.items())[:4]), {}, pids).value
    gradients = {}
    for name, total in (("with_graph", value), ("without_graph", plain)):
        network.zero_grad()
        total.backward(retain_graph=True)
        gradients[name] = {
            key: parameter.grad.clone()
            for key, parameter in network.named_parameters()
            if parameter.grad is not None
        }
    gradients["losses"] = {"loss_mean": value.detach(), "loss_mean_plain_pcb": plain.detach()}
    return Run(
        case=case,
        suffix="_f64" if precision == "float64" else "",
        network=network,
        maps=maps,
        states=states,
        logits=torch.stack([*visual, *graph]),
        heads=torch.stack(list(details.values())),
        gradients=gradients,
    )


def test_logits_and_loss(run: Run) -> None:
    run.expect(run.logits, "logits", 2e-3, 1e-5)
    run.expect(run.logits[:4], "logits_plain_pcb", 2e-3, 1e-5)
    run.expect(run.heads, "ce_per_head", 5e-4, 1e-5)
    for name, value in run.gradients["losses"].items():
        run.expect(value, name, 5e-4, 1e-5)


def test_maps_and_node_states(run: Run) -> None:
    for i, (feature_map, state) in enumerate(zip(run.maps, run.states, strict=True)):
        run.expect(feature_map[0].mean((1, 2)), f"visual_gap_frame0_stage{i}", 5e-4, 1e-5)
        run.expect(state.flatten(0, 1), f"x_g_stage{i}", 5e-3, 1e-4)


def test_gradient_norms(run: Run) -> None:
    for kind, graph in (("visual", "with_graph"), ("visual", "without_graph"), ("graph", "with_graph")):
        released = [str(name) for name in run.case[f"grad_names_{kind}"]]
        own = [next(iter(from_released({name: torch.empty(0)}))) for name in released]
        norms = torch.stack([run.gradients[graph][name].norm() for name in own]).double()
        key = "grad_norm_graph" if kind == "graph" else f"grad_norm_visual_{graph}"
        wanted = torch.from_numpy(run.case[key + run.suffix]).double()
        relative = ((norms - wanted).abs() / wanted).max().item()
        assert relative <= (1e-5 if run.suffix else 2e-2)


def test_whole_gradients(run: Run) -> None:
    # Early layers are badly conditioned: ReLU gates flip in single precision.
    tolerance = 1e-5 if run.suffix else 1e-1
    for graph in ("with_graph", "without_graph"):
        gradients = run.gradients[graph]
        wanted = {
            f"grad_bn1_weight_{graph}": gradients["visual.backbone.bn1.weight"],
            f"grad_conv1_weight_first_filter_{graph}": gradients["visual.backbone.conv1.weight"][0],
        }
        if graph == "with_graph":
            temperatures = [gradients[f"graph.layers.{i}.convolution.t"] for i in range(27)]
            wanted["grad_t_all_layers"] = torch.cat(temperatures)
        for key, actual in wanted.items():
            expected = run.case[key + run.suffix]
            close(actual, expected, tolerance * np.abs(expected).max())


def test_no_gradient_of_the_graph_without_it(run: Run) -> None:
    assert not any(
        key.startswith("graph.") and grad.any() for key, grad in run.gradients["without_graph"].items()
    )


@golden_files("c5_kmpnet_*.npz")
def test_descriptor(path, importer) -> None:
    case = load(path)
    if "eval_feature" not in case:
        pytest.skip("the file has no evaluation arrays")
    network = importer.network(path, "kmpnet_pcb").eval()
    clips = clips_of(case)
    with torch.no_grad():
        frames = network.visual.describe_frames(network.visual.stages(clips.flatten(0, 1)))
        close(frames.view(*clips.shape[:2], -1), case["eval_frame_feature"], 1e-6)
        close(network.describe(clips, keypoints_of(case)), case["eval_feature"], 1e-6)


@golden_files("c6_pcb_*.npz")
def test_pcb(path, importer) -> None:
    case = load(path)
    logits = case["train_logits"]
    network = importer.network(path, "pcb")
    frames = images("c6.images", 4, number(case["seed"]))
    with torch.no_grad():
        maps = network.eval().visual.stages(frames[:2])
        close(network.visual.describe_frames(maps), case["eval_feature"], 1e-6)
        close(maps[-1][:1].mean((2, 3)), case["eval_map_channel_mean"], 1e-4)
        close(maps[-1][0, :4], case["eval_map_first_channels"], 1e-4)
        trained = network.train().visual.classify(network.visual.stages(frames))
    assert list(trained) == [f"stripe_{i}" for i in range(1, len(logits) + 1)]
    close(torch.stack(list(trained.values())), logits, 2e-3)


@golden_files("c6_resnet50*.npz")
@pytest.mark.parametrize("stride", [1, 2])
def test_resnet50(path, stride, importer) -> None:
    case = load(path)
    network = importer.network(path, "resnet50", f"model.visual.last_stride={stride}")
    frames = images("c6.images", 4, number(case["seed"]))
    with torch.no_grad():
        described = network.eval().describe(frames[:2, None])
        close(described, case[f"eval_feature_stride{stride}"], 1e-4)
        trained = network.train()(frames[:, None]).logits["global"]
    close(trained.squeeze(1), case[f"train_logits_stride{stride}"], 2e-3)
