"""Checkpoints are whole, safe to read and refuse to fill the wrong network."""

import errno
import random
import zipfile
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


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def read_or_refused(file: Path) -> Any:
    """Return the content, or ``None`` if it is refused by a sentence about the file."""
    try:
        return read_checkpoint(file)
    except ValueError as error:
        return None if str(file) in str(error) else error


def test_a_cut_file_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    generator = random.Random(0)
    for cut in [0, 1, 3, 30, len(whole) - 1, *(generator.randrange(len(whole)) for _ in range(200))]:
        saved.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"last\.ckpt is torn or not a checkpoint"):
            read_checkpoint(saved)


def test_a_changed_bit_is_refused_or_of_no_weight(tmp_path: Path) -> None:
    """Every bit of the archive's directory, which has no checksum, and many others.

    One of them marks a tensor as a folder; torch then returns whatever lies in memory.
    """
    file = tmp_path / "x.ckpt"
    content = {"state_dict": {"weight": torch.randn(5)}, "epoch": 1, META_KEY: {}}
    WholeFileCheckpointIO().save_checkpoint(content, file)
    whole, directory = file.read_bytes(), zipfile.ZipFile(file).start_dir
    assert same(read_checkpoint(file), content)
    bits = [*random.Random(0).sample(range(8 * directory), 600), *range(8 * directory, 8 * len(whole))]
    refused = 0
    for bit in bits:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        found = read_or_refused(file)
        assert found is None or same(found, content), bit
        refused += found is None
    assert refused > len(bits) / 4


def test_every_bit_of_a_weight_counts(saved: Path) -> None:
    whole = saved.read_bytes()
    weight = read_checkpoint(saved)["state_dict"]["network.visual.classifier.weight"].numpy().tobytes()
    start = whole.index(weight)
    for bit in range(8 * len(weight)):
        damaged = bytearray(whole)
        damaged[start + bit // 8] ^= 1 << bit % 8
        saved.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"torn or not a checkpoint \(Bad CRC-32 for file"):
            read_checkpoint(saved)


def test_the_way_out_depends_on_what_lies_around(saved: Path, tmp_path: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-7])
    with pytest.raises(ValueError, match=r"torn or not a checkpoint \(.*\): use another copy of it\.$"):
        read_checkpoint(saved)
    run = tmp_path / "run"
    last, best = run / "checkpoints" / "last.ckpt", run / "checkpoints" / "best.ckpt"
    last.parent.mkdir(parents=True)
    (run / "config.yaml").write_text("{}")
    saved.rename(last)
    again = rf"delete it \(and metrics\.json, if it is there\), and train\.py resume={run} trains again"
    with pytest.raises(ValueError, match=rf"\): {again} from the beginning\.$"):
        read_checkpoint(last)
    best.write_bytes(last.read_bytes())
    with pytest.raises(ValueError, match=rf"\): copy best\.ckpt over it to go on from there, or {again}"):
        read_checkpoint(last)
    with pytest.raises(ValueError, match=r"\): use last\.ckpt by checkpoint=last, or "):
        read_checkpoint(best)


def test_a_file_that_cannot_be_read_is_not_called_torn(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody shall delete a checkpoint because a disk or a network stutters."""
    for refused in (errno.EIO, errno.EACCES, errno.ESTALE):

        def stutter(*args: Any, number: int = refused, **kwargs: Any) -> None:
            raise OSError(number, "so says the disk")

        monkeypatch.setattr(zipfile.ZipFile, "infolist", stutter)
        with pytest.raises(ValueError, match=r"cannot be read \(so says the disk\): look after") as error:
            read_checkpoint(saved)
        assert "delete" not in str(error.value)
