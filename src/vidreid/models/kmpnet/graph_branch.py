"""The graph of KMPNet: joints of a clip exchange messages while the visual branch goes up its stages."""

from collections.abc import Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.keypoints.skeleton import SKELETONS, Skeleton
from vidreid.models.layers.aggregation import Aggregation
from vidreid.models.layers.aggregation import aggregation as aggregation_named
from vidreid.models.layers.generalized_convolution import ResidualGraphLayer, Temperature
from vidreid.models.layers.graph_fusion import Balance, GraphFusion
from vidreid.models.layers.graph_pooling import PartHead, PartPooling
from vidreid.models.layers.keypoint_sampling import Border, sample_keypoints, sampling_weights
from vidreid.models.layers.neighbours import EdgeKind, Neighbours, clip_neighbours
from vidreid.models.outputs import TrainingOutputs


class GraphBranch(nn.Module):
    """Sample joints on five maps, fuse (Eq. 1), pass messages in between, pool into parts, classify.

    The released code splits 27 layers 5/7/11/4, though the paper's proportion to ResNet-50 would give
    5/7/10/5. Its unused linear encoder of coordinates is not built.

    Args:
        num_identities: Number of training identities.
        channels: Channels of the five maps.
        scales: Size of each map divided by the size of the image.
        depths: Blocks of the visual branch between one map and the next; read if ``layers`` is a number.
        layers: Number of layers after each fusion but the last, or their total, which is then split in
            proportion to ``depths`` as the paper says.
        width: Width of the node states.
        embedding: Width of a part's embedding.
        dropout: Dropout probability in the layers and before the pooling.
        joints: Skeleton or its name; 12 joints make the paper's five embeddings.
        edges: Edges between joints of a frame, between frames, or both.
        aggregation: ``dense`` or ``torch_scatter``; equal numbers.
        border: Sampling outside the image, see ``sampling_weights``.
        offset: Sampling offset in cells, see ``sampling_weights``.
        min_score: Joints with a confidence up to this count as missing.
        temperature: What a layer learns to scale its softmax with: ``inverse`` multiplies (released code),
            ``divides`` is the paper's tau, ``fixed`` leaves it at 1.
        balance: Start and scale of the fusions, ``released`` or ``stages``, see ``GraphFusion``.

    Raises:
        ValueError: If the numbers of maps, scales and layers do not fit or a name is unknown.
    """

    def __init__(
        self,
        num_identities: int,
        channels: Sequence[int],
        scales: Sequence[float],
        depths: Sequence[int] = (3, 4, 6, 3),
        layers: Sequence[int] | int = (5, 7, 11, 4),
        width: int = 64,
        embedding: int = 256,
        dropout: float = 0.1,
        joints: str | Skeleton = "body12",
        edges: EdgeKind = "both",
        aggregation: Aggregation = "dense",
        border: Border = "clamp",
        offset: float = 0.5,
        min_score: float = 0.0,
        temperature: Temperature = "inverse",
        balance: Balance = "released",
    ) -> None:
        super().__init__()
        if isinstance(layers, int):
            layers = in_proportion(layers, depths)
        if not len(channels) == len(scales) == len(layers) + 1:
            raise ValueError(
                f"The visual branch gives {len(channels)} maps, and {len(layers)} groups of graph layers need"
                f" {len(layers) + 1}: set model.graph.layers to their total, {sum(layers)}, to have it split."
            )
        if border not in ("clamp", "zero"):
            raise ValueError(f"Unknown border {border!r}: choose clamp or zero.")
        if isinstance(joints, str) and joints not in SKELETONS:
            raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")
        self.skeleton = SKELETONS[joints] if isinstance(joints, str) else joints
        self.scales = tuple(scales)
        self.edges: EdgeKind = edges
        self.border: Border = border
        self.offset, self.min_score = offset, min_score
        aggregate = aggregation_named(aggregation)

        self.fusions = nn.ModuleList(
            GraphFusion(width, c, first=i == 0, balance=balance) for i, c in enumerate(channels)
        )
        self.split: tuple[int, ...] = tuple(layers)
        self.layers = nn.ModuleList(
            ResidualGraphLayer(width, dropout, aggregate, temperature) for _ in range(sum(layers))
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.pool = PartPooling(self.skeleton)
        self.heads = nn.ModuleList(PartHead(width, embedding, num_identities) for _ in self.skeleton.groups)
        self._tables: dict[tuple[int, torch.device, torch.dtype], Neighbours] = {}

    def forward(self, maps: Sequence[Tensor], keypoints: Tensor) -> TrainingOutputs:
        """Return logits and embeddings ``graph_1`` to ``graph_P``, ``(B, T, C)`` and ``(B, T, embedding)``.

        Args:
            maps: Five maps ``(B * T, C_i, H_i, W_i)`` of the visual branch.
            keypoints: ``(B, T, K, 3)`` in pixels of the network input.
        """
        clip = keypoints.shape[:2]
        logits, embeddings = {}, {}
        for i, (head, part) in enumerate(zip(self.heads, self._parts(maps, keypoints), strict=True), start=1):
            embedding, logit = head(part)
            embeddings[f"graph_{i}"] = embedding.unflatten(0, clip)
            logits[f"graph_{i}"] = logit.unflatten(0, clip)
        return TrainingOutputs(logits, embeddings)

    def describe(self, maps: Sequence[Tensor], keypoints: Tensor) -> Tensor:
        """Return the graph's own descriptor of each clip (``x_g``), ``(B, P * embedding)``.

        The parts of a frame side by side, of unit norm together, and their mean over time.
        """
        parts = self._parts(maps, keypoints)
        embeddings = [head(part)[0] for head, part in zip(self.heads, parts, strict=True)]
        frames = F.normalize(torch.cat(embeddings, dim=1), dim=1)
        return frames.unflatten(0, keypoints.shape[:2]).mean(1)

    def node_states(self, maps: Sequence[Tensor], keypoints: Tensor) -> list[Tensor]:
        """Return the node states ``(B, T * K, width)`` after each fusion; arguments as in ``forward``."""
        return self.propagate(self.sample(maps, keypoints), keypoints.shape[1])

    def sample(self, maps: Sequence[Tensor], keypoints: Tensor) -> list[Tensor]:
        """Return the joints' features on every map, ``(B, T * K, C_i)``.

        Raises:
            ValueError: If the keypoints do not fit the skeleton or the maps.
        """
        if keypoints.dim() != 4 or keypoints.shape[2:] != (len(self.skeleton), 3):
            raise ValueError(
                f"Keypoints have the shape {tuple(keypoints.shape)}:"
                f" this graph needs (B, T, {len(self.skeleton)}, 3)."
            )
        clips, frames = keypoints.shape[:2]
        if clips * frames != len(maps[0]):
            raise ValueError(
                f"There are keypoints for {clips} x {frames} frames and maps for {len(maps[0])}."
            )
        by_frame = keypoints.flatten(0, 1).to(torch.promote_types(maps[0].dtype, torch.float32))
        # Maps of the same size share their weights.
        weights: dict[tuple[int, int, float], Tensor] = {}
        features = []
        for feature_map, scale in zip(maps, self.scales, strict=True):
            height, width = feature_map.shape[-2:]
            key = (height, width, scale)
            if key not in weights:
                weights[key] = sampling_weights(
                    by_frame, (height, width), scale, self.border, self.offset, self.min_score
                )
            features.append(
                sample_keypoints(feature_map, weights[key]).reshape(clips, -1, feature_map.shape[1])
            )
        return features

    def propagate(self, features: Sequence[Tensor], frames: int) -> list[Tensor]:
        """Fuse and pass messages; return the node states ``(B, T * K, width)`` after each fusion.

        Args:
            features: Joints' features of every stage, ``(B, T * K, C_i)``.
            frames: ``T``.
        """
        states = [self.fusions[0](None, features[0])]
        neighbours = self._neighbours(frames, states[0])
        layers = iter(self.layers)
        for number, fusion, feature in zip(self.split, self.fusions[1:], features[1:], strict=True):
            nodes = states[-1]
            for layer in islice(layers, number):
                nodes = layer(nodes, neighbours)
            states.append(fusion(nodes, feature))
        return states

    def pool_nodes(self, nodes: Tensor) -> Tensor:
        """Return the parts ``(B * T, P, width)`` of node states ``(B, T * K, width)``."""
        nodes = self.dropout(F.relu(self.norm(nodes)))
        return self.pool(nodes.reshape(-1, len(self.skeleton), nodes.shape[-1]))

    def _parts(self, maps: Sequence[Tensor], keypoints: Tensor) -> tuple[Tensor, ...]:
        return self.pool_nodes(self.node_states(maps, keypoints)[-1]).unbind(1)

    def _neighbours(self, frames: int, like: Tensor) -> Neighbours:
        key = (frames, like.device, like.dtype)
        if key not in self._tables:
            # Tables that a validation loop makes must serve training as well.
            with torch.inference_mode(False):
                self._tables[key] = clip_neighbours(self.skeleton, frames, self.edges).to(like)
        return self._tables[key]


def in_proportion(total: int, depths: Sequence[int]) -> tuple[int, ...]:
    """Split a number of layers in proportion to the depths of the visual stages (paper, "Implementation").

    The largest remainders are rounded up: 27 layers beside ResNet-50 (3, 4, 6, 3) give 5, 7, 10, 5.

    Args:
        total: Number of layers, at least one a stage.
        depths: Blocks of each stage.

    Raises:
        ValueError: If there are fewer layers than stages.
    """
    if total < len(depths):
        raise ValueError(f"{total} graph layers cannot be split over {len(depths)} stages: take more.")
    exact = [total * depth / sum(depths) for depth in depths]
    split = [int(share) for share in exact]
    by_remainder = sorted(range(len(depths)), key=lambda i: split[i] - exact[i])
    for i in by_remainder[: total - sum(split)]:
        split[i] += 1
    return tuple(split)
