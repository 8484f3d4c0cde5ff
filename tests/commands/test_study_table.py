"""Rows, gains and files of a study, by hand."""

import csv
import io
import json
from pathlib import Path

import pytest
import yaml

from vidreid.commands.collect import collect
from vidreid.commands.study_table import StudyRun, markdown, rows_csv, runs_csv, signed, study_rows

STUDY = {
    "row": "both",
    "reference": "control",
    "labels": {"control": "trained on", "both": "KMPNet", "both/graph": "x_g"},
    "paper": {"mars": {"control": [84.7, 84.6], "both": [89.7, 86.5]}},
}


def metrics(rank1: float, mean_ap: float, **others) -> dict:
    data = {"name": "synthetic", "root": "data", "train_identities": 5}
    return {
        "rank1": rank1, "rank5": 1.0, "rank10": 1.0, "rank20": 1.0, "mAP": mean_ap, "mINP": 0.1,
        "protocol": "official", "average_precision": "hits", "descriptor": "visual", "epochs": 3,
        "gallery": 21, "data": data, **others,
    }  # fmt: skip


def runs() -> list[StudyRun]:
    return [
        StudyRun("both", 0, metrics(0.50, 0.40), "b0"),
        StudyRun("both", 1, metrics(0.60, 0.44), "b1"),
        StudyRun("control", 1, metrics(0.56, 0.41), "c1"),
        StudyRun("control", 0, metrics(0.48, 0.39), "c0"),
        StudyRun("other", 0, metrics(0.10, 0.10), "o0"),
    ]


def test_gains_are_taken_seed_by_seed() -> None:
    rows = {row.name: row for row in study_rows(runs(), STUDY)}
    assert list(rows) == ["control", "both", "other"]
    assert rows["both"].values == {"rank1": [0.50, 0.60], "mAP": [0.40, 0.44]}
    assert rows["both"].gains["rank1"] == pytest.approx([0.02, 0.04])
    assert rows["both"].gains["mAP"] == pytest.approx([0.01, 0.03])
    assert rows["control"].gains == {"rank1": [], "mAP": []}
    assert len(rows["other"].gains["rank1"]) == 1


def test_markdown() -> None:
    lines = markdown(study_rows(runs(), STUDY), STUDY).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == [
        "row", "seeds", "rank-1", "mAP", "rank-1 over 'trained on'", "mAP over 'trained on'",
        "paper, mars: rank-1 / mAP",
    ]  # fmt: skip
    assert cells[2] == ["trained on", "2", "52.0 ± 5.7", "40.0 ± 1.4", "", "", "84.7 / 84.6"]
    # Standard deviations with n - 1: 0.1/sqrt(2), 0.04/sqrt(2), 0.02/sqrt(2) twice.
    assert cells[3] == ["KMPNet", "2", "55.0 ± 7.1", "42.0 ± 2.8", "+3.0 ± 1.4", "+2.0 ± 1.4", "89.7 / 86.5"]
    assert cells[4] == ["other", "1", "10.0", "10.0", "-38.0", "-29.0", ""]
    assert len({len(line) for line in lines}) == 1, "columns stand under each other"


def test_csv_holds_the_numbers_as_they_are() -> None:
    rows = list(csv.DictReader(io.StringIO(rows_csv(study_rows(runs(), STUDY), STUDY))))
    both = rows[1]
    assert (both["row"], both["label"], both["seeds"]) == ("both", "KMPNet", "0 1")
    assert float(both["rank1_mean"]) == pytest.approx(0.55)
    assert float(both["mAP_gain_std"]) == pytest.approx(0.02 / 2**0.5)
    assert (both["paper_mars_rank1"], both["paper_mars_mAP"]) == ("0.897", "0.865")
    single = list(csv.DictReader(io.StringIO(runs_csv(runs(), STUDY))))
    assert [(row["row"], row["seed"], row["folder"]) for row in single][:2] == [
        ("both", "0", "b0"),
        ("both", "1", "b1"),
    ]


def test_signed() -> None:
    assert signed([]) == ""
    assert signed([0.012]) == "+1.2"
    assert signed([-0.02, 0.0]) == "-1.0 ± 1.4"


def test_runs_that_make_no_table() -> None:
    again = [*runs(), StudyRun("both", 1, metrics(0.5, 0.5), "b2")]
    with pytest.raises(ValueError, match="The row 'both' has seed 1 twice, in b1 and b2"):
        study_rows(again, STUDY)
    mixed = [*runs(), StudyRun("both", 2, metrics(0.5, 0.5, protocol="no_distractors"), "b2")]
    with pytest.raises(ValueError, match=r"differ in protocol \(no_distractors, official\)"):
        study_rows(mixed, STUDY)
    elsewhere = metrics(0.5, 0.5, data={"name": "mars", "root": "MARS", "train_identities": 5})
    with pytest.raises(ValueError, match="differ in their data"):
        study_rows([*runs(), StudyRun("both", 2, elsewhere, "b2")], STUDY)


def write_run(folder: Path, row: str | None, seed: int, numbers: dict | None) -> None:
    folder.mkdir(parents=True)
    study = None if row is None else {**STUDY, "row": row}
    (folder / "config.yaml").write_text(yaml.safe_dump({"seed": seed, "study": study}, sort_keys=False))
    if numbers is not None:
        (folder / "metrics.json").write_text(json.dumps(numbers))


def test_collecting_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "control" / "seed_0", "control", 0, metrics(0.4, 0.3))
    write_run(tmp_path / "both" / "seed_0", "both", 0, metrics(0.5, 0.3))
    (tmp_path / "both" / "seed_0" / "eval_descriptor-graph_last.json").write_text(
        json.dumps(metrics(0.2, 0.1, descriptor="graph"))
    )
    write_run(tmp_path / "both" / "seed_0" / "visual_stage", "both", 0, metrics(0.1, 0.1))
    write_run(tmp_path / "shared" / "seed_0", None, 0, metrics(0.1, 0.1))
    write_run(tmp_path / "both" / "seed_1", "both", 1, None)
    table = collect(tmp_path)
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert rows == ["trained on", "KMPNet", "x_g"]
    assert "+10.0" in table
    assert (tmp_path / "table.md").read_text().endswith(f"{table}\n")
    assert (tmp_path / "table.csv").is_file()
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 4
    assert f"1 runs are not finished, first {tmp_path / 'both' / 'seed_1'}" in capsys.readouterr().out


def test_another_setting_takes_the_place_of_the_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = {"row": "pcb", "repeat": "data.split", "reference": None, "labels": {}, "title": "Splits"}
    for split, rank1 in ((0, 0.4), (1, 0.6), (9, 0.8)):
        folder = tmp_path / "pcb" / f"split_{split}"
        folder.mkdir(parents=True)
        config = {"seed": 5, "data": {"split": split}, "study": study}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        (folder / "metrics.json").write_text(json.dumps(metrics(rank1, 0.5)))
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in collect(tmp_path).splitlines()]
    assert cells[0] == ["row", "splits", "rank-1", "mAP"]
    assert cells[2] == ["pcb", "3", "60.0 ± 20.0", "50.0 ± 0.0"]
    assert "deviation over splits" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert [row["splits"] for row in rows] == ["0 1 9"]
    assert [row["split"] for row in csv.DictReader((tmp_path / "runs.csv").open())] == ["0", "1", "9"]
    (tmp_path / "again").mkdir()
    for name in ("config.yaml", "metrics.json"):
        (tmp_path / "again" / name).write_text((tmp_path / "pcb" / "split_9" / name).read_text())
    with pytest.raises(ValueError, match="The row 'pcb' has split 9 twice"):
        collect(tmp_path)


def test_a_folder_without_a_study(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no finished run of a study"):
        collect(tmp_path)


def test_kinds_of_queries_have_columns_of_their_own() -> None:
    def with_kinds(rank1: float, occluded: float) -> dict:
        return metrics(rank1, 0.4, subsets={"occluded": {"rank1": occluded, "mAP": 0.2, "queries": 7}})

    told = [
        StudyRun("both", 0, with_kinds(0.5, 0.3), "b0"),
        StudyRun("control", 0, with_kinds(0.4, 0.1), "c0"),
    ]
    rows = {row.name: row for row in study_rows(told, STUDY)}
    assert rows["both"].values["occluded/rank1"] == [0.3]
    assert rows["both"].gains["occluded/rank1"] == pytest.approx([0.2])
    head, _, _, line = markdown(list(rows.values()), STUDY).splitlines()
    assert "occluded rank-1 over 'trained on'" in head
    assert [cell.strip() for cell in line.strip("|").split("|")][2:10] == [
        "50.0", "40.0", "30.0", "20.0", "+10.0", "+0.0", "+20.0", "+0.0",
    ]  # fmt: skip
    table = list(csv.DictReader(io.StringIO(runs_csv(told, STUDY))))
    assert [line["occluded/rank1"] for line in table] == ["0.3", "0.1"]
    # A kind that not all runs know is left out.
    assert "occluded/rank1" not in study_rows([*told, *runs()[4:]], STUDY)[0].values
