"""Checkpoints are whole, safe to read and refuse to fill the wrong network."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vidreid.training.checkpoint import (
    META_KEY,
    WholeFileCheckpointIO,
    load_network,
    method_name,
    read_checkpoint,
)


class Visual(nn.Module):
    def __init__(self, identities: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(4, identities)


class Network(nn.Module):
    def __init__(self, identities: int, graph: bool = False) -> None:
        super().__init__()
        self.visual = Visual(identities)
        self.graph = nn.Linear(4, 2) if graph else None


def content(network: nn.Module, identities: int) -> dict[str, Any]:
    state = {f"network.{key}": value for key, value in network.state_dict().items()}
    meta = {"method": method_name(network), "num_identities": identities, "protocol": "official"}
    return {"state_dict": state, "epoch": 2, "global_step": 30, META_KEY: meta}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    WholeFileCheckpointIO().save_checkpoint(content(Network(5), 5), tmp_path / "last.ckpt")
    return tmp_path / "last.ckpt"


def test_a_checkpoint_comes_back(saved: Path) -> None:
    torch.manual_seed(0)
    original, other = Network(5), Network(5)
    meta = load_network(other, saved)
    assert meta["method"] == "Visual"
    assert torch.equal(other.visual.classifier.weight, original.visual.classifier.weight)


def test_one_part_can_be_taken(saved: Path) -> None:
    torch.manual_seed(0)
    original, other = Network(5), Network(5, graph=True)
    load_network(other.visual, saved, part="visual")
    assert torch.equal(other.visual.classifier.weight, original.visual.classifier.weight)


def test_another_method_is_refused(saved: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"of another network \(Visual with 5 identities\).*2 entries are missing, first graph",
    ):
        load_network(Network(5, graph=True), saved)


def test_another_number_of_identities_is_refused(saved: Path) -> None:
    with pytest.raises(ValueError, match=r"classifier\.\w+ is \(5.*\) and should be \(7"):
        load_network(Network(7), saved)


def test_a_torn_file_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"last\.ckpt is torn or not a checkpoint"):
        read_checkpoint(saved)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, META_KEY: Path("/tmp")}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match="holds objects besides tensors and plain values"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match="was not written by vidreid"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at .*none\.ckpt"):
        read_checkpoint(tmp_path / "none.ckpt")


def test_a_full_disk_keeps_the_old_checkpoint(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(*args: Any, **kwargs: Any) -> None:
        Path(args[1]).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        WholeFileCheckpointIO().save_checkpoint(content(Network(5), 5), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
