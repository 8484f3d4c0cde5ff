"""Rates worked out by hand, and those of released code."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch.optim.lr_scheduler import LRScheduler

from support.golden_key_reid import check, load
from vidreid.training.parameter_groups import sgd_with_bias_rate
from vidreid.training.schedules import (
    constant,
    released_cosine,
    released_cosine_rate,
    step_decay,
    warmup_cosine,
)


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


def test_golden_rates(golden_file: Callable[[str], Path]) -> None:
    golden = load(golden_file("case08_lr_table.npz"))
    for name, base in (("lr_weight", 0.008), ("lr_bias", 0.016)):
        table = [released_cosine_rate(int(epoch), base) for epoch in golden["epoch"]]
        check("case08_lr_table", name, np.array(table), golden[name])


def test_golden_training(golden_file: Callable[[str], Path], repo_root: Path) -> None:
    """The optimiser and the schedule of the configuration, two batches an epoch."""
    golden = load(golden_file("case08_lr_table.npz"))
    with initialize_config_dir(str(repo_root / "conf"), version_base="1.3"):
        config = compose("train", ["optimizer=sgd_transformer", "schedule=cosine_released"])
    named = [(name, torch.nn.Parameter(torch.zeros(1))) for name in ("fc.weight", "fc.bias")]
    optimizer = instantiate(config.optimizer)(named)
    decay = np.array([group["weight_decay"] for group in optimizer.param_groups])
    check("case08_lr_table", "weight_decay", decay, golden["weight_decay"])
    schedule = instantiate(config.schedule)(optimizer, 2, 120)
    seen = []
    for _ in range(240):
        seen.append(schedule.get_last_lr())
        optimizer.step()
        schedule.step()
    for name, rates_of_group in zip(("lr_weight", "lr_bias"), zip(*seen, strict=True), strict=True):
        check("case08_lr_table", name, np.array(rates_of_group[::2]), golden[name][1:])
        assert rates_of_group[::2] == rates_of_group[1::2], "the rate changes between epochs only"
    before = [released_cosine_rate(0, base) for base in (0.008, 0.016)]
    check("case08_lr_table", "lr_before_first_step", np.array(before), golden["lr_before_first_step"])


def test_released_cosine_by_hand() -> None:
    """Growth over 2 of 4 epochs from 0.1 to 1.0, and down to 0.2."""
    seen = rates(lambda o: released_cosine(o, 3, 4, warmup_epochs=2, start=0.1, floor=0.2), 15)
    wanted = [0.1 + 0.9 / 2, 0.2 + 0.4, 0.2 + 0.4 * (1 + math.cos(0.75 * math.pi)), 0.2, 0.2]
    assert seen == pytest.approx([rate for rate in wanted for _ in range(3)])


def test_released_cosine_leaves_a_rate_of_zero() -> None:
    optimizer = sgd_with_bias_rate([("weight", torch.nn.Parameter(torch.zeros(1)))], lr=0.0)
    assert released_cosine(optimizer, 1, 10).get_last_lr() == [0.0]


@pytest.mark.parametrize("make", [step_decay, warmup_cosine, released_cosine])
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
