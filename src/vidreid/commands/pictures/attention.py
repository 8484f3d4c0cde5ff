"""``figure=attention``: where the branches of a transformer look (Figure 4 of KeyRe-ID)."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig
from torch import Tensor

from vidreid.commands.pictures.opening import (
    FRAMES,
    NetworkInput,
    facts,
    listed,
    network_input,
    normalizer,
    open_data,
    open_network,
)
from vidreid.models.attention_maps import attention_of_global, attention_of_parts
from vidreid.models.key_reid import KeyReID
from vidreid.models.two_branch_transformer import GLOBAL, TwoBranchTransformer
from vidreid.models.vid_trans_reid import TransReID
from vidreid.training.checkpoint import method_name
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.activation_sheet import activation_sheet
from vidreid.visualize.activations import ActivationBlock
from vidreid.visualize.examples import Examples, spread_or_named
from vidreid.visualize.save import save_png

_HEIGHT = 144  # pixels of a frame: a sheet has a row for each of up to seven branches

_FLAT = 4  # times the mean: less than that is nowhere drawn as strong


def draw_attention(config: DictConfig) -> Path:
    """Draw frames and below them where the global branch and each part look."""
    run = RunFolder.existing(config.run)
    network = _transformer(run, config.checkpoint)
    frames = _clip_length(network, config.frames)
    data = open_data(run, config)
    normalize = normalizer(run)
    examples = Examples(data, config.split or "test", with_keypoints=isinstance(network, KeyReID))
    names = ((GLOBAL,) if network.global_block is not None else ()) + network.part_names
    chosen = spread_or_named(examples, config.tracklets, config.count)
    blocks = []
    for tracklet in chosen:
        example = examples.read(int(tracklet), frames, repeat=True)
        seen = network_input(example, data.test_transform)
        maps = look(network, normalize(seen.frames), seen.keypoints, example.camera)
        captions = (facts(example), *hidden_parts(network, seen))
        blocks.append(ActivationBlock(list(seen.frames), maps, captions))
    picture = activation_sheet(blocks, names, config.scale, _HEIGHT, what="branch", at_least=_FLAT)
    file = save_png(picture, config.file or run.pictures / "attention.png")
    print(
        f"{file}: attention of {method_name(network)}, tracklets {listed(chosen)} of the {examples.split} "
        "split; without what the token reads of itself"
    )
    return file


@torch.no_grad()
def look(
    network: TwoBranchTransformer, images: Tensor, keypoints: Tensor | None, camera: int
) -> list[NDArray[np.float32]]:
    """Return the attention of every branch of a network over a clip, global first.

    Args:
        network: In evaluation mode.
        images: ``(T, 3, H, W)``, normalised.
        keypoints: ``(T, K, 3)`` in pixels of the images, or ``None``.
        camera: The camera's number.

    Returns:
        ``(T, h, w)`` for each branch, ``h x w`` the grid of patches.
    """
    # TransReID reads frames one by one: clips of one frame.
    single = isinstance(network, TransReID)
    clips = images.unsqueeze(1 if single else 0)
    tokens = network.frame_tokens(clips, torch.full(clips.shape[:2], camera))
    maps = [attention_of_global(network, tokens)] if network.global_block is not None else []
    if network.local_block is not None:
        points = None if keypoints is None else keypoints.unsqueeze(0)
        maps += attention_of_parts(network, tokens, points).unbind(1)
    rows, columns = network.backbone.grid
    return [one.flatten(0, 1).unflatten(1, (rows, columns)).float().numpy() for one in maps]


def hidden_parts(network: TwoBranchTransformer, seen: NetworkInput) -> list[str]:
    """Return the line that names the parts without a visible joint in any frame, if there are any."""
    if not isinstance(network, KeyReID) or seen.keypoints is None:
        return []
    visible = network.guidance.visible(seen.keypoints.unsqueeze(0))[0].tolist()
    hidden = [name for name, shows in zip(network.guidance.parts, visible, strict=True) if not shows]
    return [f"hidden: {', '.join(hidden)}"] if hidden else []


def _transformer(run: RunFolder, checkpoint: str | None) -> TwoBranchTransformer:
    network = open_network(run, checkpoint)
    if not isinstance(network, TwoBranchTransformer):
        raise ValueError(
            f"figure=attention shows the branches of a transformer, and {run.path} is a run of "
            f"{method_name(network)}: choose a run of key_reid, vid_trans_reid or trans_reid."
        )
    return network


def _clip_length(network: TwoBranchTransformer, asked: int | None) -> int:
    """Return how many frames to draw: those of the network's clips where it reads no others."""
    if network.clip_frames is None:
        return FRAMES if asked is None else asked
    if asked not in (None, network.clip_frames):
        raise ValueError(
            f"The network of this run reads clips of {network.clip_frames} frames and no others, but "
            f"frames={asked}: leave frames out."
        )
    return network.clip_frames
