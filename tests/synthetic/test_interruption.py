"""Whatever stops the rendering, nothing is left that could be taken for a benchmark."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidreid.synthetic import crew, tree
from vidreid.synthetic.benchmark import synthesize


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    rendered = crew.render_planned
    calls = []

    def stops_after_three(*args: object, **named: object) -> object:
        calls.append(1)
        if len(calls) > 3:
            raise error
        return rendered(*args, **named)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(crew, "render_planned", stops_after_three)
    with pytest.raises(type(error)):
        synthesize(tmp_path / "tree", "tiny", height=32, workers=1, progress=False)
    assert len(calls) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_at_the_very_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tree, "write_info", full)
    with pytest.raises(OSError, match="No space left"):
        synthesize(tmp_path / "tree", "tiny", height=32, workers=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_with_two_workers(tmp_path: Path, repo_root: Path) -> None:
    program = (
        "from vidreid.synthetic import synthesize\n"
        "if __name__ == '__main__':\n"
        f"    synthesize({str(tmp_path / 'tree')!r}, 'small', workers=2, progress=False)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(repo_root / "src")}
    process = subprocess.Popen(
        [sys.executable, str(script)], env=environment, start_new_session=True, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(tmp_path.glob(".tree.partial-*/bbox_train/*/*.jpg")):
        time.sleep(0.1)
    assert any(tmp_path.glob(".tree.partial-*")), process.communicate()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.count(b"KeyboardInterrupt") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
