"""The floors of the house: no import runs upwards, there is no circle, no utils and no common."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "vidreid"

MAY_KNOW = {
    "errors": set(),
    "files": {"errors"},
    "keypoints": {"errors", "files"},
    "metrics": {"errors", "files"},
    "losses": {"errors", "files"},
    "data": {"errors", "files", "keypoints"},
    "models": {"errors", "files", "keypoints"},
    "synthetic": {"errors", "files", "keypoints", "data", "metrics"},
    "training": {"errors", "files", "keypoints", "data", "models", "losses", "metrics"},
    "retrieval": {"errors", "files", "keypoints", "data", "models", "metrics", "training"},
    "visualize": {"errors", "files", "keypoints", "data", "models", "metrics", "training", "retrieval"},
    "commands": {
        "errors", "files", "keypoints", "metrics", "losses", "data", "models",
        "synthetic", "training", "retrieval", "visualize",
    },
}  # fmt: skip


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def house_imports(source: str) -> set[str]:
    """Full names below ``vidreid`` that a module imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "vidreid"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if (node.module or "").split(".")[0] == "vidreid":
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_runs_upwards(path: Path) -> None:
    here = floor(path)
    if here == "__init__":
        assert house_imports(path.read_text()) == set()
        return
    known = {name.split(".")[1] for name in house_imports(path.read_text()) if name.count(".") >= 1}
    known.discard("__version__")
    assert here in MAY_KNOW, f"{here} is on no floor: give it one in MAY_KNOW"
    above = known - MAY_KNOW[here] - {here}
    assert not above, f"{path.name} on floor {here} knows {above}"


def test_the_walls_hold_no_circle() -> None:
    """The floors themselves form an order."""
    done: set[str] = set()
    while len(done) < len(MAY_KNOW):
        free = {name for name, known in MAY_KNOW.items() if name not in done and known <= done}
        assert free, f"a circle among {MAY_KNOW.keys() - done}"
        done |= free


def test_no_module_imports_itself_in_a_circle() -> None:
    """Modules inside a floor form an order too (packages count by their __init__)."""
    names = {}
    for path in modules():
        parts = ("vidreid", *path.relative_to(PACKAGE).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {}
    for name, path in names.items():
        wanted = house_imports(path.read_text())
        graph[name] = {
            other
            for other in names
            if other != name and any(w == other or w.startswith(other + ".") for w in wanted)
        }
        # `from vidreid.a.b import c` runs vidreid.a's __init__ first, but does not need it to be complete.
        graph[name] = {
            other
            for other in graph[name]
            if not name.startswith(other + ".") and names[other].name != "__init__.py"
        }
    done: set[str] = set()
    while len(done) < len(graph):
        free = {name for name, wanted in graph.items() if name not in done and wanted <= done}
        assert free, f"a circle among {sorted(graph.keys() - done)}"
        done |= free


def test_there_is_no_drawer_for_everything() -> None:
    names = {path.stem for path in modules()} | {path.name for path in PACKAGE.rglob("*") if path.is_dir()}
    assert not names & {"utils", "util", "common", "misc", "helpers"}


def test_files_stay_small() -> None:
    """About 150 lines, one idea a file; 300 is too long."""
    long = {str(p.relative_to(PACKAGE)): n for p in modules() if (n := len(p.read_text().splitlines())) > 300}
    assert not long
