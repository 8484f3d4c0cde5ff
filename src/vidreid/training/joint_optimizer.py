"""Two optimisers that step, are saved and go on as one."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer
from typing_extensions import override


class JointOptimizer(Optimizer):
    """Steps the network's optimiser and that of the losses' own parameters together.

    To a trainer it is one optimiser over all parameter groups: closures run once, gradients are accumulated,
    unscaled and clipped over all of them, and a checkpoint has one state of the usual form. Groups and state
    are shared with the two, which keep their own rules of stepping; they must not be stepped alone, and must
    step by their gradients alone (not LBFGS, which calls its closure several times).

    The groups of ``losses`` are marked ``scheduled=False``: schedules leave their rates as they are.

    Args:
        main: Optimiser of the network.
        losses: Optimiser of the parameters of the losses.

    Raises:
        ValueError: If the two share a parameter, or only one knows the names of its parameters.
    """

    def __init__(self, main: Optimizer, losses: Optimizer) -> None:
        for group in losses.param_groups:
            group["scheduled"] = False
        super().__init__([*main.param_groups, *losses.param_groups], {})
        self.main, self.losses = main, losses
        for one in (main, losses):
            self.state.update(one.state)
        self._share()

    @override
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Run the closure once, then both steps; return what the closure returned."""
        result = None
        if closure is not None:
            with torch.enable_grad():
                result = closure()
        self.main.step()
        self.losses.step()
        return result

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the joint state, for both."""
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        count = len(self.main.param_groups)
        parts = (self.param_groups[:count], self.param_groups[count:])
        for one, groups in zip((self.main, self.losses), parts, strict=True):
            # Not by assignment: optimisers fill in what states of older versions lack.
            one.__setstate__({"state": self.state, "param_groups": groups})
