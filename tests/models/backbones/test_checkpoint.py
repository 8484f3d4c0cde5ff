"""Trunks whose blocks are computed again in the backward pass: the same bits, fewer bytes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from support.live_bytes import peak_bytes, saved_bytes
from vidreid.models.backbones.staged import staged_backbone
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.global_pooled import GlobalPooled
from vidreid.models.key_reid import KeyReID
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.mgh import MGH
from vidreid.models.network import ReidNetwork
from vidreid.models.pcb import PCB
from vidreid.models.vid_trans_reid import TransReID, VidTransReID
from vidreid.models.visual_network import VisualNetwork

CLIPS, FRAMES, HEIGHT, WIDTH, IDENTITIES = 4, 2, 64, 32, 3
NARROW = {"channels": (8, 16, 24, 32)}


def trunk(**options: Any) -> VisionTransformer:
    tiny = {
        "patch": 8,
        "stride": 8,
        "embedding": 24,
        "depth": 5,
        "heads": 2,
        "height": HEIGHT,
        "width": WIDTH,
    }
    options = {"cameras": [1, 2], "drop_path": 0.5} | tiny | options
    return VisionTransformer("vit_tiny_patch16_224", **options)


def with_graph(checkpoint: bool) -> KMPNet:
    visual = PCB(IDENTITIES, "resnet10t", checkpoint=checkpoint, **NARROW)
    return KMPNet(visual, partial(GraphBranch, IDENTITIES, layers=(1, 1, 1, 1), width=8, joints="coco17"))


NETWORKS: Mapping[str, Callable[[bool], ReidNetwork]] = {
    "key_reid": lambda on: KeyReID(IDENTITIES, trunk(checkpoint=on), frames=FRAMES),
    "vid_trans_reid": lambda on: VidTransReID(IDENTITIES, trunk(checkpoint=on), frames=FRAMES),
    "trans_reid": lambda on: TransReID(IDENTITIES, trunk(checkpoint=on)),
    "pcb": lambda on: VisualNetwork(PCB(IDENTITIES, "resnet10t", checkpoint=on, **NARROW)),
    "bottlenecks": lambda on: VisualNetwork(
        GlobalPooled(IDENTITIES, "resnet50", checkpoint=on, channels=(8, 16, 32, 32))
    ),
    "mgh": lambda on: VisualNetwork(
        MGH(IDENTITIES, "resnet18", stripes=(2,), width=16, checkpoint=on, **NARROW)
    ),
    "kmpnet": with_graph,
}

SHALLOW = ("pcb", "mgh", "kmpnet")
"""Narrow trunks of few blocks: the peak of a step is the backward pass of the stem alone, either way."""


def make(method: str, checkpoint: bool) -> ReidNetwork:
    torch.manual_seed(0)
    return NETWORKS[method](checkpoint)


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(CLIPS, FRAMES, 3, HEIGHT, WIDTH, generator=generator)
    places = torch.rand(CLIPS, FRAMES, 17, 2, generator=generator) * torch.tensor([WIDTH, HEIGHT])
    keypoints = torch.cat([places, torch.ones(CLIPS, FRAMES, 17, 1)], -1)
    return images, keypoints, 1 + torch.arange(CLIPS) % 2


def step(network: ReidNetwork, seed: int = 0) -> dict[str, Tensor]:
    """Return logits and gradients of a training step, and what norms keep after it."""
    network.zero_grad()
    torch.manual_seed(seed)
    outputs = network(*inputs())
    everything = {**outputs.logits, **outputs.embeddings}
    sum(value.square().sum() for value in everything.values()).backward()
    found = {name: value.detach() for name, value in everything.items()}
    found |= {f"grad {n}": p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    return found | {name: buffer.clone() for name, buffer in network.named_buffers()}


@pytest.mark.parametrize("method", NETWORKS)
def test_the_same_bits(method: str) -> None:
    """Outputs, gradients and running statistics of two steps; dropout and stochastic depth drop the same."""
    kept, again = (make(method, checkpoint).train() for checkpoint in (False, True))
    assert kept.state_dict().keys() == again.state_dict().keys()
    for seed in (1, 2):
        expected, got = step(kept, seed), step(again, seed)
        assert got.keys() == expected.keys()
        for name, value in expected.items():
            assert torch.equal(got[name], value), name
    with torch.no_grad():
        assert torch.equal(again.eval().describe(*inputs()), kept.eval().describe(*inputs()))


@pytest.mark.parametrize("method", NETWORKS)
def test_fewer_bytes(method: str) -> None:
    """Kept after the forward pass, and at the peak of the whole step."""
    kept, peaks = {}, {}
    for checkpoint in (False, True):
        network = make(method, checkpoint).train()
        step(network)
        with saved_bytes() as sizes:
            network(*inputs())
        kept[checkpoint] = sum(sizes)
        peaks[checkpoint] = peak_bytes(lambda network=network: step(network))
    assert kept[True] < 0.4 * kept[False]
    if method not in SHALLOW:
        assert peaks[True] < 0.9 * peaks[False]


def test_bytes_of_a_deep_trunk_are_the_inputs_of_its_blocks() -> None:
    """By hand: 11 blocks keep their tokens alone, (frames, patches + 1, D) float32 each."""
    network = trunk(depth=12, checkpoint=True, camera="off", drop_path=0.0).train()
    frames = torch.randn(8, 3, HEIGHT, WIDTH)
    tokens = network.embed(frames).requires_grad_()
    network.embed = lambda frames, cameras: tokens  # pyright: ignore[reportAttributeAccessIssue]
    with saved_bytes() as sizes:
        network(frames)
    assert sizes == [8 * (8 * 4 + 1) * 24 * 4] * 11
    network.checkpoint = False
    with saved_bytes() as sizes:
        network(frames)
    assert sum(sizes) > 10 * 11 * 8 * (8 * 4 + 1) * 24 * 4


def test_the_blocks_of_branches_are_no_burden() -> None:
    """Why they are not computed again: together they keep less than two blocks of the trunk do."""
    network = KeyReID(IDENTITIES, trunk(depth=12, drop_path=0.0), frames=FRAMES).train()
    with saved_bytes() as everything:
        network(*inputs())
    with saved_bytes() as of_trunk:
        network.frame_tokens(inputs()[0], None)
    assert sum(everything) - sum(of_trunk) < 2 * sum(of_trunk) / 11


def test_a_checkpointed_trunk_compiles() -> None:
    """Dropping paths as the one that keeps its activations does."""
    torch.compiler.reset()
    found = []
    for checkpoint in (False, True):
        torch.manual_seed(0)
        network = trunk(depth=3, camera="off", checkpoint=checkpoint).train()
        network.compile(backend="aot_eager", fullgraph=True)
        torch.manual_seed(1)
        tokens = network(torch.randn(6, 3, HEIGHT, WIDTH))
        tokens.square().sum().backward()
        found.append([tokens.detach(), *(p.grad for p in network.parameters() if p.grad is not None)])
    for kept, again in zip(*found, strict=True):
        torch.testing.assert_close(again, kept)


def test_norms_of_a_compiled_checkpointed_trunk_count_once() -> None:
    torch.compiler.reset()
    kept, again = make("pcb", checkpoint=False).train(), make("pcb", checkpoint=True).train()
    again.compile(backend="aot_eager")
    for _ in range(2):
        step(kept), step(again)
    for (name, buffer), expected in zip(again.named_buffers(), kept.buffers(), strict=True):
        torch.testing.assert_close(buffer, expected, rtol=1e-3, atol=1e-4, msg=name)


def test_only_resnets() -> None:
    with pytest.raises(ValueError, match=r"'convnext_atto' is none: set checkpoint=false"):
        staged_backbone("convnext_atto", checkpoint=True)
