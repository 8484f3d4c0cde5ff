"""``collect``: the runs of a study, of a search or of a grid as a table."""

from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.study_table import StudyRun, markdown, repeated, rows_csv, runs_csv, study_rows
from vidreid.commands.sweeps.grid_rows import MULTIRUN, grid_rows, has_seeds
from vidreid.commands.sweeps.journal import JOURNAL
from vidreid.commands.sweeps.search_rows import search_rows
from vidreid.commands.sweeps.table import SweepRow, as_csv
from vidreid.commands.sweeps.table import markdown as markdown_of_sweep
from vidreid.files import read_json, write_whole
from vidreid.training.run_folder import RunFolder

FIRST_STAGE = "visual_stage"


def collect(folder: Path) -> str:
    """Write the table of a folder of runs into it, and print it.

    Args:
        folder: What ``train.py -m`` filled: a study, a search with Optuna, or a grid.

    Returns:
        The Markdown table.

    Raises:
        FileNotFoundError: If the folder is none of these, or has no finished run.
        ValueError: If its runs do not belong together.
    """
    if (folder / JOURNAL).is_file():
        rows, told = search_rows(folder)
        return _write_sweep(folder, f"Search {folder.name}", rows, "trial", told, seeds=False)
    if (folder / MULTIRUN).is_file() and not _is_study(folder):
        return _write_sweep(folder, f"Grid {folder.name}", grid_rows(folder), "run", [], has_seeds(folder))
    return collect_study(folder)


def collect_study(folder: Path) -> str:
    """Write ``table.md``, ``table.csv`` and ``runs.csv`` into the folder of a study.

    Args:
        folder: What ``train.py -m study=...`` filled.

    Returns:
        The Markdown table.

    Raises:
        FileNotFoundError: If the folder has no finished run of a study.
        ValueError: If its runs do not belong together.
    """
    runs, study, unfinished = read_study(folder)
    _check_tested(runs)
    rows = study_rows(runs, study)
    protocol = runs[0].metrics["protocol"]
    data = runs[0].metrics["data"]
    word = repeated(study)
    told = (
        f"{study.get('title', folder.name)}. {data['name']} ({data['train_identities']} training identities, "
        f"{runs[0].metrics['gallery']} gallery tracklets), protocol {protocol}; per cent, mean ± standard "
        f"deviation over {word}s; gains are differences {word} by {word}."
    )
    if "warning" in runs[0].metrics:
        told += f" {runs[0].metrics['warning']}"
    table = markdown(rows, study)
    for name, text in (
        ("table.md", f"{told}\n\n{table}\n"),
        ("table.csv", rows_csv(rows, study)),
        ("runs.csv", runs_csv(runs, study)),
    ):
        with write_whole(folder / name) as temporary:
            temporary.write_text(text)
    print(f"{told}\n\n{table}\n")
    if unfinished:
        print(f"note: {len(unfinished)} runs are not finished, first {unfinished[0]}: call the study again.")
    print(f"written to {folder / 'table.md'}, table.csv and runs.csv")
    return table


def _write_sweep(
    folder: Path, name: str, rows: list[SweepRow], title: str, told: list[str], seeds: bool
) -> str:
    per_cent = f"per cent{', mean ± standard deviation over seeds' if seeds else ''}"
    order = "best held-out mAP first"
    if not any(row.held_out for row in rows):
        order = (
            "in the order of the runs: without held-out identities (data.held_out_identities) none is better"
        )
    above = f"{name}; {per_cent}, {order}."
    table = markdown_of_sweep(rows, title, seeds=seeds)
    text = "\n\n".join([above, table, *told])
    for file, content in (("table.md", f"{text}\n"), ("table.csv", as_csv(rows, title))):
        with write_whole(folder / file) as temporary:
            temporary.write_text(content)
    print(f"{text}\n\nwritten to {folder / 'table.md'} and table.csv")
    return table


def _is_study(folder: Path) -> bool:
    return any(RunFolder(file.parent).read_config().get("study") for file in folder.rglob("config.yaml"))


def read_study(folder: Path) -> tuple[list[StudyRun], dict[str, Any], list[Path]]:
    """Read the runs of a study.

    Args:
        folder: Its folder.

    Returns:
        The evaluations, the ``study`` block of the configuration, and the folders of unfinished runs.

    Raises:
        FileNotFoundError: If there is no finished run of a study.
    """
    runs: list[StudyRun] = []
    study: dict[str, Any] = {}
    unfinished: list[Path] = []
    for file in sorted(folder.rglob("config.yaml")):
        run = file.parent
        config = RunFolder(run).read_config()
        own = config.get("study")
        if own is None or run.name == FIRST_STAGE:
            continue
        if not (run / "metrics.json").is_file():
            unfinished.append(run)
            continue
        study = study or own
        for row, metrics in _evaluations(run, own["row"]):
            runs.append(StudyRun(row, _repeat(config, own), metrics, str(run)))
    if not runs:
        raise FileNotFoundError(
            f"{folder} holds no finished run of a study, and is no search and no grid: give the folder that "
            "`train.py -m` filled (runs/studies/NAME, runs/searches/NAME or runs/NAME/sweep_TIME)."
        )
    return runs, study, unfinished


def _check_tested(runs: list[StudyRun]) -> None:
    untested = [run.folder for run in runs if "protocol" not in run.metrics]
    if untested:
        raise ValueError(
            f"{len(untested)} runs of the study did not look at the test set, first {untested[0]}: evaluate "
            "them by running the study without test=false in a folder of its own."
        )


def _repeat(config: dict[str, Any], study: dict[str, Any]) -> int:
    """Return the seed of a run, or the value of the setting that its study repeats instead."""
    value: Any = config
    for key in (study.get("repeat") or "seed").split("."):
        value = value[key]
    return value


def _evaluations(run: Path, row: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the run's numbers, and those of its further descriptors."""
    found = [(row, read_json(run / "metrics.json"))]
    for file in sorted(run.glob("eval_descriptor-*.json")):
        metrics = read_json(file)
        found.append((f"{row}/{metrics['descriptor']}", metrics))
    return found


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="collect")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    collect(Path(config.folder))


def main() -> None:
    """Run the command."""
    _hydra_main()
