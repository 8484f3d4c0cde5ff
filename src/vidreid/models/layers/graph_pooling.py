"""Nodes to part embeddings and logits: the pooling of JointsGait (Li, Zhao, Ma 2020) as KMPNet uses it."""

import torch
from torch import Tensor, nn

from vidreid.keypoints.skeleton import Skeleton
from vidreid.models.layers.bn_neck import bn_neck


class PartPooling(nn.Module):
    """Mean over each joint group, frame by frame, as one small matrix product.

    Args:
        skeleton: Its ``groups`` are the parts, in their order.
    """

    weights: Tensor

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        weights = torch.zeros(len(skeleton.groups), len(skeleton))
        for part, joints in enumerate(skeleton.groups.values()):
            weights[part, list(joints)] = 1 / len(joints)
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, nodes: Tensor) -> Tensor:
        """Return parts ``(N, P, C)`` of nodes ``(N, K, C)``."""
        return torch.matmul(self.weights.to(nodes.dtype), nodes)


class PartHead(nn.Module):
    """Embedding and classifier of one part: linear, batch norm without shift, linear without bias.

    Args:
        width: Width of the nodes.
        embedding: Width of the embedding.
        num_identities: Number of classes.
    """

    def __init__(self, width: int, embedding: int, num_identities: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, embedding)
        self.norm = bn_neck(embedding)
        self.classifier = nn.Linear(embedding, num_identities, bias=False)
        nn.init.kaiming_normal_(self.project.weight, mode="fan_out")
        nn.init.zeros_(self.project.bias)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, part: Tensor) -> tuple[Tensor, Tensor]:
        """Return embedding and logits of a pooled part ``(N, width)``."""
        embedding = self.norm(self.project(part))
        return embedding, self.classifier(embedding)
