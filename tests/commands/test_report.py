"""What a run says beside its scores, as its user reads it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hydra import compose, initialize_config_dir

from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.evaluation import TABLE
from vidreid.commands.pictures import compared
from vidreid.commands.pictures.compared import draw_compared
from vidreid.commands.train import train

PCB = ("experiment=pcb_synthetic", *SMALL, *NARROW)


def composed(command: str, *overrides: str) -> Any:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose(command, [*overrides])


def evaluated(run: Path, *overrides: str) -> dict[str, Any]:
    return evaluate_run(composed("eval", f"run={run}", *overrides))


@pytest.fixture(scope="module")
def run(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "pcb"
    train(compose_training(tiny_root, run, *PCB, "trainer.max_epochs=1", "report.draws=50"))
    return run


def strictly(file: Path) -> dict[str, Any]:
    """Read JSON as its standard has it: without NaN and infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in {file}")

    return json.loads(file.read_text(), parse_constant=refuse)


def test_a_run_tells_how_sure_its_numbers_are(run: Path, tiny_root: Path) -> None:
    told = strictly(run / "metrics.json")
    assert (told["query"], told["pooling"], told["distance"]) == ("tracklet", "mean", "euclidean")
    intervals = told["intervals"]
    assert (intervals["level"], intervals["draws"], intervals["seed"]) == (0.95, 50, 0)
    assert 2 <= intervals["identities"] <= told["queries_counted"]
    for name in ("rank1", "rank5", "mAP", "mINP"):
        low, high = intervals[name]
        assert 0 <= low <= told[name] <= high <= 1
    assert intervals["mAP"][0] < intervals["mAP"][1]

    pairs, cameras = told["verification"], told["camera_pairs"]
    assert pairs["right_pairs"] > 0
    assert [point["asked"] for point in pairs["at_fpr"]] == [0.0001, 0.001, 0.01, 0.1]
    for point in (*pairs["at_fpr"], pairs["equal_error"]):
        assert point["tpr"] == point["right_accepted"] / pairs["right_pairs"]
        assert point["fpr"] == point["wrong_accepted"] / pairs["wrong_pairs"]
    assert all(point["fpr"] <= point["asked"] for point in pairs["at_fpr"])
    queries = np.array(cameras["queries"])
    assert queries.shape == (len(cameras["query_cameras"]), len(cameras["gallery_cameras"]))
    for score in ("rank1", "mAP"):
        told_of = np.array([[value is not None for value in row] for row in cameras[score]])
        assert (told_of == (queries > 0)).all()
    own = [cameras["gallery_cameras"].index(camera) for camera in cameras["query_cameras"]]
    assert (queries[np.arange(len(own)), own] == 0).all()
    assert queries.sum() >= told["queries_counted"]


def test_images_ask_and_the_largest_values_are_taken(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("data.query=image", "metric.pooling=max", "data.test_sampling=dense")
    told = evaluated(run, *settings)
    stored = strictly(run / "eval_test_sampling-dense_query-image_pooling-max_last.json")
    assert stored == json.loads(json.dumps(told))
    assert (stored["query"], stored["pooling"]) == ("image", "max")
    whole = strictly(run / "metrics.json")
    for name in ("queries_counted", "queries_dropped", "gallery"):
        assert stored[name] == whole[name]
    assert stored["cmc"] != whole["cmc"]
    printed = capsys.readouterr().out.splitlines()
    assert "protocol official, image queries:" in printed[0]
    low, high = stored["intervals"]["mAP"]
    people = stored["intervals"]["identities"]
    assert printed[1].startswith(f"95 % intervals over {people} identities:  rank1 ")
    assert printed[1].endswith(f"  mAP {100 * low:.1f} to {100 * high:.1f}")
    # Other settings of the pooling are other numbers where tracklets have several clips.
    other = evaluated(run, "data.query=image", "data.test_sampling=dense")
    assert [other[name] for name in TABLE] != [stored[name] for name in TABLE]


def test_settings_of_the_report_change_no_scores(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = evaluated(
        run, "report.draws=30", "report.level=0.5", "report.seed=3", "report.rates=[0.5]", "report.cameras=5"
    )
    assert "the same numbers as in the run's metrics.json" in capsys.readouterr().out
    stored = strictly(run / "eval.json")
    whole = strictly(run / "metrics.json")
    assert (stored["intervals"]["level"], stored["intervals"]["draws"]) == (0.5, 30)
    assert [point["asked"] for point in stored["verification"]["at_fpr"]] == [0.5]
    assert stored["camera_pairs"] is None  # the tiny benchmark has six
    for name in ("rank5", "mAP"):
        (low, high), (lowest, highest) = stored["intervals"][name], whole["intervals"][name]
        assert lowest <= low <= high <= highest
    assert told["cmc"] == whole["cmc"]


def test_a_wrong_protocol_sets_no_threshold(run: Path) -> None:
    told = evaluated(run, "data.protocol=legacy_unfiltered")
    assert told["verification"] is told["camera_pairs"] is None
    stored = strictly(run / "eval_protocol-legacy_unfiltered_last.json")
    assert {"intervals", "verification", "camera_pairs"} <= stored.keys()


def test_too_little_for_a_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is searched comes before the images that ask: none of these is among two clips."""
    evaluated(run, "data.query=image", "trainer.limit_test_batches=2", "data.test_batch_size=1")
    stored = strictly(run / "eval_query-image_test_batch_size-1_limit_test_batches-2_last.json")
    assert stored["intervals"] is stored["verification"] is stored["mAP"] is None
    assert "intervals over" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["report.level=95"], r"report\.level=95 makes no interval"),
        (["report.level=1"], r"report\.level=1 makes no interval"),
        (["report.draws=0"], r"report\.draws=0 is no whole number from 1"),
        (["report.draws=2.5"], r"report\.draws=2\.5 is no whole number from 1"),
        (["report.seed=-1"], r"report\.seed=-1 is no whole number from 0"),
        (["report.rates=[0.1,3]"], r"report\.rates=\[0\.1, 3\] are no false positive rates"),
        (["report.rates=0.1"], r"report\.rates=0\.1 are no false positive rates"),
    ],
)
def test_what_makes_no_report_is_said_before_any_work(
    settings: list[str], words: str, run: Path, tiny_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        evaluated(run, *settings)
    with pytest.raises(ValueError, match=words):
        train(compose_training(tiny_root, tmp_path / "run", *PCB, *settings))
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_run_of_an_earlier_version_gets_the_same_report(run: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "checkpoints").symlink_to(run / "checkpoints")
    config = yaml.safe_load((run / "config.yaml").read_text())
    del config["report"], config["data"]["query"], config["metric"]["pooling"]
    (old / "config.yaml").write_text(yaml.safe_dump(config))
    told = evaluated(old, "report.seed=1")
    assert (told["query"], told["pooling"]) == ("tracklet", "mean")
    assert (told["intervals"]["draws"], told["intervals"]["seed"]) == (1000, 1)
    assert (old / "eval.json").is_file()


def test_a_ranked_list_shows_the_image_that_asks(
    run: Path, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    draw = compared.ranked_strips
    monkeypatch.setattr(compared, "ranked_strips", lambda rows: (shown.extend(rows), draw(rows))[1])
    train(compose_training(tiny_root, tmp_path / "run", *PCB, "debug=fast", "data.query=image",
                           "trainer.limit_test_batches=1.0"))  # fmt: skip
    draw_compared(composed("pictures", "figure=ranked", f"run={tmp_path / 'run'}", "count=2", "ranks=3"))
    assert [len(row.query.frames) for row in shown] == [1, 1]
    assert {len(strip.frames) for row in shown for strip in row.found} == {2}
    assert (tmp_path / "run" / "pictures" / "ranked.png").is_file()


@pytest.mark.slow
def test_one_of_two_processes_writes_the_report(
    run: Path, tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    settings = ("data.query=image", "data.test_sampling=dense", "report.draws=40")
    file = run / "eval_test_sampling-dense_query-image_last.json"
    file.unlink(missing_ok=True)
    status, output = call(
        repo_root, "eval.py", f"run={run}", *settings, "trainer.devices=2", "trainer.strategy=ddp",
        cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, output
    assert output.count("intervals over") == 1
    together = strictly(file)
    alone = evaluated(run, *settings)
    assert together["cmc"] == alone["cmc"]
    assert together["camera_pairs"] == alone["camera_pairs"]
    for name in ("rank1", "mAP"):
        assert together["intervals"][name] == pytest.approx(alone["intervals"][name], abs=1e-6)
    assert together["verification"]["right_pairs"] == alone["verification"]["right_pairs"]
    assert together["verification"]["auc"] == pytest.approx(alone["verification"]["auc"], abs=1e-3)
