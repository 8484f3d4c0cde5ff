"""``check_data``: what is wrong with a benchmark, before anybody trains on it."""

import sys

import hydra
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="check_data")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    # Imported late: the processes that read frames start from this module, and need no torch.
    from vidreid.commands.check_data.checking import check_data

    if not check_data(config):
        sys.exit(1)


def main() -> None:
    """Run the command."""
    _hydra_main()
