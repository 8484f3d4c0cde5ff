"""Which code a run was made with: commit, branch and what is not committed of a git checkout."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_LARGEST = 1 << 20
_PATIENCE = 60


class CodeState(NamedTuple):
    """The code in some folders of a git checkout.

    Attributes:
        commit: The commit that is checked out; ``None`` before the first one.
        branch: Its branch; ``None`` if none is checked out.
        patch: What differs from the commit, new files too, for ``git apply``; empty if nothing does.
        left_out: New files of over a megabyte, which are not in the patch.
    """

    commit: str | None
    branch: str | None
    patch: bytes
    left_out: list[str]


def code_state(folders: Sequence[Path]) -> CodeState | None:
    """Return the state of the code, without writing anything into the checkout.

    Files that git ignores are left out.

    Args:
        folders: What to look at. The first one decides which checkout it is.

    Returns:
        The state, or ``None`` if git does not know the files of the first folder, as where the package is
        installed, or if there is no git that can read the checkout.
    """
    try:
        return _code_state([folder.resolve() for folder in folders])
    except (OSError, subprocess.SubprocessError):
        return None


def _code_state(folders: list[Path]) -> CodeState | None:
    checkout = Path(os.fsdecode(_git(folders[0], "rev-parse", "--show-toplevel")).rstrip("\n"))
    # A virtual environment may lie inside somebody's checkout.
    if not _git(folders[0], "ls-files", "--", "."):
        return None
    inside = [str(folder.relative_to(checkout)) for folder in folders if folder.is_relative_to(checkout)]
    commit = _line(checkout, "rev-parse", "--verify", "--quiet", "HEAD")
    branch = _line(checkout, "symbolic-ref", "--short", "--quiet", "HEAD")
    listed = _git(checkout, "ls-files", "--others", "--exclude-standard", "-z", "--", *inside)
    new = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    small = [name for name in new if (checkout / name).lstat().st_size <= _LARGEST]
    left_out = sorted(set(new) - set(small))
    return CodeState(commit, branch, _patch(checkout, commit, inside, small), left_out)


def _patch(checkout: Path, commit: str | None, inside: list[str], new: list[str]) -> bytes:
    """Return the difference to a commit; new files count through a copy of the index that is thrown away."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index"
        shutil.copy(_path(checkout, "index"), index)
        private = {
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(_path(checkout, "objects")),
        }
        if new:
            add = ("--literal-pathspecs", "add", "--intent-to-add", "--pathspec-from-file=-")
            _git(checkout, *add, "--pathspec-file-nul", given="\0".join(new), **private)
        empty = ("hash-object", "-t", "tree", "-w", "--stdin")
        base = commit or _git(checkout, *empty, **private).decode().strip()
        # Whatever the user has set for diffs to be looked at, this one is to be applied.
        plain = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv")
        prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
        return _git(checkout, "diff", *plain, *prefixes, base, "--", *inside, **private)


def _path(checkout: Path, name: str) -> Path:
    return checkout / os.fsdecode(_git(checkout, "rev-parse", "--git-path", name)).rstrip("\n")


def _line(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or ``None`` where it says by its status that there is none."""
    try:
        return _git(folder, *arguments).decode().strip()
    except subprocess.CalledProcessError:
        return None


def _git(folder: Path, *arguments: str, given: str = "", **private: str) -> bytes:
    # Git tells hooks and aliases by such variables where they belong: not what is asked for here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**environment, "GIT_OPTIONAL_LOCKS": "0", **private},
        input=os.fsencode(given),
        capture_output=True,
        check=True,
        timeout=_PATIENCE,
    )
    return done.stdout
