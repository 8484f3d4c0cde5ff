"""The same descriptors under every protocol: equal to separate evaluations, to a hand count, to MARS."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from support.outfit_runs import evaluated, trained
from support.real_mars import write_real_mars
from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.protocols import compare_protocols
from vidreid.commands.protocols.scores import Described, protocol_scores
from vidreid.commands.table import aligned
from vidreid.commands.train import train
from vidreid.data.protocols import PROTOCOLS, union_of
from vidreid.metrics.tracklets import TrackletDescriptors


def settings(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("protocols", [*overrides])


@pytest.fixture(scope="module")
def pcb(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "pcb"
    train(
        compose_training(
            tiny_root, run, *SMALL, *NARROW, "experiment=pcb_synthetic", "trainer.max_epochs=1",
            "data.test_sampling=dense",
        )
    )  # fmt: skip
    return run


def check_equal(run: Path, names: list[str]) -> None:
    """One table row a protocol, each with the numbers of an evaluation of its own."""
    compare_protocols(settings(f"run={run}"))
    (scores,) = json.loads((run / "protocols.json").read_text())["draws"]
    assert list(scores) == names
    for name in names:
        alone = evaluated(run, name)
        one = scores[name]
        assert (one["gallery"], one["counted"], one["dropped"]) == (
            alone["gallery"],
            alone["queries_counted"],
            alone["queries_dropped"],
        )
        for key, theirs in (("rank1", "rank1"), ("rank5", "rank5"), ("mean_ap", "mAP"), ("mean_inp", "mINP")):
            assert one[key] == pytest.approx(alone[theirs], abs=1e-6), (name, key)
        assert one["wrong"] == ("warning" in alone)


@pytest.mark.slow
def test_each_row_is_an_evaluation_of_its_own(pcb: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Among them the legacy one, which depends on the clips of all tracklets and their order."""
    before = (pcb / "metrics.json").read_bytes()
    check_equal(pcb, list(PROTOCOLS))
    assert (pcb / "metrics.json").read_bytes() == before
    printed = capsys.readouterr().out
    assert (pcb / "protocols.md").read_text().strip() in printed
    assert "legacy_unfiltered (wrong)" in printed


def test_outfits_are_respected(ccvid_root: Path, tmp_path: Path) -> None:
    check_equal(trained(ccvid_root, "ccvid", tmp_path), ["standard", "same_clothes", "clothes_changing"])


def line_of(places: list[float], pids: list[int], cameras: list[int], queries: list[int]) -> Described:
    """Tracklets on a line, numbered from 10, one clip each."""
    count = len(places)
    table = pd.DataFrame(
        {"tracklet": range(10, 10 + count), "pid": pids, "camera": cameras,
         "is_query": [row in queries for row in range(count)]}
    )  # fmt: skip
    # Descriptors may come in any order.
    order = torch.arange(count).flip(0)
    facts = (torch.arange(10, 10 + count), torch.tensor(pids), torch.tensor(cameras), torch.full((count,), 3))
    descriptors = TrackletDescriptors(
        torch.tensor(places)[:, None][order],
        *(fact[order] for fact in facts),
        clips=torch.ones(count, dtype=torch.int64),
    )
    return Described(descriptors, table, PROTOCOLS, 1, "by hand")


def test_by_hand() -> None:
    """Query A (identity 1, camera 1) at 0; B (identity 2, camera 2), another query, at 2.

    Others: junk at 1, a distractor at 1.5, A's right answer in camera 2 at 3, B's only answer is none.
    """
    scores = protocol_scores(
        line_of(
            [0.0, 2.0, 1.0, 1.5, 3.0],
            [1, 2, -1, 0, 1],
            [1, 2, 1, 2, 2],
            queries=[0, 1],
        )
    )
    # official: the gallery of A is the distractor, B, and its answer: rank 3.
    one = scores["official"]
    assert (one.gallery, one.counted, one.dropped) == (4, 1, 1)
    assert one.mean_ap == pytest.approx(1 / 3)
    assert one.mean_ap_of_all == pytest.approx(1 / 6)
    assert one.trapezoid == pytest.approx((0 / 2 + 1 / 3) / 2)
    assert (one.rank1, one.rank5) == (0, 1)
    # Junk at 1 comes before: rank 4.
    assert scores["junk_as_wrong"].mean_ap == pytest.approx(1 / 4)
    assert scores["junk_as_wrong"].gallery == 5
    # Without queries: distractor, answer.
    assert scores["queries_removed"].mean_ap == pytest.approx(1 / 2)
    assert scores["queries_removed"].gallery == 2
    assert scores["no_distractors"].mean_ap == 1
    assert scores["no_distractors"].gallery == 1
    # One frame a tracklet: each tracklet keeps its own camera, and the mix-up does nothing.
    assert scores["legacy_unfiltered"].mean_ap == pytest.approx(1 / 2)


def test_a_tracklet_that_was_not_described_is_an_error() -> None:
    whole = line_of([0.0, 1.0, 2.0], [1, 1, 2], [1, 2, 1], queries=[0])
    part = line_of([0.0, 1.0], [1, 1], [1, 2], queries=[0])
    with pytest.raises(ValueError, match="1 test tracklets were not described, the first is 12"):
        protocol_scores(replace(part, table=whole.table))


def test_everybody_plays_in_the_union() -> None:
    table = pd.DataFrame({"pid": [1, 1, 0, -1], "is_query": [True, False, False, False]})
    assert union_of(PROTOCOLS).roles(table).tolist() == [3, 2, 2, 2]
    only = {name: PROTOCOLS[name] for name in ("queries_removed", "no_distractors")}
    assert union_of(only).roles(table).tolist() == [1, 2, 2, 0]


@pytest.mark.slow
def test_mars_metadata_alone_makes_the_table(shared_data: Path, tmp_path: Path) -> None:
    write_real_mars(tmp_path / "mars", shared_data)
    out = tmp_path / "out"
    table = compare_protocols(settings(f"metadata={tmp_path}/mars", "draws=2", f"out={out}"))
    rows = {line.split("|")[1].split()[0]: line.split("|")[2:5] for line in table.splitlines()[2:]}
    counts = {name: tuple(int(cell.replace(",", "")) for cell in cells) for name, cells in rows.items()}
    assert counts == {
        "official": (11310, 1980, 0),
        "junk_as_wrong": (12180, 1980, 0),
        "queries_removed": (9330, 1840, 140),
        "no_distractors": (6082, 1840, 140),
        "legacy_unfiltered": (9330, 1518, 462),
    }
    first, second = json.loads((out / "protocols.json").read_text())["draws"]
    assert first["official"]["mean_ap"] != second["official"]["mean_ap"]
    for scores in (first, second):
        assert scores["official"]["trapezoid"] < scores["official"]["mean_ap"]
        assert scores["junk_as_wrong"]["mean_ap"] < scores["official"]["mean_ap"]
        assert scores["legacy_unfiltered"]["rank1"] > scores["queries_removed"]["rank1"] + 0.15


@pytest.mark.parametrize("given", [[], ["run=x", "metadata=y"]])
def test_what_is_ranked_must_be_said(given: list[str]) -> None:
    with pytest.raises(ValueError, match="run=RUN for the descriptors of a trained run, or metadata=DIR"):
        compare_protocols(settings(*given))


@pytest.mark.slow
def test_missing_metadata_is_one_sentence(repo_root: Path, tmp_path: Path) -> None:
    status, output = call(repo_root, "protocols.py", "metadata=nowhere", cwd=tmp_path)
    assert status == 1
    assert output.startswith("error: ")
    assert "nowhere" in output
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())


def test_columns_stand_below_one_another() -> None:
    assert aligned([["a", "b"], ["long", "1"], ["x", "22.5"]]) == (
        "| a    |    b |\n|------|-----:|\n| long |    1 |\n| x    | 22.5 |"
    )
