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
Aggregate = Callable[[Tensor, Tensor, Neighbours, bool], Tensor]


def aggregate_dense(messages: Tensor, t: Tensor, neighbours: Neighbours, detach: bool = False) -> Tensor:
    """Aggregate with a padded table of neighbours.

    Args:
        messages: ``(B, M, C)``.
        t: Inverse temperature, ``(1,)``.
        neighbours: Tables of the ``M`` nodes, on the device of the messages.
        detach: Let no gradient flow through the weights.

    Returns:
        ``(B, M, C)``.
    """
    # One flat index_select is the gather with the fastest gradient on CPUs.
    nodes, slots = neighbours.table.shape
    gathered = messages.index_select(1, neighbours.table.flatten()).unflatten(1, (nodes, slots))
    scores = gathered.detach() if detach else gathered
    weights = torch.softmax(scores * t + neighbours.penalty, dim=2)
    aggregated = (weights * gathered).sum(2)
    return aggregated if neighbours.connected is None else aggregated * neighbours.connected


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
