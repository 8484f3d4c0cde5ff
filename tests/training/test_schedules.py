"""Rates worked out by hand."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch.optim.lr_scheduler import LRScheduler

from vidreid.training.schedules import constant, step_decay, warmup_cosine


def rates(make: Callable[[torch.optim.Optimizer], LRScheduler], steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    seen = []
    for _ in range(steps):
        seen.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return seen


def test_step_decay_falls_at_whole_epochs() -> None:
    seen = rates(lambda o: step_decay(o, 3, 5, every_epochs=2, factor=0.1), 15)
    assert seen == pytest.approx([1.0] * 6 + [0.1] * 6 + [0.01] * 3)


def test_warmup_grows_in_a_line() -> None:
    seen = rates(lambda o: step_decay(o, 4, 5, every_epochs=100, warmup_epochs=1), 6)
    assert seen == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_warmup_by_stairs_from_a_share() -> None:
    seen = rates(lambda o: step_decay(o, 2, 8, every_epochs=6, warmup_epochs=4, warmup_from=0.01), 14)
    stairs = [0.01 * 0.75 + 0.25, 0.01 * 0.5 + 0.5, 0.01 * 0.25 + 0.75, 1.0, 1.0, 1.0, 0.1]
    assert seen == pytest.approx([rate for rate in stairs for _ in range(2)])


def test_the_schedule_of_the_released_mgh(repo_root: Path) -> None:
    with initialize_config_dir(str(repo_root / "conf" / "schedule"), version_base="1.3"):
        make = instantiate(compose("mgh"))
    seen = rates(lambda o: make(o, 1, 800), 800)
    assert [seen[epoch] for epoch in (0, 9, 19, 199, 200, 399, 400, 599, 600, 799)] == pytest.approx(
        [0.01 * 0.95 + 0.05, 0.01 * 0.5 + 0.5, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    )


def test_cosine_ends_at_its_floor() -> None:
    seen = rates(lambda o: warmup_cosine(o, 10, 2, warmup_epochs=0, floor=0.1), 21)
    assert seen[0] == 1.0
    assert seen[10] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2)))
    assert seen[20] == pytest.approx(0.1)


def test_constant_stays() -> None:
    assert rates(lambda o: constant(o, 3, 4), 12) == [1.0] * 12


@pytest.mark.parametrize("make", [step_decay, warmup_cosine])
def test_a_resumed_schedule_goes_on(make: Callable[..., LRScheduler]) -> None:
    whole = rates(lambda o: make(o, 5, 4), 20)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    first = make(optimizer, 5, 4)
    for _ in range(7):
        optimizer.step()
        first.step()
    other = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    second = make(other, 5, 4)
    second.load_state_dict(first.state_dict())
    other.load_state_dict(optimizer.state_dict())
    seen = []
    for _ in range(13):
        seen.append(second.get_last_lr()[0])
        other.step()
        second.step()
    assert seen == pytest.approx(whole[7:])
