"""Softmax aggregation of neighbour messages, Eq. 6 of KMPNet (GENConv of Li et al. 2020).

For node ``v`` and every channel on its own: ``a_v = sum_u softmax_u(t * m_u) * m_u`` over its neighbours
``u``. The paper writes a temperature ``tau``; ``t = 1 / tau`` is what the released code learns. A node
without neighbours gets zero.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from vidreid.models.layers.neighbours import Neighbours

Aggregation = Literal["dense", "torch_scatter"]
SAFE_RANGE = 60.0
"""Difference of scores up to which single precision holds all exponentials without underflow."""

Aggregate = Callable[[Tensor, Tensor, Neighbours, bool], Tensor]


def aggregate_dense(messages: Tensor, t: Tensor, neighbours: Neighbours, detach: bool = False) -> Tensor:
    """Aggregate with a padded table of neighbours, or on CPUs, where it is safe, by a matrix product.

    Args:
        messages: ``(B, M, C)``.
        t: Inverse temperature, ``(1,)``.
        neighbours: Tables of the ``M`` nodes, of the messages' device and type.
        detach: Let no gradient flow through the weights.

    Returns:
        ``(B, M, C)``.
    """
    if neighbours.adjacency is not None and _product_is_safe(messages, t):
        return _aggregate_by_product(messages, t, neighbours.adjacency, detach)
    # One flat index_select is the gather with the fastest gradient on CPUs.
    nodes, slots = neighbours.table.shape
    gathered = messages.index_select(1, neighbours.table.flatten()).unflatten(1, (nodes, slots))
    scores = gathered.detach() if detach else gathered
    weights = torch.softmax(scores * t + neighbours.penalty, dim=2)
    aggregated = (weights * gathered).sum(2)
    return aggregated if neighbours.connected is None else aggregated * neighbours.connected


def _product_is_safe(messages: Tensor, t: Tensor) -> bool:
    """Whether no exponential can underflow when all nodes share the shift of a clip's largest score.

    Only asked on CPUs, where the answer costs no synchronisation, and never at reduced precision or while
    torch.compile traces, which cannot branch on values.
    """
    if torch.compiler.is_compiling():
        return False
    if messages.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    if messages.dtype not in (torch.float32, torch.float64):
        return False
    low, high = messages.detach().aminmax()
    return abs(float(t.detach())) * float(high - low) <= SAFE_RANGE


def _aggregate_by_product(messages: Tensor, t: Tensor, adjacency: Tensor, detach: bool) -> Tensor:
    """Sum over all neighbours at once: ``a = A (e * m) / A e`` with ``e = exp(t * m - shift)``."""
    scores = (messages.detach() if detach else messages) * t
    exponentials = (scores - scores.detach().amax(1, keepdim=True)).exp()
    every_clip = adjacency.expand(len(messages), -1, -1)
    return torch.bmm(every_clip, exponentials * messages) / torch.bmm(every_clip, exponentials)


def aggregate_torch_scatter(
    messages: Tensor, t: Tensor, neighbours: Neighbours, detach: bool = False
) -> Tensor:
    """Aggregate edge by edge with the torch-scatter package; arguments and result as ``aggregate_dense``."""
    from torch_scatter import scatter
    from torch_scatter.composite import scatter_softmax

    sources, targets = neighbours.edges
    nodes = messages.shape[1]
    gathered = messages.index_select(1, sources)
    scores = gathered.detach() if detach else gathered
    weights = scatter_softmax(scores * t, targets, dim=1, dim_size=nodes)
    return scatter(weights * gathered, targets, dim=1, dim_size=nodes, reduce="sum")


def aggregation(name: Aggregation) -> Aggregate:
    """Return the aggregation by its name.

    Raises:
        ModuleNotFoundError: If torch-scatter is asked for and not installed.
        ValueError: For an unknown name.
    """
    if name == "dense":
        return aggregate_dense
    if name != "torch_scatter":
        raise ValueError(f"Unknown aggregation {name!r}: choose dense or torch_scatter.")
    try:
        import torch_scatter  # noqa: F401
    except (ImportError, OSError) as error:
        # OSError: a wheel that was compiled for another torch.
        raise ModuleNotFoundError(
            "aggregation=torch_scatter needs the package torch-scatter built for this torch:"
            " run `make scatter`, or use aggregation=dense, which gives the same numbers."
        ) from error
    return aggregate_torch_scatter
