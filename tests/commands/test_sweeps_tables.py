"""Tables of searches and grids, from folders made by hand."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from vidreid.commands import config_dir
from vidreid.commands.collect import collect
from vidreid.commands.sweeps.journal import SETTINGS, begin_study
from vidreid.commands.sweeps.search_rows import train_command

SPACE = {
    "optimizer.lr": FloatDistribution(1e-4, 1e-2, log=True),
    "data.clip_length": CategoricalDistribution((2, 4)),
}


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def write_run(folder: Path, held_out: tuple[float, float] | None, test: tuple[float, float] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"seed": 0, "study": None}))
    metrics: dict[str, Any] = {} if test is None else {"rank1": test[0], "mAP": test[1]}
    if held_out is not None:
        metrics["held_out"] = {"rank1": held_out[0], "mAP": held_out[1], "epoch": 3}
    (folder / "metrics.json").write_text(json.dumps(metrics))


def make_search(folder: Path) -> None:
    """Six trials: two finished, one pruned, one diverged, one in error, one killed and tried again."""
    folder.mkdir()
    settings = {
        "command": ["experiment=pcb_synthetic", "data.held_out_identities=2", "model.visual.channels=[8,16]"],
        "direction": "maximize", "space": {"optimizer.lr": {}, "data.clip_length": []},
        "settings": {"select": "last"},
    }  # fmt: skip
    (folder / SETTINGS).write_text(yaml.safe_dump(settings))
    study = begin_study(folder, "maximize", None)

    def add(
        number: int, lr: float, frames: int, state: TrialState, value: float | None = None, **attrs: Any
    ) -> None:
        params = {"optimizer.lr": lr, "data.clip_length": frames}
        attrs.setdefault("folder", f"trial_{number}")
        study.add_trial(
            create_trial(
                params=params, distributions=SPACE, state=state, value=value, user_attrs=attrs
            )
        )  # fmt: skip

    add(0, 0.001, 2, TrialState.COMPLETE, 0.40)
    add(1, 0.002, 4, TrialState.FAIL, reason="killed")
    add(2, 0.003, 4, TrialState.PRUNED, 0.70)
    add(3, 0.009, 4, TrialState.FAIL, reason="diverged")
    add(
        4,
        0.004,
        2,
        TrialState.FAIL,
        reason="The clips | are too short for this network, which is built for eight.",
    )
    add(5, 0.002, 4, TrialState.COMPLETE, 0.55, again=1, folder="trial_1")
    write_run(folder / "trial_0", (0.5, 0.40), None)
    write_run(folder / "trial_1", (0.6, 0.55), None)
    (folder / "trial_2").mkdir()
    (folder / "trial_2" / "pruned.json").write_text(json.dumps({"epoch": 2, "mAP": 0.70}))


def test_a_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "search"
    make_search(folder)
    table = cells(collect(folder))
    assert table[0] == [
        "trial", "optimizer.lr", "data.clip_length", "held-out rank-1", "held-out mAP", "state",
    ]  # fmt: skip
    # A pruned trial may be ahead at its epoch; it stands behind those that were trained to their end.
    assert table[2:] == [
        ["5", "0.002", "4", "60.0", "55.0", "finished"],
        ["0", "0.001", "2", "50.0", "40.0", "finished"],
        ["2", "0.003", "4", "", "70.0", "pruned at epoch 2"],
        ["3", "0.009", "4", "", "", "failed: diverged"],
        ["4", "0.004", "2", "", "", "failed: The clips / are too short for this network, which is buil..."],
    ]
    text = (folder / "table.md").read_text()
    assert "test" not in table[0]
    assert (
        f"Best: trial 5. Its network on the test set: `python src/eval.py run={folder / 'trial_1'}`." in text
    )
    assert (
        '`python src/train.py experiment=pcb_synthetic "model.visual.channels=[8,16]" optimizer.lr=0.002 '
        "data.clip_length=4 data.held_out_identities=0`" in text
    )
    assert text in capsys.readouterr().out
    rows = list(csv.DictReader((folder / "table.csv").open()))
    assert [row["trial"] for row in rows] == ["5", "0", "2", "3", "4"]
    assert rows[0]["held_out_mAP_mean"] == "0.55"
    assert rows[0]["folders"] == str(folder / "trial_1")


def test_test_numbers_are_shown_and_sort_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    make_search(folder)
    (folder / "trial_0" / "eval.json").write_text(json.dumps({"rank1": 0.99, "mAP": 0.98}))
    table = cells(collect(folder))
    assert table[0][5:] == ["test rank-1 (not for choosing)", "test mAP (not for choosing)", "state"]
    assert [row[0] for row in table[2:4]] == ["5", "0"]
    assert [row[5:7] for row in table[2:4]] == [["", ""], ["99.0", "98.0"]]


def test_the_importance_of_settings_is_told_after_ten_trials(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    make_search(folder)
    assert "Importance" not in collect(folder) + (folder / "table.md").read_text()
    study = begin_study(folder, "maximize", None)
    for number in range(6, 40):
        lr = 10 ** (-4 + 2 * (number % 11) / 10)
        study.add_trial(
            create_trial(
                params={"optimizer.lr": lr, "data.clip_length": 2 + 2 * (number % 2)}, distributions=SPACE,
                value=lr, user_attrs={"folder": f"trial_{number}"},
            )
        )  # fmt: skip
    collect(folder)
    text = (folder / "table.md").read_text()
    assert "Importance (PED-ANOVA over 36 finished trials): optimizer.lr 0.9" in text


def test_an_unfinished_search_without_a_number(tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text(
        yaml.safe_dump({"command": [], "direction": "maximize", "space": {}, "settings": {"select": "last"}})
    )
    begin_study(tmp_path, "maximize", None).ask(SPACE)
    table = cells(collect(tmp_path))
    assert [row[-1] for row in table[2:]] == ["running, or interrupted"]
    assert "Best" not in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize("select", ["last", "best"])
def test_the_command_of_the_best_trial_can_be_composed(select: str) -> None:
    given = ["experiment=pcb_synthetic", "data.held_out_identities=2", "model.visual.channels=[8,16,24,32]",
             f"select={select}", "optimizer=adam", "+data.note='it is'", "~callbacks.pictures"]  # fmt: skip
    params = {"optimizer.lr": 1e-05, "optimizer": "adamw", "model.visual.reduced": 24}
    command = shlex.split(train_command(given, params, select))
    assert command[:2] == ["python", "src/train.py"]
    with initialize_config_dir(config_dir(), version_base="1.3"):
        config = compose("train", command[2:])
        adamw = compose("train", ["optimizer=adamw"]).optimizer._target_
    assert (config.optimizer.lr, config.optimizer._target_) == (1e-05, adamw)
    assert (config.model.visual.reduced, config.data.note, config.test) == (24, "it is", True)
    # The best checkpoint is still chosen on held-out identities; else they are trained on as well.
    assert config.data.held_out_identities == (2 if select == "best" else 0)


def make_grid(folder: Path, words: list[str], params: dict[str, str] | None = None) -> None:
    folder.mkdir(exist_ok=True)
    hydra = {
        "sweep": {"dir": str(folder), "subdir": "${hydra.job.num}"},
        "sweeper": {"params": params}, "overrides": {"task": words, "hydra": ["hydra.mode=MULTIRUN"]},
    }  # fmt: skip
    (folder / "multirun.yaml").write_text(yaml.safe_dump({"hydra": hydra}))


def test_a_grid_with_seeds(tmp_path: Path) -> None:
    """Runs are numbered with the last word changing first: 0 to 2 have the first rate."""
    folder = tmp_path / "sweep_time"
    make_grid(folder, ["experiment=pcb_synthetic", "optimizer.lr=1e-3,3e-4", "seed=0,1,2"])
    for number, (rank1, mean_ap) in enumerate([(0.5, 0.2), (0.6, 0.3), (0.7, 0.4), (0.8, 0.5), (0.9, 0.7)]):
        write_run(folder / str(number), (rank1, mean_ap), (1 - rank1, 1 - mean_ap))
    table = cells(collect(folder))
    assert table[0] == [
        "run", "optimizer.lr", "seeds", "held-out rank-1", "held-out mAP",
        "test rank-1 (not for choosing)", "test mAP (not for choosing)", "state",
    ]  # fmt: skip
    # Standard deviations with n - 1. What is not whole stands behind, though its mean is higher.
    assert table[2] == [
        "0 1 2", "0.001", "3", "60.0 ± 10.0", "30.0 ± 10.0", "40.0 ± 10.0", "70.0 ± 10.0", "finished",
    ]  # fmt: skip
    assert table[3] == [
        "3 4 5", "0.0003", "2", "85.0 ± 7.1", "60.0 ± 14.1", "15.0 ± 7.1", "40.0 ± 14.1", "2 of 3 finished",
    ]  # fmt: skip
    write_run(folder / "5", (0.9, 0.6), None)
    assert [row[0] for row in cells(collect(folder))[2:]] == ["3 4 5", "0 1 2"]


def test_a_grid_without_held_out_identities_is_not_sorted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_grid(tmp_path, ["optimizer=adam,adamw", "+data.x=choice(1,2)"], params={"trainer.max_epochs": "3"})
    write_run(tmp_path / "0", None, (0.1, 0.1))
    write_run(tmp_path / "1", None, (0.9, 0.9))
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "config.yaml").write_text("seed: 0\n")
    table = cells(collect(tmp_path))
    assert table[0][:3] == ["run", "optimizer", "data.x"]
    assert [row[:3] for row in table[2:]] == [["0", "adam", "1"], ["1", "adam", "2"], ["2", "adamw", "1"],
                                              ["3", "adamw", "2"]]  # fmt: skip
    assert [row[-1] for row in table[2:]] == ["finished", "finished", "not finished", "not begun"]
    assert "without held-out identities (data.held_out_identities) none is better" in capsys.readouterr().out


def test_a_grid_whose_folders_have_other_names(tmp_path: Path) -> None:
    make_grid(tmp_path, ["seed=0,1"])
    text = (tmp_path / "multirun.yaml").read_text().replace("${hydra.job.num}", "rate_${optimizer.lr}")
    (tmp_path / "multirun.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"folders called rate_\$\{optimizer.lr\}, not by their numbers"):
        collect(tmp_path)


def test_a_study_that_did_not_look_at_test_makes_no_table(tmp_path: Path) -> None:
    make_grid(tmp_path, ["seed=0,1"])  # Hydra writes the same file for a study
    write_run(tmp_path / "row", (0.5, 0.5), None)
    (tmp_path / "row" / "config.yaml").write_text(yaml.safe_dump({"seed": 0, "study": {"row": "both"}}))
    with pytest.raises(ValueError, match=r"1 runs of the study did not look at the test set, first .*row"):
        collect(tmp_path)


def test_another_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is no search and no grid"):
        collect(tmp_path)
