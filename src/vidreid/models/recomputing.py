"""Activations that are computed again in the backward pass instead of being kept (Chen et al., 2016).

The second pass repeats the first bit for bit: the state of the random numbers and autocast are restored, so
dropout and stochastic depth drop the same. Batch norms normalise by the batch as before, and count it once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import (
    _NormBase,  # pyright: ignore[reportPrivateUsage]  # of all norms that keep statistics
)
from torch.utils.checkpoint import checkpoint

Result = TypeVar("Result")


def recomputed(function: Callable[..., Result], *inputs: Any, inside: Iterable[nn.Module] = ()) -> Result:
    """Return ``function(*inputs)`` and keep the inputs alone; the backward pass calls it again.

    Without gradients it is a plain call.

    Args:
        function: What it returns may hold tensors anywhere; must compute the same in both calls.
        inputs: Tensors are to be given here and not by closure: by their device it is known whose random
            numbers are to be restored.
        inside: The modules that run in ``function``, for their batch norms, unless it is a module itself.
    """
    if not torch.is_grad_enabled():
        return function(*inputs)
    statistics = _statistics_of([function] if isinstance(function, nn.Module) else inside)
    # The compiler knows the update of a statistic for a side effect that it does not repeat.
    if statistics and not torch.compiler.is_compiling():
        result = checkpoint(function, *inputs, use_reentrant=False, context_fn=lambda: _passes(statistics))
    else:
        result = checkpoint(function, *inputs, use_reentrant=False)
    return cast(Result, result)


def _statistics_of(modules: Iterable[nn.Module]) -> list[Tensor]:
    """Return the running statistics that a forward pass in training mode changes."""
    inside = (one for module in modules for one in module.modules())
    return [b for one in inside if isinstance(one, _NormBase) and one.training for b in one.buffers()]


def _passes(
    statistics: Sequence[Tensor],
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _unchanged(statistics)


@contextmanager
def _unchanged(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Give tensors their old values back on leaving, also when the pass ends early.

    Not by a momentum of 0: that would turn an infinite activation into statistics that are no numbers.
    """
    before = [tensor.clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, old in zip(tensors, before, strict=True):
                tensor.copy_(old)
