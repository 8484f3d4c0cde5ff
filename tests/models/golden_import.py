"""Networks of golden files, built through the importer, so that the golden numbers prove the command."""

from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from models.golden_files import load, number, released_state
from vidreid.commands.building import build_module, without_initial_weights
from vidreid.commands.import_checkpoint import import_released
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.checkpoint import load_network
from vidreid.training.run_folder import RunFolder


class Importer:
    """Imports the weights of golden files as the command does, each once, and builds networks from runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def network(self, path: Path, method: str, *overrides: str) -> VisualNetwork:
        """Build the network of a golden file as ``eval.py`` builds that of a run, but without dropout."""
        folder = self.folder / "_".join([path.stem, *overrides])
        file = self.folder / f"{path.stem}.pth"
        if not file.is_file():
            state = released_state(path.with_suffix(".json"), number(load(path)["seed"]))
            torch.save({"state_dict": state, "epoch": 45}, file)
        run = RunFolder.existing(import_released(method, file, folder, overrides=overrides))
        config = OmegaConf.create(run.read_config())
        assert isinstance(config, DictConfig)
        network = build_module(without_initial_weights(config)).network
        load_network(network, run.checkpoint(config.select))
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        return network
