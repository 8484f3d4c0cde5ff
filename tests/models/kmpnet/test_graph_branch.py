import pytest
import torch
from torch import Tensor

from vidreid.keypoints.skeleton import BODY12, COCO17
from vidreid.models.kmpnet import GraphBranch
from vidreid.models.kmpnet.graph_branch import in_proportion
from vidreid.models.layers.keypoint_sampling import sample_keypoints, sampling_weights

CHANNELS, SCALES = (3, 4, 5, 6, 7), (1 / 4, 1 / 4, 1 / 8, 1 / 16, 1 / 16)
SIZES = ((16, 8), (16, 8), (8, 4), (4, 2), (4, 2))
CLIPS, FRAMES = 2, 3


def branch(**options) -> GraphBranch:
    torch.manual_seed(0)
    options = {"layers": (2, 1, 3, 1), "width": 4, "embedding": 6} | options
    return GraphBranch(5, CHANNELS, SCALES, **options).eval()


@pytest.fixture
def maps() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(CLIPS * FRAMES, c, *size, generator=generator)
        for c, size in zip(CHANNELS, SIZES, strict=True)
    ]


def keypoints_for(joints: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    places = torch.rand(CLIPS, FRAMES, joints, 2, generator=generator) * torch.tensor([32.0, 64.0])
    return torch.cat([places, torch.ones(CLIPS, FRAMES, joints, 1)], -1)


@pytest.mark.parametrize(("name", "skeleton"), [("body12", BODY12), ("coco17", COCO17)])
def test_the_way_through_the_graph_step_by_step(maps, name, skeleton) -> None:
    """Sampling, fusions and layers in the order of the released code, written out."""
    graph = branch(joints=name)
    keypoints = keypoints_for(len(skeleton))
    neighbours = graph._neighbours(FRAMES, maps[0])
    features = []
    for feature_map, scale in zip(maps, SCALES, strict=True):
        weights = sampling_weights(keypoints.flatten(0, 1), feature_map.shape[2:], scale)
        sampled = sample_keypoints(feature_map, weights)
        features.append(
            torch.stack([sampled[b * FRAMES : (b + 1) * FRAMES].flatten(0, 1) for b in range(CLIPS)])
        )

    nodes = graph.fusions[0].down(features[0])
    number = 0
    for stage, layers in enumerate((2, 1, 3, 1), start=1):
        for _ in range(layers):
            nodes = graph.layers[number](nodes, neighbours)
            number += 1
        fusion = graph.fusions[stage]
        nodes = fusion.down(fusion.up(nodes) + features[stage])
    nodes = torch.relu(graph.norm(nodes))

    outputs = graph(maps, keypoints)
    assert len(outputs.logits) == len(skeleton.groups)
    for i, joints in enumerate(skeleton.groups.values()):
        part = nodes.view(CLIPS * FRAMES, len(skeleton), -1)[:, list(joints)].mean(1)
        head = graph.heads[i]
        embedding = head.norm(head.project(part))
        expected = (embedding @ head.classifier.weight.T).view(CLIPS, FRAMES, -1)
        torch.testing.assert_close(outputs.logits[f"graph_{i + 1}"], expected)
        torch.testing.assert_close(outputs.embeddings[f"graph_{i + 1}"].flatten(0, 1), embedding)


@pytest.mark.parametrize(
    ("options", "same_frames", "same_joints"),
    [
        ({"edges": "both"}, False, False),
        ({"edges": "spatial"}, True, False),
        ({"edges": "temporal"}, False, True),
    ],
)
def test_edge_kinds_decide_who_hears_whom(maps, options, same_frames, same_joints) -> None:
    graph = branch(**options)
    keypoints = keypoints_for(12)
    moved = keypoints.clone()
    moved[0, 0, 0, :2] = 31 - moved[0, 0, 0, :2] / 2
    with torch.no_grad():
        before, after = (
            graph.node_states(maps, k)[-1].view(CLIPS, FRAMES, 12, -1) for k in (keypoints, moved)
        )
    # More than rounding: nodes of a clip share the shift of their exponentials.
    changed = (before - after).abs().amax(-1) > 1e-5
    assert changed[0, 0, 0]
    assert not changed[1].any(), "clips do not mix"
    assert changed[0, 1:].any() != same_frames
    assert changed[0, :, 1:].any() != same_joints


def test_options_reach_the_sampling(maps) -> None:
    keypoints = keypoints_for(12)
    keypoints[0, 0, 0] = torch.tensor([60.0, 10.0, 1.0])
    keypoints[0, 0, 1, 2] = 0.3

    def first_features(**options) -> Tensor:
        return branch(**options).sample(maps, keypoints)[0][0]

    plain = first_features()
    assert (first_features(border="zero")[0] == 0).all()
    assert plain[0].any()
    assert not torch.equal(first_features(min_score=0.4)[1], plain[1])
    assert torch.equal(first_features(min_score=0.4)[2:], plain[2:])
    assert not torch.equal(first_features(offset=0.0)[2], plain[2])


def test_fixed_temperatures() -> None:
    graph = branch(temperature="fixed")
    assert not any(layer.convolution.t.requires_grad for layer in graph.layers)


def test_parameters_of_the_released_graph() -> None:
    """Counted in the released network, for 625 identities and 12 joints."""
    graph = GraphBranch(625, (64, 256, 512, 1024, 2048), SCALES)

    def count(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    assert len(graph.layers) == 27
    assert graph.split == (5, 7, 11, 4)
    assert count(graph.layers) == 457_947
    assert sum(count(fusion.up) for fusion in graph.fusions if fusion.up is not None) == 249_600
    assert sum(count(fusion.down) for fusion in graph.fusions) == 250_176
    assert sum(count(head.project) for head in graph.heads) == 83_200
    assert sum(count(head.norm) for head in graph.heads) == 2_560
    assert sum(count(head.classifier) for head in graph.heads) == 800_000


def test_double_precision_and_other_lengths(maps) -> None:
    graph = branch()
    keypoints = keypoints_for(12)
    graph(maps, keypoints)
    single = graph([m[:FRAMES] for m in maps], keypoints[:1])
    double = graph.double()([m[:FRAMES].double() for m in maps], keypoints[:1])
    torch.testing.assert_close(
        single.logits["graph_1"].double(), double.logits["graph_1"], atol=1e-5, rtol=1e-4
    )
    one_frame = graph([m[:1].double() for m in maps], keypoints[:1, :1])
    assert one_frame.logits["graph_1"].isfinite().all()


@pytest.mark.parametrize("edges", ["both", "temporal"])
def test_tables_of_a_validation_loop_serve_training(maps, edges) -> None:
    graph = branch(edges=edges)
    frames = FRAMES if edges == "both" else 1
    keypoints = keypoints_for(12)[:, :frames]
    used = [m[: CLIPS * frames] for m in maps]
    with torch.inference_mode():
        graph(used, keypoints)
    graph.train()(used, keypoints).logits["graph_1"].sum().backward()
    assert graph.layers[0].convolution.mlp[0].weight.grad is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": (1, 2, 3)}, "gives 5 maps, and 3 groups of graph layers need 4: set .* total, 6"),
        ({"border": "wrap"}, "choose clamp or zero"),
        ({"joints": "hand21"}, "choose one of coco17, body12"),
        ({"aggregation": "sum"}, "choose dense or torch_scatter"),
    ],
)
def test_refused_options(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        branch(**options)


def test_refused_keypoints(maps) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3, 17, 3\): this graph needs \(B, T, 12, 3\)"):
        branch()(maps, keypoints_for(17))
    with pytest.raises(ValueError, match="keypoints for 1 x 3 frames and maps for 6"):
        branch()(maps, keypoints_for(12)[:1])


@pytest.mark.parametrize(
    ("total", "depths", "split"),
    [(27, (3, 4, 6, 3), (5, 7, 10, 5)), (27, (2, 2, 2, 2), (7, 7, 7, 6)), (3, (7, 19, 7), (1, 2, 0))],
)
def test_layers_in_proportion(total, depths, split) -> None:
    assert in_proportion(total, depths) == split


def test_fewer_layers_than_stages_are_refused() -> None:
    with pytest.raises(ValueError, match="3 graph layers cannot be split over 4 stages"):
        in_proportion(3, (3, 4, 6, 3))
