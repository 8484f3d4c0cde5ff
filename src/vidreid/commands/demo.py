"""``demo``: PCB alone and KMPNet(PCB) on the procedural benchmark, on the same budget, with the colour row.

A PCB is trained first. From its checkpoint two trainings of equal length go on: PCB alone (the control of the
paper's Table 3, "+ fine-tune") and KMPNet(PCB). So the difference between them is the graph and nothing else.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.table import comparison_table
from vidreid.commands.train import train
from vidreid.files import write_json, write_whole
from vidreid.synthetic.benchmark import synthesize
from vidreid.synthetic.calibration import colour_row

QUICK = {"size": "tiny", "first_epochs": 2, "second_epochs": 1}


@plain_errors
def run_demo(settings: DictConfig) -> list[dict[str, Any]]:
    """Render, train, evaluate and compare.

    Args:
        settings: As in ``conf/demo.yaml``.

    Returns:
        One row a method and seed: name, seed, the numbers, the run folder.
    """
    start = time.perf_counter()
    if settings.quick:
        settings = settings.copy()
        settings.update({**QUICK, "size": "tiny" if settings.size == "small" else settings.size})
    root = Path(settings.root)
    runs = Path(settings.runs)
    synthesize(root, size=settings.size, seed=settings.data_seed, workers=2)
    rows = [{"method": "mean colour", "seed": None, **colour_row(root)}]
    for seed in settings.seeds:
        rows += _three_trainings(settings, root, runs, seed)
    write_json(runs / "comparison.json", rows)
    table = comparison_table(rows)
    with write_whole(runs / "comparison.md") as temporary:
        temporary.write_text(table + "\n")
    print(f"\n{table}\n")
    print(f"benchmark       {root}")
    print(f"table           {runs / 'comparison.md'}")
    for row in rows[1:]:
        print(f"{row['method']:<16}{row['run']}")
    print(f"ranked list     {rows[-1]['run']}/pictures/ranked.png")
    print(f"\n{time.perf_counter() - start:.0f} seconds in all")
    return rows


def _three_trainings(settings: DictConfig, root: Path, runs: Path, seed: int) -> list[dict[str, Any]]:
    folder = runs / f"seed_{seed}"
    first = folder / "pcb"
    again = [
        f"visual_checkpoint={first}/checkpoints/last.ckpt",
        f"trainer.max_epochs={settings.second_epochs}",
        *settings.second_overrides,
    ]
    plans = [
        ("PCB", "pcb_synthetic", first, [f"trainer.max_epochs={settings.first_epochs}"]),
        ("PCB, trained on", "pcb_synthetic", folder / "pcb_trained_on", again),
        ("KMPNet(PCB)", "kmpnet_pcb_synthetic", folder / "kmpnet_pcb", again),
    ]
    rows = []
    for method, experiment, run, overrides in plans:
        print(f"\n== {method}, seed {seed}")
        config = _compose(settings, root, run, seed, [f"experiment={experiment}", *overrides])
        metrics = _finished(run) or train(config)
        rows.append({**metrics, "method": method, "seed": seed, "run": str(run)})
    return rows


def _compose(settings: DictConfig, root: Path, run: Path, seed: int, overrides: list[str]) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        config = compose(
            "train",
            [
                *overrides,
                f"seed={seed}",
                f"data.root={root}",
                f"data.workers={settings.workers}",
                f"paths.run_dir={run}",
                *settings.overrides,
            ],
        )
    if (run / "config.yaml").is_file():
        config.resume = str(run)
    return config


def _finished(run: Path) -> dict[str, Any] | None:
    file = run / "metrics.json"
    return json.loads(file.read_text()) if file.is_file() else None


def main() -> None:
    """Run the command with ``key=value`` arguments over ``conf/demo.yaml``."""
    settings = OmegaConf.load(Path(config_dir()) / "demo.yaml")
    OmegaConf.set_struct(settings, True)
    try:
        given = OmegaConf.merge(settings, OmegaConf.from_cli(sys.argv[1:]))
    except Exception as error:
        print(
            f"error: {str(error).splitlines()[0]}; the keys are {', '.join(map(str, settings))}",
            file=sys.stderr,
        )
        sys.exit(2)
    assert isinstance(given, DictConfig)
    run_demo(given)


if __name__ == "__main__":
    main()
