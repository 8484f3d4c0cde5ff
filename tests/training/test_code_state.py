"""The state of the code in real git checkouts: clean, changed, new, without git."""

import os
import subprocess
from pathlib import Path

import pytest

from vidreid.training.code_state import code_state


def git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def tree(checkout: Path) -> dict[str, str]:
    """The files that a run reads."""
    return {
        str(path.relative_to(checkout)): path.read_bytes().hex()
        for top in ("src", "conf")
        for path in sorted((checkout / top).rglob("*"))
        if path.is_file()
    }


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "src" / "package").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "src" / "package" / "a.py").write_text("one = 1\ntwo = 2\n")
    (folder / "conf" / "train.yaml").write_text("seed: 0\n")
    (folder / "README.md").write_text("words\n")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def folders(checkout: Path) -> list[Path]:
    return [checkout / "src" / "package", checkout / "conf"]


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    (checkout / "README.md").write_text("other words\n")  # no run reads it
    (checkout / "src" / "package" / "x.log").write_text("ignored\n")
    state = code_state(folders(checkout))
    assert state is not None
    assert state.commit == git(checkout, "rev-parse", "HEAD")
    assert len(state.commit) == 40
    assert (state.branch, state.patch, state.left_out) == ("trunk", b"", [])


def test_the_patch_makes_the_code_of_the_run_from_the_commit(checkout: Path, tmp_path: Path) -> None:
    """Changed, staged, new, deleted, binary files, whatever diffs the user likes; git writes nothing."""
    for setting in ("diff.noprefix=true", "color.ui=always", "diff.external=false", "diff.relative=true"):
        git(checkout, "config", *setting.split("="))
    (checkout / "src" / "package" / "a.py").write_text("one = 1\ntwo = 3\n")
    (checkout / "src" / "package" / "[new] ü\n.py").write_text("new = True\n")
    (checkout / "src" / "package" / "table.bin").write_bytes(bytes(range(256)))
    (checkout / "src" / "package" / "staged.py").write_text("staged = 1\n")
    git(checkout, "add", "src/package/staged.py")
    (checkout / "src" / "package" / "staged.py").write_text("staged = 2\n")
    (checkout / "conf" / "train.yaml").unlink()
    (checkout / "conf" / "eval.yaml").write_text("seed: 1\n")
    status = git(checkout, "status", "--porcelain", "-z")
    before = snapshot(checkout / ".git")
    state = code_state(folders(checkout))
    assert snapshot(checkout / ".git") == before
    assert git(checkout, "status", "--porcelain", "-z") == status
    assert state is not None
    assert state.commit is not None

    repeated = tmp_path / "repeated"
    git(tmp_path, "clone", "--quiet", str(checkout), str(repeated))
    git(repeated, "checkout", "--quiet", state.commit)
    (tmp_path / "uncommitted.patch").write_bytes(state.patch)
    git(repeated, "apply", str(tmp_path / "uncommitted.patch"))
    assert tree(repeated) == tree(checkout)
    assert len(tree(repeated)) == 5


def test_new_files_of_over_a_megabyte_are_named_only(checkout: Path) -> None:
    (checkout / "conf" / "weights.pth").write_bytes(bytes((1 << 20) + 1))
    (checkout / "conf" / "small.pth").write_bytes(b"\0")
    state = code_state(folders(checkout))
    assert state is not None
    assert state.left_out == ["conf/weights.pth"]
    assert b"conf/small.pth" in state.patch
    assert len(state.patch) < 2000


def test_a_checkout_without_a_branch_or_a_commit(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "checkout", "--quiet", "--detach")
    state = code_state(folders(checkout))
    assert state is not None
    assert (state.branch, state.patch) == (None, b"")

    unborn = tmp_path / "unborn"
    (unborn / "src").mkdir(parents=True)
    (unborn / "src" / "a.py").write_text("a = 1\n")
    git(unborn, "init", "--quiet", "--initial-branch=trunk")
    git(unborn, "add", ".")
    state = code_state([unborn / "src"])
    assert state is not None
    assert (state.commit, state.branch) == (None, "trunk")
    assert b"+a = 1" in state.patch


def test_code_that_git_does_not_know_has_no_state(checkout: Path, tmp_path: Path) -> None:
    """An installed package: in no checkout, or in an environment that lies in somebody else's."""
    (tmp_path / "site-packages" / "package").mkdir(parents=True)
    assert code_state([tmp_path / "site-packages" / "package"]) is None
    installed = checkout / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "a.py").write_text("a = 1\n")
    assert code_state([installed]) is None
    assert code_state([tmp_path / "nowhere"]) is None


def test_without_git_there_is_no_state(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert code_state(folders(checkout)) is None


def test_a_hook_of_another_checkout_does_not_mislead(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / "index"))
    state = code_state(folders(checkout))
    assert state is not None
    assert state.commit == git(checkout, "rev-parse", "HEAD")
