"""A process that is killed at any time: the same command goes on and ends with the same bytes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from support.tracked_videos import SOURCES, tree_of, write_street_and_yard
from vidreid.data.tracks.crop import crop_videos
from vidreid.data.tracks.cutting import encoded
from vidreid.data.tracks.settings import CropSettings
from vidreid.data.tracks.sources import make_sources

PROGRAM = """
import os, signal, sys, time
from pathlib import Path

from support.tracked_videos import SOURCES
from vidreid.data.tracks.crop import crop_videos
from vidreid.data.tracks.sources import make_sources

def dying(move):
    def moved(*places):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return move(*places)
    return moved

if __name__ == "__main__":
    root, out, workers, left = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    Path.replace, Path.rename = dying(Path.replace), dying(Path.rename)
    crop_videos(out, make_sources(SOURCES, Path(root)), None, workers, False, 2)
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return write_street_and_yard(tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="module")
def moves(videos):
    """How often something is moved to its place: the settings, each part, each crop, the manifest."""
    with pytest.MonkeyPatch.context() as patch:
        count = 0

        def counted(move):
            def moved(*places):
                nonlocal count
                count += 1
                return move(*places)

            return moved

        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "rename", counted(Path.rename))
        cut(videos / "whole", videos)
    return count


def cut(out, root, workers=1, **settings):
    return crop_videos(out, make_sources(SOURCES, root), CropSettings(**settings), workers, False, 2)


def started(tmp_path, repo_root, videos, workers, left):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": f"{repo_root / 'src'}{os.pathsep}{repo_root / 'tests'}"}
    command = [sys.executable, str(script), str(videos), str(tmp_path / "out"), str(workers), str(left)]
    return subprocess.Popen(command, env=environment)


@pytest.mark.parametrize("share", [0.2, 0.7, 1.0])
def test_after_a_kill_between_any_two_moves(videos, moves, tmp_path, repo_root, share):
    assert moves > 150
    left = 1 + round(share * (moves - 1))
    assert started(tmp_path, repo_root, videos, 1, left).wait(60) == -signal.SIGKILL
    out = tmp_path / "out"
    assert not (out / "manifest.csv").exists()
    assert not cut(out, videos, workers=1).was_there
    assert tree_of(out) == tree_of(videos / "whole")
    assert cut(out, videos).was_there


def test_after_a_kill_of_the_process_above_its_workers(videos, moves, tmp_path, repo_root):
    process = started(tmp_path, repo_root, videos, 2, 10**9)
    parts = tmp_path / "out" / ".parts"
    deadline = time.monotonic() + 60
    while not (parts.is_dir() and any(not path.name.startswith(".") for path in parts.iterdir())):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert len(workers) >= 2
    # Nobody goes on writing.
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    assert not cut(tmp_path / "out", videos).was_there
    assert tree_of(tmp_path / "out") == tree_of(videos / "whole")


def test_what_was_killed_while_clearing_up_is_whole(videos, moves, tmp_path):
    """The manifest is there: it is the last thing that is written."""
    out = shutil.copytree(videos / "whole", tmp_path / "out")
    (out / ".parts" / "0_000001_000002").mkdir(parents=True)
    (out / ".manifest.csv.partial-x.csv").touch()
    assert cut(out, videos).was_there
    assert tree_of(out) == tree_of(videos / "whole")
    assert not (out / ".parts").exists()


def test_parts_that_are_there_are_not_cut_again(videos, moves, tmp_path, monkeypatch):
    cropped: list[bytes] = []

    def counted(*arguments):
        if len(cropped) == 100:
            raise KeyboardInterrupt
        cropped.append(encoded(*arguments))
        return cropped[-1]

    monkeypatch.setattr("vidreid.data.tracks.cutting.encoded", counted)
    with pytest.raises(KeyboardInterrupt):
        cut(tmp_path / "out", videos)
    monkeypatch.undo()
    again: list[bytes] = []
    monkeypatch.setattr(
        "vidreid.data.tracks.cutting.encoded", lambda *arguments: again.append(b"") or encoded(*arguments)
    )
    cut(tmp_path / "out", videos)
    assert tree_of(tmp_path / "out") == tree_of(videos / "whole")
    # Of 150 crops, those of the one part that was under way are cut twice.
    assert 50 <= len(again) <= 52


def test_other_settings_are_refused(videos, moves, tmp_path):
    out = shutil.copytree(videos / "whole", tmp_path / "out")
    with pytest.raises(
        FileExistsError, match=r"settings \(settings\.margin: 0\.0 there, 0\.1 here\): choose"
    ):
        cut(out, videos, margin=0.1)
    with pytest.raises(FileExistsError, match=r"settings\.max_gap: 30 there, null here, and 1 more\)"):
        cut(out, videos, max_gap=None, stride=2)
    moved = shutil.copytree(videos, tmp_path / "moved")
    assert cut(out, moved).was_there
    with (moved / "tracks.txt").open("a") as file:
        file.write("40,99,5,5,20,50,1,-1,-1,-1\n")
    with pytest.raises(FileExistsError, match=r"sources\.1\.tracks_sha256: "):
        cut(out, moved)
    assert tree_of(out) == tree_of(videos / "whole")


def test_folders_that_hold_something_else_are_refused(videos, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="full is not empty and holds no crops of this command: choose"):
        cut(tmp_path / "full", videos)
    with pytest.raises(FileExistsError, match=r"thesis\.tex is a file: choose another folder"):
        cut(tmp_path / "full" / "thesis.tex", videos)
    (tmp_path / "damaged").mkdir()
    for text in ("{", "[" * 100_000, "\xff"):
        (tmp_path / "damaged" / "crop.json").write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=r"crop\.json is damaged: remove "):
            cut(tmp_path / "damaged", videos)
    (tmp_path / "damaged" / "crop.json").write_text(json.dumps([1]))
    with pytest.raises(FileExistsError, match="other settings"):
        cut(tmp_path / "damaged", videos)


def test_two_at_a_time_are_refused(videos, tmp_path, monkeypatch):
    def second(*_, **__):
        with pytest.raises(FileExistsError, match=r"Another process cuts into .*: wait for it"):
            cut(tmp_path / "out", videos)
        raise KeyboardInterrupt

    monkeypatch.setattr("vidreid.data.tracks.crop.run_lanes", second)
    with pytest.raises(KeyboardInterrupt):
        cut(tmp_path / "out", videos)
    monkeypatch.undo()
    assert not cut(tmp_path / "out", videos).was_there
