"""Optimisers whose parameters have rates by their names."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

NamedParameters = Iterable[tuple[str, nn.Parameter]]


def sgd_with_bias_rate(
    named: NamedParameters,
    lr: float = 0.008,
    bias_lr: float = 0.016,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
) -> torch.optim.SGD:
    """Return SGD with a rate of its own for biases, as TransReID, VID-Trans-ReID and KeyRe-ID train.

    Everything is decayed, weights of norms and embeddings of positions and cameras too. (Their code has a
    group a tensor; two groups do the same and step faster.)

    Args:
        named: Names and parameters.
        lr: Rate of all but the biases.
        bias_lr: Rate of parameters with "bias" in their names.
        momentum: Without Nesterov's look ahead.
        weight_decay: Of all parameters.
    """
    named = list(named)
    biases = [(name, parameter) for name, parameter in named if "bias" in name]
    others = [(name, parameter) for name, parameter in named if "bias" not in name]
    groups: list[dict[str, Any]] = [{"params": others, "lr": lr}, {"params": biases, "lr": bias_lr}]
    return torch.optim.SGD(
        [group for group in groups if group["params"]], lr=lr, momentum=momentum, weight_decay=weight_decay
    )


def adamw_with_bare_vectors(
    named: NamedParameters, lr: float = 1e-3, weight_decay: float = 0.05
) -> torch.optim.AdamW:
    """Return AdamW that decays matrices and kernels only: no biases, norms, positions, [CLS] or cameras.

    Args:
        named: Names and parameters.
        lr: Rate of all.
        weight_decay: Of matrices and kernels.
    """
    named = list(named)
    embeddings = ("positions", "cls_token", "cameras.")
    bare = {name for name, value in named if value.dim() < 2 or any(part in name for part in embeddings)}
    groups: list[dict[str, Any]] = [
        {
            "params": [(name, value) for name, value in named if name not in bare],
            "weight_decay": weight_decay,
        },
        {"params": [pair for pair in named if pair[0] in bare], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=lr)


def centers_sgd(named: NamedParameters, lr: float = 0.5, loss_weight: float = 0.0005) -> torch.optim.SGD:
    """Return plain SGD for the centres of a center loss, whose rate does not hang on the weight of the loss.

    Released code multiplies their gradients by ``1 / loss_weight`` before a step; plain SGD with the rate
    ``lr / loss_weight`` takes the same step, and that is the rate one reads in the log. (The global branch's
    weight stays: with 0.75 the rate that works on the global centres is 0.75 of ``lr``.)

    Args:
        named: Names and parameters.
        lr: Rate of the centres.
        loss_weight: Weight of the center loss in the recipe.

    Raises:
        ValueError: If the weight is not above 0.
    """
    if loss_weight <= 0:
        raise ValueError(
            f"Centres cannot learn from a center loss of weight {loss_weight}: give it a weight above 0, or "
            "leave it out with its optimiser (~loss.terms.center ~loss.weights.center ~loss_optimizer)."
        )
    return torch.optim.SGD(list(named), lr=lr / loss_weight)
