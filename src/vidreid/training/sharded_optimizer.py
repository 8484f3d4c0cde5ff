"""An optimiser whose state is divided among the processes of a training: ZeRO, stage 1.

Rajbhandari et al., ZeRO: Memory Optimizations Toward Training Trillion Parameter Models, SC 2020.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override


class ShardedStates(DDPStrategy):
    """DDP, but each process holds the optimiser's state of its share of the parameters alone.

    The numbers are those of DDP, bit for bit, and checkpoints are the same: either may go on with the
    other's, on any number of processes.
    """


class ShardedOptimizer(Optimizer):
    """Lets an optimiser step a share of the parameters on each process and hands all of them round.

    To ``whole`` the gradients of other shares are hidden, so it keeps no state for them. It must treat each
    parameter by itself (as SGD, Adam and their kin do; not LARS over groups or LBFGS).

    Args:
        whole: An optimiser of all parameters, in the same order on all processes.
    """

    def __init__(self, whole: Optimizer) -> None:
        super().__init__(whole.param_groups, {})
        self.whole = whole
        alone = not dist.is_initialized()
        self.rank, processes = (0, 1) if alone else (dist.get_rank(), dist.get_world_size())
        self.parameters: list[Tensor] = [p for group in whole.param_groups for p in group["params"]]
        self.owners = shares([p.numel() for p in self.parameters], processes)
        self._gathered: dict[int, dict[str, Any]] | None = None
        self._share()

    @override
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Run the closure, step the own share, then give and take the new parameters."""
        result = None
        if closure is not None:
            with torch.enable_grad():
                result = closure()
        others = [p for p, owner in zip(self.parameters, self.owners, strict=True) if owner != self.rank]
        gradients = [p.grad for p in others]
        for parameter in others:
            parameter.grad = None
        self.whole.step()
        for parameter, gradient in zip(others, gradients, strict=True):
            parameter.grad = gradient
        self._hand_round()
        return result

    def consolidate_state_dict(self) -> None:
        """Bring the whole state to the first process, for ``state_dict``; all processes must take part."""
        self._gathered = {}
        for number, owner in enumerate(self.owners):
            state = self._state_of(number, owner)
            if self.rank == 0 and state:
                self._gathered[number] = state

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the state of all parameters, as ``whole`` would on one process.

        Raises:
            RuntimeError: If ``consolidate_state_dict`` was not called just before.
        """
        if self._gathered is None:
            raise RuntimeError(
                "The state lies on several processes: call consolidate_state_dict on all first."
            )
        whole, self._gathered = {**self.whole.state_dict(), "state": self._gathered}, None
        return whole

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the own share of a whole state."""
        own = {
            number: state for number, state in state_dict["state"].items() if self.owners[number] == self.rank
        }
        self.whole.load_state_dict({**state_dict, "state": own})
        self._share()

    def _share(self) -> None:
        self.param_groups, self.state = self.whole.param_groups, self.whole.state

    @torch.no_grad()
    def _hand_round(self) -> None:
        if len(set(self.owners)) == 1:
            return
        bundles: dict[tuple[int, torch.dtype], list[Tensor]] = defaultdict(list)
        for parameter, owner in zip(self.parameters, self.owners, strict=True):
            bundles[owner, parameter.dtype].append(parameter)
        for (owner, _), parameters in bundles.items():
            flat = torch.cat([p.reshape(-1) for p in parameters])
            dist.broadcast(flat, src=owner)
            if owner != self.rank:
                for p, values in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
                    p.copy_(values.view(p.shape))

    def _state_of(self, number: int, owner: int) -> dict[str, Any]:
        """Return the state of a parameter on the processor: on the first process, for it alone asks."""
        parameter = self.parameters[number]
        own = dict(self.whole.state.get(parameter, {})) if owner == self.rank else {}
        if owner == 0:
            return {name: _on_cpu(value) for name, value in own.items()}
        # Tensors of the parameter's size travel as they are, the rest as plain objects.
        large = {
            n: v for n, v in own.items() if isinstance(v, Tensor) and v.dim() and v.shape == parameter.shape
        }
        small = {n: _on_cpu(v) for n, v in own.items() if n not in large}
        told = [(list(own), {n: v.dtype for n, v in large.items()}, small)]
        dist.broadcast_object_list(told, src=owner)
        names, dtypes, small = told[0]
        state = dict(small)
        for name, dtype in dtypes.items():
            values = large[name] if owner == self.rank else torch.empty_like(parameter, dtype=dtype)
            values = values.detach().contiguous()
            dist.broadcast(values, src=owner)
            if self.rank == 0:
                state[name] = values.cpu()
        return {name: state[name] for name in names if name in state}


def shares(sizes: list[int], processes: int) -> list[int]:
    """Return the process that each parameter belongs to, so that all hold about as much.

    Args:
        sizes: Elements of each parameter.
        processes: Number of processes.
    """
    loads, owners = [0] * processes, [0] * len(sizes)
    for number in sorted(range(len(sizes)), key=lambda n: (-sizes[n], n)):
        owners[number] = loads.index(min(loads))
        loads[owners[number]] += sizes[number]
    return owners


def _on_cpu(value: Any) -> Any:
    return value.detach().cpu() if isinstance(value, Tensor) else value
