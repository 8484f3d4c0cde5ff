"""The joint optimiser against its two optimisers, each stepped alone."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from vidreid.training.joint_optimizer import JointOptimizer
from vidreid.training.parameter_groups import centers_sgd, sgd_with_bias_rate
from vidreid.training.schedules import constant, released_cosine, step_decay, warmup_cosine


class Model(nn.Module):
    """A network and a table of centres, with a loss that both of them lower."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.network = nn.Linear(3, 2)
        self.centers = nn.Parameter(torch.randn(2, 2, generator=generator))
        with torch.no_grad():
            self.network.weight.copy_(torch.randn(2, 3, generator=generator))
            self.network.bias.zero_()

    def loss(self, step: int) -> torch.Tensor:
        inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        outputs = self.network(inputs)
        near = (outputs - self.centers[torch.tensor([0, 1, 1, 0])]).square().sum(1).mean()
        return outputs.square().mean() + 0.01 * near


MAINS: dict[str, Callable[[nn.Module], Optimizer]] = {
    "sgd": lambda m: sgd_with_bias_rate(m.named_parameters(), 0.01, 0.02),
    "adam": lambda m: torch.optim.Adam(m.named_parameters(), 0.01),
    "adamw": lambda m: torch.optim.AdamW(m.named_parameters(), 0.01, foreach=True),
}


def both(model: Model, main: str) -> tuple[Optimizer, Optimizer]:
    centers = centers_sgd([("centers", model.centers)], lr=0.5, loss_weight=0.01)
    return MAINS[main](model.network), centers


def weights(model: Model) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def twin(main: str, steps: int, every: int = 1) -> list[torch.Tensor]:
    """Step the two alone."""
    model = Model()
    optimizers = both(model, main)
    for step in range(steps * every):
        (model.loss(step) / every).backward()
        if (step + 1) % every == 0:
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    return weights(model)


def assert_same(one: list[torch.Tensor], other: list[torch.Tensor]) -> None:
    assert len(one) == len(other)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("main", MAINS)
@pytest.mark.parametrize("every", [1, 3])
def test_steps_as_the_two_do(main: str, every: int) -> None:
    model = Model()
    start = weights(model)
    joint = JointOptimizer(*both(model, main))
    for step in range(6):
        (model.loss(step) / every).backward()
        if (step + 1) % every == 0:
            joint.step()
            joint.zero_grad()
        if (step + 1) % every == 0:
            assert_same(weights(model), twin(main, (step + 1) // every, every))
    assert not any(torch.equal(a, b) for a, b in zip(weights(model), start, strict=True))


def test_a_closure_runs_once_with_gradients() -> None:
    model = Model()
    joint = JointOptimizer(*both(model, "sgd"))
    losses = []

    def closure() -> float:
        joint.zero_grad()
        loss = model.loss(0)
        loss.backward()
        losses.append(loss.item())
        return loss.item()

    with torch.no_grad():
        assert joint.step(closure) == losses[0]
    assert len(losses) == 1
    assert_same(weights(model), twin("sgd", 1))


@pytest.mark.parametrize("main", MAINS)
def test_a_saved_state_goes_on(main: str, tmp_path) -> None:
    model = Model()
    joint = JointOptimizer(*both(model, main))
    for step in range(3):
        joint.zero_grad()
        model.loss(step).backward()
        joint.step()
    torch.save({"model": model.state_dict(), "optimizer": joint.state_dict()}, tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)

    other = Model()
    other.load_state_dict(saved["model"])
    again = JointOptimizer(*both(other, main))
    again.load_state_dict(saved["optimizer"])
    assert str(again.state_dict()) == str(joint.state_dict())
    assert [group["lr"] for group in again.losses.param_groups] == [50.0]
    for step in range(3, 6):
        again.zero_grad()
        other.loss(step).backward()
        again.step()
    assert_same(weights(other), twin(main, 6))


def test_changed_rates_reach_the_optimisers_after_loading_too() -> None:
    model = Model()
    joint = JointOptimizer(*both(model, "sgd"))
    joint.load_state_dict(joint.state_dict())
    for group in joint.param_groups:
        group["lr"] = 0.0
    before = weights(model)
    model.loss(0).backward()
    joint.step()
    assert_same(weights(model), before)


def test_scaled_gradients_are_unscaled_once_and_infinite_ones_skip_both() -> None:
    model = Model()
    joint = JointOptimizer(*both(model, "sgd"))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1000)
    for step in range(4):
        joint.zero_grad()
        scaler.scale(model.loss(step)).backward()
        scaler.unscale_(joint)
        scaler.step(joint)
        scaler.update()
    assert_same(weights(model), twin("sgd", 4))
    before = weights(model)
    scaler.scale(model.loss(4) * torch.inf).backward()
    scaler.step(joint)
    scaler.update()
    assert_same(weights(model), before)
    assert scaler.get_scale() == 2.0


SCHEDULES = {
    "step_decay": lambda o: step_decay(o, 2, 6, every_epochs=1, warmup_epochs=2),
    "warmup_cosine": lambda o: warmup_cosine(o, 2, 6),
    "released_cosine": lambda o: released_cosine(o, 2, 6),
    "constant": lambda o: constant(o, 2, 6),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_leave_the_rate_of_centres_alone(name: str) -> None:
    joint, alone = JointOptimizer(*both(Model(), "sgd")), both(Model(), "sgd")[0]
    schedules = [SCHEDULES[name](optimizer) for optimizer in (joint, alone)]
    for _ in range(12):
        *network, centers = (group["lr"] for group in joint.param_groups)
        assert centers == 50.0
        assert network == [group["lr"] for group in alone.param_groups]
        for optimizer, schedule in zip((joint, alone), schedules, strict=True):
            optimizer.step()
            schedule.step()


def test_a_shared_parameter_is_refused() -> None:
    model = Model()
    main = torch.optim.SGD(list(model.named_parameters()), lr=0.1)
    with pytest.raises(ValueError, match="more than one parameter group"):
        JointOptimizer(main, centers_sgd([("centers", model.centers)]))
