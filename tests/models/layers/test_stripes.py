import math

import pytest
import torch

from vidreid.models.layers.stripes import StripeHead, pool_stripes


@pytest.mark.parametrize(("rows", "stripes"), [(8, 4), (16, 6), (4, 4), (5, 2)])
def test_stripes_are_row_means(rows, stripes) -> None:
    feature_map = torch.randn(2, 3, rows, 4)
    slow = [
        feature_map[:, :, math.floor(i * rows / stripes) : math.ceil((i + 1) * rows / stripes)].mean((2, 3))
        for i in range(stripes)
    ]
    torch.testing.assert_close(pool_stripes(feature_map, stripes), torch.stack(slow, 2))


def test_the_reduction_is_shared_and_the_classifiers_are_not() -> None:
    head = StripeHead(6, 5, stripes=3, reduced=4, dropout=0.0).eval()
    same = torch.randn(2, 6, 1).expand(2, 6, 3)
    logits = head(same)
    convolution, norm, _ = head.reduction
    reduced = torch.relu(norm(convolution(same.unsqueeze(3)))).squeeze(3)[:, :, 0]
    for logit, classifier in zip(logits, head.classifiers, strict=True):
        torch.testing.assert_close(logit, reduced @ classifier.weight.T + classifier.bias)
    assert not torch.allclose(logits[0], logits[1])


def test_start_values() -> None:
    torch.manual_seed(0)
    head = StripeHead(64, 500, stripes=2, reduced=256, dropout=0.5)
    assert head.classifiers[0].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not head.classifiers[0].bias.any()
    assert head.reduction[0].weight.std().item() == pytest.approx(math.sqrt(2 / 256), rel=0.05)
    assert head.reduction[0].bias is None


def test_dropout_acts_in_training_only() -> None:
    head = StripeHead(6, 5, stripes=2, reduced=4, dropout=0.5)
    pooled = torch.ones(8, 6, 2)
    torch.manual_seed(0)
    assert not torch.equal(head(pooled)[0], head(pooled)[0])
    head.eval()
    assert torch.equal(head(pooled)[0], head(pooled)[0])
