import math

import pytest
import torch

from vidreid.keypoints.skeleton import BODY12, COCO17
from vidreid.models.layers.graph_pooling import PartHead, PartPooling


@pytest.mark.parametrize("skeleton", [BODY12, COCO17], ids=["body12", "coco17"])
def test_parts_are_means_over_their_joints(skeleton) -> None:
    nodes = torch.randn(3, len(skeleton), 4)
    pooled = PartPooling(skeleton)(nodes)
    for image in range(3):
        for part, joints in enumerate(skeleton.groups.values()):
            expected = sum(nodes[image, joint] for joint in joints) / len(joints)
            torch.testing.assert_close(pooled[image, part], expected)


def test_groups_leave_nothing_in_the_state_dict() -> None:
    assert not PartPooling(BODY12).state_dict()


def test_head() -> None:
    torch.manual_seed(0)
    head = PartHead(64, 256, 2000)
    assert head.classifier.bias is None
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert head.project.weight.std().item() == pytest.approx(math.sqrt(2 / 256), rel=0.05)
    assert not head.norm.bias.requires_grad
    embedding, logits = head(torch.randn(8, 64))
    torch.testing.assert_close(logits, embedding @ head.classifier.weight.T)
    logits.sum().backward()
    torch.optim.SGD(head.parameters(), lr=1.0).step()
    assert not head.norm.bias.any()
