import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vidreid.synthetic import baselines, leaks
from vidreid.synthetic.benchmark import synthesize
from vidreid.synthetic.calibration import baseline_rows, colour_row, table
from vidreid.synthetic.camera import FRAME_SECONDS
from vidreid.synthetic.plan import SIZES, Size
from vidreid.synthetic.scores import Scores, SplitReader, chance, score


class Listed:
    """Six tracklets of two people and a distractor, scored by hand below."""

    pids = np.array([1, 1, 2, 2, 0, -1])
    cameras = np.array([1, 2, 1, 2, 1, 1])
    is_query = np.array([True, False, True, False, False, False])


def test_scores_by_hand() -> None:
    # Query 0 (at 0): its match is at 3, behind the distractor at 2; junk at 0 does not count.
    # Query 2 (at 10): its match at 11 comes first.
    features = np.array([[0.0], [3.0], [10.0], [11.0], [2.0], [0.0]])
    scores = score(features, Listed())  # pyright: ignore[reportArgumentType]
    assert scores.rank1 == 50
    assert scores.rank5 == 100
    assert scores.mean_ap == pytest.approx(100 * (1 / 2 + 1) / 2)
    assert scores.mean_inp == pytest.approx(100 * (1 / 2 + 1) / 2)
    # Nearest of all but junk: the distractor (same camera) for 0, and 11 (other camera) for 10.
    assert scores.same_camera == 50


def test_scores_agree_with_the_library(tree: Path) -> None:
    ranking = pytest.importorskip("vidreid.metrics.ranking")
    split = SplitReader(tree)
    features = np.random.default_rng(0).standard_normal((len(split), 4)) + np.abs(split.pids)[:, None] * 0.3
    mine = score(features, split)
    pids, cameras = torch.from_numpy(split.pids), torch.from_numpy(split.cameras)
    asked = torch.from_numpy(split.is_query)
    x = torch.from_numpy(features)
    theirs = ranking.rank(x[asked], x, pids[asked], pids, cameras[asked], cameras)
    assert mine.rank1 == pytest.approx(100 * float(theirs.cmc[0]))
    assert mine.rank5 == pytest.approx(100 * float(theirs.cmc[4]))
    assert mine.mean_ap == pytest.approx(100 * theirs.mean_ap)
    assert mine.mean_inp == pytest.approx(100 * theirs.mean_inp)


def test_gait_reads_the_cadence() -> None:
    time = FRAME_SECONDS * np.arange(24)
    joints = np.zeros((24, 17, 3))
    joints[:, 5:7, 1], joints[:, 11:13, 1], joints[:, 13:15, 1], joints[:, 15:, 1] = 20, 50, 75, 100
    joints[:, [5, 11], 0], joints[:, [6, 12], 0] = 4, -4
    for frequency in (0.8, 1.1):
        joints[:, 15, 0] = 15 * np.sin(2 * np.pi * frequency * time)
        joints[:, 16, 0] = -joints[:, 15, 0]
        told = baselines.gait(joints)
        assert told[6] == pytest.approx(2 * frequency, abs=0.06)
        assert told[7] > 0.95
        # Without the order of the frames the cadence is gone, and nothing else.
        shuffled = baselines.gait(np.random.default_rng(0).permutation(joints))
        assert shuffled[7] < 0.7
        assert shuffled[:6] == pytest.approx(told[:6])


def test_part_colours_look_where_the_joints_are() -> None:
    images = np.zeros((2, 128, 64, 3), np.uint8)
    images[:, 100:] = (10, 20, 30)
    joints = np.zeros((2, 17, 3))
    joints[..., :2] = (32, 50)
    joints[:, 15:, 1] = 115
    joints[..., 2] = 1
    joints[:, :5, 2] = 0
    told = baselines.part_colours(images, joints).reshape(-1, 3)
    assert told[6].tolist() == [10, 20, 30]  # ankles
    assert (told[[1, 2, 3, 4, 5]] == 0).all()
    np.testing.assert_allclose(told[0], images.reshape(-1, 3).mean(0))  # no head is seen: the whole crop


def test_standardising_removes_the_camera() -> None:
    cameras = np.array([1, 1, 1, 2, 2, 2])
    features = np.array([1.0, 2, 3, 110, 120, 130])[:, None]
    np.testing.assert_allclose(*np.split(baselines.standardise(features, cameras), 2))


def test_verdict_of_the_leak_table() -> None:
    floor = Scores(1.0, 5.0, 2.0, 1.0, 0.0, 2.0, 16.0)
    lines = table(
        "check", [("fine", Scores(3, 9, 2, 1, 0.5, 6, 10)), ("bad", Scores(9, 20, 5, 2, 4, 14, 10))], floor
    )
    assert lines[2].endswith("ok      |")
    assert lines[3].endswith("LEAK    |")


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty test identities in short tracklets: enough for the order of the baselines."""
    root = tmp_path_factory.mktemp("synthetic") / "medium"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "medium", Size(1, 30, (4, 4), (1.0,), 4, 5))
        return synthesize(root, "medium", height=64, workers=1, progress=False)


def test_baselines_stand_in_the_wanted_order(medium: Path) -> None:
    split = SplitReader(medium)
    rows = dict(baseline_rows(split))
    floor = chance(split)
    names = ["gait only (true joints)", "mean colour", "part colours, detected joints"]
    names += ["part colours, true joints", "oracle: the attributes"]
    gait, colour, seen, true, oracle = (rows[name].rank1 for name in names)
    assert floor.rank1 < gait < colour < seen < true < oracle
    assert floor.rank1 < 3
    assert oracle > 95
    assert colour < 45
    assert colour_row(medium) == pytest.approx(
        {
            "rank1": rows["mean colour"].rank1 / 100,
            "rank5": rows["mean colour"].rank5 / 100,
            "mAP": rows["mean colour"].mean_ap / 100,
            "mINP": rows["mean colour"].mean_inp / 100,
        }
    )


def test_the_camera_is_a_shortcut(medium: Path) -> None:
    split = SplitReader(medium)
    raw = np.stack([baselines.mean_colour(split.images(row)) for row in range(len(split))])
    assert score(raw, split).same_camera > 50
    assert chance(split).same_camera < 25


@pytest.mark.slow
def test_nothing_leaks(medium: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "medium", Size(1, 30, (4, 4), (1.0,), 4, 5))
    split = SplitReader(medium)
    floor = chance(split)
    features = {
        "background": leaks.background_features(medium),
        "permuted": leaks.permuted_features(medium),
        **leaks.file_features(split),
    }
    for name, values in features.items():
        told = score(baselines.standardise(values, split.cameras), split)
        assert told.low <= floor.rank1 + 0.5, name
    # The same check does find what is no leak but the person: it can fail.
    parts = dict(baseline_rows(split))["part colours, true joints"]
    assert parts.low > floor.rank1 + 5


@pytest.mark.slow
def test_the_command_renders_reports_and_recognises(tmp_path: Path, repo_root: Path) -> None:
    root = tmp_path / "tree"
    command = [sys.executable, str(repo_root / "src/synthesize.py"), "size=tiny", f"root={root}", "workers=1"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more], cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False
        )

    first = run()
    assert first.returncode == 0, first.stderr
    assert "rendered" in first.stdout
    assert json.loads((root / "synthetic.json").read_text())["size"] == "tiny"
    second = run("report=true")
    assert "already there" in second.stdout
    for word in ("chance", "gait only", "mean colour", "oracle", "background only", "frame count", "entropy"):
        assert word in second.stdout
    refused = run("seed=1")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")
    assert "Traceback" not in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
