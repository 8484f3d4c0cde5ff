"""The runs of a grid (``train.py -m optimizer.lr=1e-3,3e-4 seed=0,1,2``) as rows of a table."""

from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from vidreid.commands.sweeps.table import SweepRow, best_first, read_numbers, together

MULTIRUN = "multirun.yaml"
"""What Hydra writes into the folder of a grid: its words, and settings of Hydra."""

SEED = "seed"


def grid_rows(folder: Path) -> list[SweepRow]:
    """Read a grid; runs that differ in their seed alone make one row.

    Args:
        folder: Its folder.

    Returns:
        Its rows, the best first, or in the order of the grid where no run has held-out identities.

    Raises:
        ValueError: If the folders of the runs are not called by their numbers.
    """
    hydra = yaml.safe_load((folder / MULTIRUN).read_text())["hydra"]
    if hydra["sweep"]["subdir"] != "${hydra.job.num}":
        raise ValueError(
            f"The runs in {folder} lie in folders called {hydra['sweep']['subdir']}, not by their numbers: "
            "collect reads grids that were begun without hydra.sweep.subdir."
        )
    grouped: dict[tuple[str, ...], list[tuple[int, dict[str, str]]]] = {}
    for number, settings in enumerate(_jobs(hydra)):
        own = tuple(value for key, value in settings.items() if key != SEED)
        grouped.setdefault(own, []).append((number, settings))
    return best_first([_row(folder, runs) for runs in grouped.values()])


def has_seeds(folder: Path) -> bool:
    """Whether the runs of a grid differ in their seeds."""
    hydra = yaml.safe_load((folder / MULTIRUN).read_text())["hydra"]
    return any(SEED in settings for settings in _jobs(hydra))


def _jobs(hydra: dict[str, Any]) -> list[dict[str, str]]:
    """Return what every job of a grid changes, in the order of their numbers."""
    found = GlobalHydra.instance()
    loader = found.config_loader() if found.is_initialized() else None  # lists what `glob(*)` means
    words = [f"{key}={value}" for key, value in (hydra["sweeper"].get("params") or {}).items()]
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(words + hydra["overrides"]["task"])
    swept = {override.get_key_element() for override in parsed if override.is_sweep_override()}
    (jobs,) = BasicSweeper.split_arguments(parsed, None)
    pairs = [[word.split("=", 1) for word in job] for job in jobs]
    return [{key.lstrip("+"): value for key, value in job if key in swept} for job in pairs]


def _row(folder: Path, runs: list[tuple[int, dict[str, str]]]) -> SweepRow:
    folders = [folder / str(number) for number, _ in runs]
    done = [run for run in folders if (run / "metrics.json").is_file()]
    numbers = [read_numbers(run) for run in done]
    if len(done) == len(runs):
        state = "finished"
    elif len(runs) > 1:
        state = f"{len(done)} of {len(runs)} finished"
    else:
        state = "not finished" if (folders[0] / "config.yaml").is_file() else "not begun"
    return SweepRow(
        name=" ".join(str(number) for number, _ in runs),
        settings={key: value for key, value in runs[0][1].items() if key != SEED},
        state=state,
        held_out=together([held_out for held_out, _ in numbers]),
        test=together([test for _, test in numbers]),
        folders=tuple(map(str, folders)),
        whole=len(done) == len(runs),
    )
