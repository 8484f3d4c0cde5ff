"""The wheel is complete, and the project's own files keep their promises."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vidreid.commands import COMMANDS, config_dir


@pytest.fixture(scope="module")
def wheel(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=repo_root, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_ships_the_configuration(wheel: Path, repo_root: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for file in (repo_root / "conf").rglob("*.yaml"):
        if file.parent.name != "local":
            assert f"vidreid/conf/{file.relative_to(repo_root / 'conf')}" in names
    assert "vidreid/py.typed" in names
    assert "hydra_plugins/vidreid_optuna/__init__.py" in names
    assert "hydra_plugins/__init__.py" not in names  # it belongs to all plugins of Hydra
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.slow
def test_the_installed_wheel_finds_its_configuration(wheel: Path, tmp_path: Path) -> None:
    """Unpacked away from the checkout, `vidreid train --cfg job` composes from the wheel's own copy."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "import vidreid.commands as c; print(c.config_dir()); c.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "train", "--cfg", "job", "experiment=pcb_synthetic"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "vidreid" / "conf") in done.stdout
    assert "name: pcb_synthetic" in done.stdout
    done = subprocess.run(
        [sys.executable, "-c", program, "train", "-m", "hparams_search=optuna", "data.held_out_identities=0"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "error: A search compares trials on training identities that are held out" in done.stderr


def test_every_command_has_a_configuration_and_a_script(repo_root: Path) -> None:
    for name in COMMANDS:
        assert (Path(config_dir()) / f"{name}.yaml").is_file()
        if name != "demo":
            assert (repo_root / "src" / f"{name}.py").is_file()


def test_requirements_are_pinned_by_hash_without_hosts(repo_root: Path) -> None:
    for file in repo_root.glob("requirements*.txt"):
        text = file.read_text()
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
        entries = re.split(r"\n(?=\S)", text.strip())
        for entry in entries:
            if not entry.startswith("#"):
                assert re.match(r"[\w.-]+==\S+", entry), entry[:60]
                assert "--hash=sha256:" in entry, entry[:60]


def test_every_make_target_of_the_readme_exists(repo_root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repo_root / "Makefile").read_text(), re.MULTILINE))
    wanted = {"setup", "demo", "test", "lint", "types", "format", "bench", "scatter", "clean"}
    assert wanted <= targets
    listed = subprocess.run(
        ["make", "help"], cwd=repo_root, capture_output=True, text=True, check=True
    ).stdout
    assert wanted <= {line.split()[0] for line in listed.splitlines() if line.strip()}
