"""The wheel of torch-scatter is kept outside the clone, by what it was built for, and built only once."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch


@pytest.fixture
def script(repo_root, tmp_path, monkeypatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_torch_scatter", repo_root / "scripts" / "build_torch_scatter.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "cuda_toolkit_matches", lambda: False)
    return module


@pytest.fixture
def pip(script, monkeypatch) -> list[str]:
    """Replace pip by one that writes an empty wheel; return the verbs it was called with."""
    calls: list[str] = []

    def fake(*arguments: str, **environment: str) -> None:
        calls.append(arguments[0])
        if arguments[0] == "wheel":
            assert environment == {"FORCE_ONLY_CPU": "1"}
            folder = Path(arguments[arguments.index("--wheel-dir") + 1])
            (folder / "torch_scatter-2.1.2-x.whl").touch()

    monkeypatch.setattr(script, "pip", fake)
    return calls


def test_the_folder_names_what_a_wheel_depends_on(script, tmp_path) -> None:
    folder = script.wheel_folder(with_cuda=False)
    assert folder.parent == tmp_path / "vidreid" / "wheels"
    assert torch.__version__ in folder.name
    assert folder != script.wheel_folder(with_cuda=True)


def test_built_once_and_then_only_installed(script, pip, monkeypatch) -> None:
    monkeypatch.setattr(script, "works", lambda: True)
    script.main()
    assert pip == ["wheel", "install"]
    assert [path.name for path in script.wheel_folder(False).parent.iterdir()] == [
        script.wheel_folder(False).name
    ]
    script.main()
    assert pip == ["wheel", "install", "install"]


def test_a_kept_wheel_that_does_not_work_is_built_anew(script, pip, monkeypatch) -> None:
    answers = iter([True, False, True])
    monkeypatch.setattr(script, "works", lambda: next(answers))
    script.main()
    script.main()
    assert pip == ["wheel", "install", "install", "wheel", "install"]
    assert list(script.wheel_folder(False).glob("*.whl"))


def test_a_wheel_that_never_works_is_not_kept(script, pip, monkeypatch) -> None:
    monkeypatch.setattr(script, "works", lambda: False)
    with pytest.raises(SystemExit, match="cannot compute"):
        script.main()
    assert not list(script.wheel_folder(False).parent.iterdir())


def test_without_a_compiler_it_says_so(script, pip, monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SystemExit, match=r"install a C\+\+ compiler"):
        script.main()
    assert pip == []


def test_the_source_is_pinned_by_hash(script) -> None:
    text = script.REQUIREMENTS.read_text()
    assert "torch-scatter==" in text
    assert "--hash=sha256:" in text
