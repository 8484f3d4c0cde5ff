"""``export``: the descriptor network of a run, without its training-only parts."""

import json
from pathlib import Path
from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf
from safetensors.torch import save_file

from vidreid.commands import config_dir
from vidreid.commands.building import build_module, without_initial_weights
from vidreid.commands.plain_errors import plain_errors
from vidreid.files import write_whole
from vidreid.training.checkpoint import load_network
from vidreid.training.run_folder import RunFolder


def export_run(config: DictConfig) -> Path:
    """Write ``descriptor.safetensors``: the visual branch of a run with what is needed to build it again.

    The graph leaves nothing behind in it, and the classifiers of the training identities are left out.

    Args:
        config: The composed configuration of ``conf/export.yaml``: the run, the checkpoint, the file.

    Returns:
        The file. Its metadata hold method, network, input size, clip length and versions as JSON.

    Raises:
        FileNotFoundError: If the run or its checkpoint does not exist.
    """
    run = RunFolder.existing(config.run)
    stored = OmegaConf.create(run.read_config())
    assert isinstance(stored, DictConfig)
    module = build_module(without_initial_weights(stored))
    meta = load_network(module.network, run.checkpoint(config.checkpoint or stored.select))
    network = module.network.exported()
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    about: dict[str, Any] = {
        "method": meta["method"],
        **_model(stored),
        "height": stored.data.height,
        "width": stored.data.width,
        "clip_length": stored.data.test_clip_length,
        "protocol": meta["protocol"],
        "versions": meta["versions"],
    }
    file = Path(config.file or run.path / "descriptor.safetensors")
    with write_whole(file) as temporary:
        save_file(tensors, temporary, {key: json.dumps(value) for key, value in about.items()})
    count = sum(tensor.numel() for tensor in tensors.values())
    trained = sum(cast(Any, parameter).numel() for parameter in module.network.parameters())
    print(
        f"{file}: {count:,} numbers of the {trained:,} that were trained; the descriptor needs "
        f"{'keypoints too' if network.describes_with_keypoints else 'no keypoints'}."
    )
    return file


def _model(stored: DictConfig) -> dict[str, Any]:
    """Return how to build the network again: of a visual branch that alone, which is all that is exported."""
    part = "visual" if "visual" in stored.model else "model"
    return {part: OmegaConf.to_container(stored.model.get(part, stored.model), resolve=True)}


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="export")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    export_run(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
