import pytest
import torch
from torch import nn

from vidreid.losses.recipe import LossRecipe
from vidreid.losses.value import LossValue


class MeanOf(nn.Module):
    """A term whose value is easy to know."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, logits, embeddings, pids, facts) -> LossValue:
        value = embeddings[self.name].mean()
        return LossValue(value, {"double": 2 * value.detach()})


def test_terms_are_weighted_and_logged_without_their_weight() -> None:
    recipe = LossRecipe({"first": MeanOf("a"), "second": MeanOf("b")}, {"second": 0.5})
    a, b = torch.full((3,), 2.0, requires_grad=True), torch.full((3,), 8.0, requires_grad=True)
    total, log = recipe({}, {"a": a, "b": b}, torch.zeros(3))
    assert total.item() == 2 + 0.5 * 8
    assert {name: value.item() for name, value in log.items()} == {
        "first": 2.0,
        "first/double": 4.0,
        "second": 8.0,
        "second/double": 16.0,
    }
    assert not any(value.requires_grad for value in log.values())
    total.backward()
    torch.testing.assert_close(b.grad, torch.full((3,), 0.5 / 3))
    torch.testing.assert_close(a.grad, torch.full((3,), 1 / 3))


def test_terms_with_parameters_are_found() -> None:
    term = MeanOf("a")
    term.centres = nn.Parameter(torch.zeros(2))
    assert [name for name, _ in LossRecipe({"center": term}).named_parameters()] == ["terms.center.centres"]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="at least one term"):
        LossRecipe({})
    with pytest.raises(ValueError, match="unknown loss terms triplet: the terms are identity"):
        LossRecipe({"identity": MeanOf("a")}, {"triplet": 1.0})
