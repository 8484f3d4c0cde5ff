"""``protocols``: the same descriptors under every protocol of their benchmark, in one table."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.protocols.described import describe_run
from vidreid.commands.protocols.made_up import describe_metadata
from vidreid.commands.protocols.scores import Described, protocol_scores
from vidreid.commands.protocols.table import markdown, write_table

__all__ = ["compare_protocols", "main"]


def compare_protocols(config: DictConfig) -> str:
    """Rank the same descriptors under every protocol.

    Args:
        config: The composed configuration of ``conf/protocols.yaml``.

    Returns:
        The Markdown table, which is also printed and, for a run, written to ``protocols.md`` and
        ``protocols.json`` in its folder.

    Raises:
        FileNotFoundError: If the run or the metadata is not there.
        ValueError: If both or neither of ``run`` and ``metadata`` are given.
    """
    if (config.run is None) == (config.metadata is None):
        raise ValueError(
            "Say what is ranked: run=RUN for the descriptors of a trained run, or metadata=DIR for made-up "
            "descriptors on the metadata of MARS (the folder that holds info)."
        )
    described: list[Described]
    if config.run is not None:
        described = [describe_run(config)]
    else:
        described = describe_metadata(Path(config.metadata), config.draws)
    scores = [protocol_scores(one) for one in described]
    table = markdown(scores)
    told = described[0].told if len(described) == 1 else f"{described[0].told}, {len(described)} draws"
    print(f"{told}\n\n{table}")
    out = config.out or config.run
    if out is not None:
        print(f"\nwritten to {write_table(Path(out), told, table, scores)} and protocols.json")
    return table


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="protocols")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    compare_protocols(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
