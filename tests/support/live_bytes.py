"""The most bytes that the tensors of some code hold at a time: exact, no clock and no process memory."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Counts the storages that operations return, forward and backward, until they are freed.

    Attributes:
        now: Bytes alive.
        peak: The most that were alive since the last ``restart``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def restart(self) -> None:
        self.peak = self.now

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, torch.Tensor):
                self._known.add(leaf.untyped_storage())  # weights and inputs are not new
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.untyped_storage() not in self._known:
                self._count(leaf.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        self._known.add(storage)
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.now -= size


def peak_bytes(step: Callable[[], Any]) -> int:
    """Return the most bytes of new tensors that a function has alive."""
    with LiveBytes() as live:
        step()
    return live.peak


@contextmanager
def saved_bytes() -> Iterator[list[int]]:
    """Gather the bytes of each storage that the code inside keeps for its backward pass, once each."""
    sizes: list[int] = []
    seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage not in seen:
            seen.add(storage)
            sizes.append(storage.nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield sizes
