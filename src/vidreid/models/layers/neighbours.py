"""The spatio-temporal graph of a clip's joints as tables of node numbers.

Nodes are numbered ``frame * K + joint``. Spatial edges are the skeleton's limbs in every frame, temporal
edges join a joint with itself in the next frame. There are no self-loops: a node enters its own update
through the residual inside the convolution (KMPNet, "Graph Formulation").
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vidreid.keypoints.skeleton import Skeleton

EdgeKind = Literal["both", "spatial", "temporal"]

LARGEST_ADJACENCY = 256
"""Nodes up to which a product with the adjacency matrix beats a gather on CPUs."""


class Neighbours(NamedTuple):
    """The neighbours of every node, in three forms.

    Attributes:
        edges: ``(2, E)`` int64, rows source and target, each edge in both directions, sorted.
        table: ``(M, S)`` int64, the sources of every target; unused slots point at node 0.
        penalty: ``(M, S, 1)``, 0 for a neighbour and minus infinity for an unused slot. The first slot of a
            node without neighbours has 0 as well, so that a softmax over the slots is always defined.
        connected: ``(M, 1)``, 1 for a node with neighbours and 0 for one without; ``None`` if all have some.
        adjacency: ``(M, M)``, 1 where the column is a neighbour of the row; ``None`` for large or
            unconnected graphs.
    """

    edges: Tensor
    table: Tensor
    penalty: Tensor
    connected: Tensor | None
    adjacency: Tensor | None

    def to(self, like: Tensor) -> "Neighbours":
        """Return the tables on the device of a tensor, the penalty with its type."""
        connected, adjacency = (
            None if tensor is None else tensor.to(like) for tensor in (self.connected, self.adjacency)
        )
        return Neighbours(
            self.edges.to(like.device),
            self.table.to(like.device),
            self.penalty.to(like),
            connected,
            adjacency,
        )


def clip_neighbours(skeleton: Skeleton, frames: int, kind: EdgeKind = "both") -> Neighbours:
    """Build the neighbour tables of a clip.

    Args:
        skeleton: Joints and limbs.
        frames: ``T``.
        kind: Which edges.

    Raises:
        ValueError: For an unknown kind.
    """
    if kind not in ("both", "spatial", "temporal"):
        raise ValueError(f"Unknown kind of edges {kind!r}: choose both, spatial or temporal.")
    joints = len(skeleton)
    pairs: list[tuple[int, int]] = []
    if kind != "temporal":
        pairs += [(t * joints + a, t * joints + b) for t in range(frames) for a, b in skeleton.edges]
    if kind != "spatial":
        pairs += [(node, node + joints) for node in range((frames - 1) * joints)]
    edges = sorted(pairs + [(b, a) for a, b in pairs])

    sources: list[list[int]] = [[] for _ in range(frames * joints)]
    for source, target in edges:
        sources[target].append(source)
    slots = max(1, *(len(own) for own in sources))
    table = [own + [0] * (slots - len(own)) for own in sources]
    used = [max(1, len(own)) for own in sources]
    penalty = [[0.0] * number + [-torch.inf] * (slots - number) for number in used]
    connected = torch.tensor([[float(bool(own))] for own in sources])
    edge_rows = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T.contiguous()
    adjacency = None
    if connected.all() and len(sources) <= LARGEST_ADJACENCY:
        adjacency = torch.zeros(len(sources), len(sources))
        adjacency[edge_rows[1], edge_rows[0]] = 1
    return Neighbours(
        edges=edge_rows,
        table=torch.tensor(table),
        penalty=torch.tensor(penalty).unsqueeze(-1),
        connected=None if connected.all() else connected,
        adjacency=adjacency,
    )
