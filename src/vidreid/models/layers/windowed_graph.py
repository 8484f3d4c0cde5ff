"""GraphSAGE with a mean over the most similar nodes of nearby frames: the graph layer of the released MGH."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WindowedGraphLayer(nn.Module):
    """Mix each node with the nodes most like it in the frames around it.

    For a node of frame ``i`` the ``neighbours`` nodes of largest cosine among frames ``i - window`` to
    ``i + window`` are taken. The first is the node itself and is left out; the others are averaged::

        h = BN(ReLU(L2([W_x x, W_n mean])))

    with the statistics of the batch norm over clips and nodes. The choice has no gradient.

    The released code drops whatever comes first; here a node is never its own neighbour. Both give the same
    mean, because what has a cosine of 1 with the node is a repetition of it.

    Args:
        width_in: Width of the nodes.
        width: Width of the result, half of it for the node and half for its neighbours.
        window: Frames to either side.
        neighbours: Nodes taken, the node itself included.

    Raises:
        ValueError: If the width is odd or nothing is left to average.
    """

    def __init__(self, width_in: int, width: int, window: int = 3, neighbours: int = 3) -> None:
        super().__init__()
        if width % 2:
            raise ValueError(f"The width of a graph layer is {width}: it must be even.")
        if neighbours < 2 or window < 0:
            raise ValueError(
                f"neighbours is {neighbours} and window {window}: take at least 2 nodes (the first is the "
                "node itself) of at least 0 frames to either side."
            )
        self.window, self.neighbours = window, neighbours
        self.own = nn.Linear(width_in, width // 2)
        self.other = nn.Linear(width_in, width // 2)
        self.norm = nn.BatchNorm1d(width)
        for linear in (self.own, self.other):
            nn.init.xavier_uniform_(linear.weight, gain=math.sqrt(2))

    def forward(self, nodes: Tensor, frames: int) -> Tensor:
        """Return the new nodes ``(B, M, width)``.

        Args:
            nodes: ``(B, M, width_in)``, frame after frame.
            frames: ``T``; every frame has ``M / T`` nodes.
        """
        mean = torch.bmm(nearest_nodes(nodes, frames, self.window, self.neighbours - 1), nodes)
        joined = F.relu(F.normalize(torch.cat([self.own(nodes), self.other(mean)], dim=2), dim=2))
        return self.norm(joined.flatten(0, 1)).view_as(joined)


@torch.no_grad()
def nearest_nodes(nodes: Tensor, frames: int, window: int, count: int) -> Tensor:
    """Return who is averaged for whom: rows ``(B, M, M)`` with ``1 / count`` for each of the nearest nodes.

    In a window with fewer other nodes than ``count`` in any frame, that many are taken of every one. Cosines
    are computed in single precision at least, so that the choice does not depend on autocast.

    Args:
        nodes: ``(B, M, C)``, frame after frame.
        frames: ``T``; divides ``M``.
        window: Frames to either side.
        count: Nodes to choose for each node, itself not among them.

    Raises:
        ValueError: If a node has no other node in its window.
    """
    total = nodes.shape[1]
    count = min(count, total // frames * min(frames, window + 1) - 1)
    if count < 1:
        raise ValueError(
            f"Clips of {frames} frames and {total} nodes leave a node without neighbours: use longer clips "
            "or more stripes."
        )
    with torch.autocast(nodes.device.type, enabled=False):
        unit = F.normalize(nodes.to(torch.promote_types(nodes.dtype, torch.float32)), dim=2)
        cosine = unit @ unit.transpose(1, 2)
    time = torch.arange(total, device=nodes.device) // (total // frames)
    outside = (time[:, None] - time).abs() > window
    outside.fill_diagonal_(fill_value=True)
    nearest = cosine.masked_fill_(outside, -math.inf).topk(count, dim=2).indices
    return torch.zeros_like(cosine).scatter_(2, nearest, 1 / count).to(nodes.dtype)
