"""Optimisers over named parameters, and two optimisers that step as one."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from typing_extensions import override

Named = Iterable[tuple[str, nn.Parameter]]
MakeOptimizer = Callable[[Named], Optimizer]
"""Makes an optimiser of named parameters, as those of torch do."""

SCHEDULED = "scheduled"
"""Key of a parameter group; ``False`` means that schedules leave its rate alone."""


def sgd_with_bias_rate(
    named: Named,
    lr: float = 0.008,
    bias_lr: float = 0.016,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
) -> SGD:
    """Return SGD with a rate of its own for biases, as TransReID, VID-Trans-ReID and KeyRe-ID train.

    Everything else is decayed and scheduled alike: norms, positions, [CLS] and cameras too.

    Args:
        named: Parameters by name; those with ``bias`` in it have the second rate.
        lr: Rate of weights.
        bias_lr: Rate of biases.
        momentum: Without Nesterov.
        weight_decay: Of all.
    """
    named = list(named)
    groups = [
        {"params": [(n, p) for n, p in named if "bias" not in n], "lr": lr},
        {"params": [(n, p) for n, p in named if "bias" in n], "lr": bias_lr},
    ]
    return SGD([group for group in groups if group["params"]], lr, momentum, weight_decay=weight_decay)


def adamw_without_decay_of_vectors(named: Named, lr: float = 1e-3, weight_decay: float = 0.05) -> AdamW:
    """Return AdamW that decays matrices only: not biases, norms, positions, [CLS] and cameras.

    Args:
        named: Parameters by name.
        lr: Rate.
        weight_decay: Of matrices and kernels.
    """
    named = list(named)
    kept = ("positions", "cls_token", "cameras.")

    def decays(name: str, parameter: nn.Parameter) -> bool:
        return parameter.dim() > 1 and not any(part in name for part in kept)

    groups = [
        {"params": [(n, p) for n, p in named if decays(n, p)], "weight_decay": weight_decay},
        {"params": [(n, p) for n, p in named if not decays(n, p)], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr)


def center_sgd(named: Named, lr: float = 0.5, loss_weight: float = 0.0005) -> SGD:
    """Return the optimiser of centres: plain SGD on gradients that the weight of their loss is taken out of.

    The release multiplies the gradients by ``1 / loss_weight`` before the step, which is a rate of
    ``lr / loss_weight``. It is not scheduled.

    Args:
        named: The tables of centres.
        lr: Rate.
        loss_weight: Weight of the center loss in the sum of losses.

    Raises:
        ValueError: If the weight is not positive.
    """
    if loss_weight <= 0:
        raise ValueError(
            f"The center loss weighs {loss_weight}: its centres cannot be trained, remove the term from the "
            "recipe (~loss.terms.center) and set loss_optimizer=none."
        )
    return SGD([{"params": list(named), SCHEDULED: False}], lr / loss_weight)


class JointOptimizer(Optimizer):
    """Two optimisers that step together and are one for trainer, schedules, gradient scaler and checkpoints.

    Args:
        first: For the network.
        second: For the parameters of the losses.
    """

    def __init__(self, first: Optimizer, second: Optimizer) -> None:
        self.parts = (first, second)
        # The very same groups, so that whoever changes a rate changes it where it counts.
        groups = [*first.param_groups, *second.param_groups]
        super().__init__(groups, {})
        self.param_groups = groups

    @override
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step both."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    @override
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of both."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the states of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what ``state_dict`` gave."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        # Loading replaces the groups of a part.
        self.param_groups = [group for part in self.parts for group in part.param_groups]
