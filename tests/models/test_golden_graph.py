"""Golden cases 1 to 4: graph layers, edges, keypoint features and graph heads of the released KMPNet."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from golden.golden_weights import fill, normal
from models.golden_files import OWN, close, golden_files, kmpnet_table, load, number, released_state
from vidreid.keypoints.skeleton import BODY12, COCO17, Skeleton
from vidreid.models.kmpnet import GraphBranch
from vidreid.models.layers.keypoint_sampling import sample_keypoints, sampling_weights
from vidreid.models.layers.neighbours import clip_neighbours
from vidreid.models.released.kmpnet import from_released

CHANNELS = (64, 256, 512, 1024, 2048)
SCALES = (1 / 4, 1 / 4, 1 / 8, 1 / 16, 1 / 16)
SKELETONS = {12: BODY12, 17: COCO17}
SIDES = {"left": (0, 2, 4, 6, 8, 10), "right": (1, 3, 5, 7, 9, 11)}
BODY12_WITH_SIDES = replace(BODY12, groups=BODY12.groups | SIDES)


def graph_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Translate the graph's part of a released state dict to names inside GraphBranch."""
    state = {key: value for key, value in state.items() if key.startswith(("gcn.", "fc_"))}
    return {key.removeprefix("graph."): value for key, value in from_released(state).items()}


def released_graph(joints: Skeleton, seed: int, **options: object) -> GraphBranch:
    graph = GraphBranch(10, CHANNELS, SCALES, joints=joints, dropout=0.0, **options)
    state = graph_state(released_state(kmpnet_table(), seed))
    state = {key: value for key, value in state.items() if key.startswith(("layers.", "fusions."))}
    problems = graph.load_state_dict(state, strict=False)
    assert not problems.unexpected_keys
    assert all(key.startswith(("norm.", "heads.")) for key in problems.missing_keys)
    return graph


def test_every_case_has_files() -> None:
    for pattern in ("c1_gcn_*", "c2_*", "c3_*", "c4_heads_*", "c5_*.npz", "c6_pcb_*.npz", "c6_resnet50.npz"):
        assert list(OWN.glob(pattern)), pattern


@golden_files("c1_gcn_*.npz")
@pytest.mark.parametrize("aggregation", ["dense", "torch_scatter"])
def test_graph_layers(path, aggregation) -> None:
    if aggregation == "torch_scatter":
        pytest.importorskip("torch_scatter", reason="torch-scatter is not built: make scatter")
    case = load(path)
    joints, frames, clips, seed = (number(case[key]) for key in ("K", "T", "B", "seed"))
    graph = released_graph(SKELETONS[joints], seed, aggregation=aggregation)
    nodes = torch.from_numpy(case["node"]).view(clips, frames * joints, 64)
    neighbours = clip_neighbours(SKELETONS[joints], frames)

    with torch.no_grad():
        close(graph.layers[0].convolution(nodes, neighbours).flatten(0, 1), case["conv_out"], 1e-5)
        close(graph.layers[0](nodes, neighbours).flatten(0, 1), case["layer_out"], 1e-5)
        total = clips * frames * joints
        features = [
            normal(f"c1.joint_feature.stage{i}", (total, c), seed).view(clips, -1, c)
            for i, c in enumerate(CHANNELS)
        ]
        for i, state in enumerate(graph.propagate(features, frames)):
            close(state.flatten(0, 1), case[f"x_g_stage{i}"], 1e-4)


@golden_files("c2_edges*.npz")
def test_edges(path) -> None:
    case = load(path)
    pattern = re.compile(r"(edges|count|indegree)_k(\d+)_t(\d+)_(spatial|temporal|both)")
    checked = set()
    for key, expected in case.items():
        match = pattern.fullmatch(key)
        if match is None:
            continue
        what, joints, frames, kind = match[1], int(match[2]), int(match[3]), match[4]
        edges = clip_neighbours(SKELETONS[joints], frames, kind).edges.T.numpy()
        if what == "edges":
            np.testing.assert_array_equal(edges, expected)
        elif what == "count":
            assert len(edges) == expected
        else:
            np.testing.assert_array_equal(np.bincount(edges[:, 1], minlength=joints * frames), expected)
        checked.add(what)
    assert checked == {"edges", "count", "indegree"}


@golden_files("c3_sampling*.npz")
@pytest.mark.parametrize("border", ["clamp", "zero"])
@pytest.mark.parametrize(("stage", "size"), [(0, (64, 32)), (2, (32, 16)), (3, (16, 8))])
def test_keypoint_features(path, border, stage, size) -> None:
    case = load(path)
    feature_map = normal(f"c3.map.stage{stage}", (6, 6, *size), number(case["seed"]))
    pixels = torch.from_numpy(case["keypoints"]).float() * torch.tensor([128.0, 256.0])
    # The released rule for a missing joint, which the confidence stands for here.
    present = (pixels > 0).any(-1, keepdim=True).float()
    weights = sampling_weights(torch.cat([pixels, present], -1), size, SCALES[stage], border)
    sampled = sample_keypoints(feature_map, weights)

    expected = case[f"{border}_stage{stage}"]
    if border == "zero":
        close(sampled, expected, 1e-5)
        np.testing.assert_array_equal((sampled == 0).all(-1).numpy(), (expected == 0).all(-1))
    else:
        inside = ((pixels >= 0) & (pixels <= torch.tensor([128.0, 256.0]))).all(-1)
        close(sampled[inside], expected[inside.numpy()], 1e-5)
        close(sampled, expected, 1e-4)


@golden_files("c4_heads_*.npz")
def test_heads(path) -> None:
    case = load(path)
    joints, images, identities, seed = (number(case[key]) for key in ("K", "N", "C", "seed"))
    skeleton = BODY12_WITH_SIDES if path.stem.endswith("g7") else SKELETONS[joints]
    graph = GraphBranch(identities, CHANNELS, SCALES, joints=skeleton, dropout=0.0)
    own = {key: value for key, value in graph.state_dict().items() if key.startswith(("norm.", "heads."))}
    table = {_released_head_name(key): tuple(value.shape) for key, value in own.items()}
    zeros = {key: 0.0 for key in table if re.fullmatch(r"gcn\.feat_bns\.\d+\.bias", key)}
    graph.load_state_dict(graph_state(fill(table, seed, zeros)), strict=False)
    nodes = torch.from_numpy(case["node"]).view(1, images * joints, 64)

    graph.eval()
    with torch.no_grad():
        parts = graph.pool_nodes(nodes)
        evaluated = torch.cat(
            [head(part)[0] for head, part in zip(graph.heads, parts.unbind(1), strict=True)], 1
        )
    close(parts, case["pooled"], 1e-5)
    close(evaluated, case["eval_concat"], 1e-5)
    close(F.normalize(evaluated, dim=1), case["eval_concat_l2"], 1e-5)

    graph.train()
    trained = [head(part) for head, part in zip(graph.heads, graph.pool_nodes(nodes).unbind(1), strict=True)]
    projected = [head.project(part) for head, part in zip(graph.heads, parts.unbind(1), strict=True)]
    close(torch.stack(projected, 1), case["linear_out"], 1e-5)
    close(torch.stack([embedding for embedding, _ in trained], 1), case["bn_train_out"], 1e-5)
    close(torch.stack([logit for _, logit in trained], 1), case["logits"], 1e-5)
    close(torch.stack([head.norm.running_mean for head in graph.heads]), case["running_mean_after"], 1e-5)
    close(torch.stack([head.norm.running_var for head in graph.heads]), case["running_var_after"], 1e-5)


def _released_head_name(key: str) -> str:
    key = re.sub(r"^norm\.", "gcn.post_norm.", key)
    kinds = {"project": "feat_fcs", "norm": "feat_bns", "classifier": "classifier"}
    return re.sub(r"^heads\.(\d+)\.(\w+)\.", lambda m: f"gcn.{kinds[m[2]]}.{m[1]}.", key)
