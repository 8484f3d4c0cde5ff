"""``figure=part_maps``: where the parts are that guide KeyRe-ID."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from vidreid.commands.pictures.attention import hidden_parts
from vidreid.commands.pictures.opening import (
    FRAMES,
    NetworkInput,
    build_network,
    facts,
    listed,
    network_input,
    open_data,
)
from vidreid.models.key_reid import KeyReID
from vidreid.training.checkpoint import method_name
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.examples import Examples, spread_or_named
from vidreid.visualize.part_sheet import PartBlock, part_sheet
from vidreid.visualize.save import save_png


def draw_part_maps(config: DictConfig) -> Path:
    """Draw the weights of the patches of each part over the frames; no checkpoint is needed."""
    run = RunFolder.existing(config.run)
    network = build_network(run)
    if not isinstance(network, KeyReID):
        raise ValueError(
            f"figure=part_maps shows what guides the parts of KeyRe-ID, and {run.path} is a run of "
            f"{method_name(network)}: choose a run of key_reid."
        )
    data = open_data(run, config)
    examples = Examples(data, config.split or "test")
    chosen = spread_or_named(examples, config.tracklets, config.count)
    blocks = []
    for tracklet in chosen:
        example = examples.read(int(tracklet), FRAMES if config.frames is None else config.frames)
        seen = network_input(example, data.test_transform)
        maps, lifted = _maps(network, seen)
        captions = (facts(example), *hidden_parts(network, seen), *lifted)
        blocks.append(PartBlock(list(seen.frames), maps, captions))
    picture = part_sheet(blocks, tuple(network.guidance.parts))
    file = save_png(picture, config.file or run.pictures / "part_maps.png")
    print(
        f"{file}: part_guidance={network.guidance.how}, maps={network.guidance.maps}, tracklets "
        f"{listed(chosen)} of the {examples.split} split, keypoints {data.keypoints}"
    )
    return file


def _maps(network: KeyReID, seen: NetworkInput) -> tuple[NDArray[np.float32], list[str]]:
    """Return the maps ``(T, P, h, w)`` from 0 on, and a line that says so where they begin at -1."""
    assert seen.keypoints is not None
    grid = network.guidance.grid
    maps = network.guidance.frame_maps(seen.keypoints.unsqueeze(0))[0]
    maps = maps.unflatten(2, (grid.rows, grid.columns)).float()
    if network.guidance.maps == "gaussian":
        return maps.numpy(), []
    return ((maps + 1) / 2).numpy(), ["maps in [-1, 1]: -1 is drawn without colour"]
