"""The optimiser whose state is divided: against the same one undivided, on two real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vidreid.training.sharded_optimizer import ShardedOptimizer, shares


def test_shares_hold_about_as_much() -> None:
    """By hand: 5 -> 0; 4 -> 1; 3 -> 1 (4 < 5); 3 -> 0 (5 < 7); 2 -> 1 (7 < 8)."""
    assert shares([3, 5, 2, 4, 3], 2) == [1, 0, 1, 1, 0]
    assert shares([7, 1], 1) == [0, 0]
    assert shares([1], 3) == [0]


def model() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3, bias=False))


def optimizer_of(network: torch.nn.Module) -> torch.optim.Optimizer:
    weights = [p for p in network.parameters() if p.dim() == 2]
    others = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": weights, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.05)


def train(network: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        optimizer.zero_grad()
        generator = torch.Generator().manual_seed(step)
        network(torch.randn(5, 4, generator=generator)).square().sum().backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.9  # as schedules do


def test_alone_it_is_the_optimiser_itself() -> None:
    plain, wrapped = model(), model()
    train(plain, optimizer_of(plain), range(3))
    sharded = ShardedOptimizer(optimizer_of(wrapped))
    train(wrapped, sharded, range(3))
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), wrapped.parameters(), strict=True))
    with pytest.raises(RuntimeError, match="call consolidate_state_dict on all first"):
        sharded.state_dict()


@pytest.mark.slow
def test_two_processes_hold_one_state(tmp_path: Path, repo_root: Path) -> None:
    """Steps, whole state, and going on from it are the undivided optimiser's, bit for bit."""
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(tmp_path), str(rank)],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(repo_root / "src")},
        )
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]

    network = model()
    optimizer = optimizer_of(network)
    train(network, optimizer, range(4))
    whole = torch.load(tmp_path / "state.pt", weights_only=True)
    undivided = optimizer.state_dict()
    assert whole["param_groups"] == undivided["param_groups"]
    assert whole["state"].keys() == undivided["state"].keys()
    for number, state in undivided["state"].items():
        assert all(torch.equal(value, whole["state"][number][name]) for name, value in state.items())
    train(network, optimizer, range(4, 7))
    for rank in (0, 1):
        values = torch.load(tmp_path / f"weights_{rank}.pt", weights_only=True)
        assert all(torch.equal(values[key], value) for key, value in network.state_dict().items())
    held = [json.loads((tmp_path / f"held_{rank}.json").read_text()) for rank in (0, 1)]
    # Groups hold 32 and 24 weights and 8 biases: the first process gets the 32, the second the rest.
    assert held == [[0], [1, 2]]


def _one_of_two(folder: Path, rank: int) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    network = model()
    optimizer = ShardedOptimizer(optimizer_of(network))
    train(network, optimizer, range(4))
    optimizer.consolidate_state_dict()
    if rank == 0:
        torch.save(optimizer.state_dict(), folder / "state.pt")
    torch.distributed.barrier()
    again = ShardedOptimizer(optimizer_of(network))
    again.load_state_dict(torch.load(folder / "state.pt", weights_only=True))
    train(network, again, range(4, 7))
    torch.save(network.state_dict(), folder / f"weights_{rank}.pt")
    held = [number for number, p in enumerate(again.parameters) if again.whole.state.get(p)]
    (folder / f"held_{rank}.json").write_text(json.dumps(held))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    _one_of_two(Path(sys.argv[1]), int(sys.argv[2]))
