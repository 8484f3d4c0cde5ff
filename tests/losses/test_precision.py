"""Every loss under autocast, of half precision outputs: computed in float32, to the bit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vidreid.losses.attention import FrameAttentionLoss
from vidreid.losses.batch_hard import hard_distances
from vidreid.losses.branch_triplet import BranchTripletLoss
from vidreid.losses.center import CenterLoss
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.precision import at_least_single
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.triplet import TripletLoss
from vidreid.losses.value import ClipFacts

CLIPS, FRAMES, IDENTITIES, SIZE = 8, 3, 4, 16
HEADS = ("global", "head", "visual")

TERMS: dict[str, Callable[[], nn.Module]] = {
    "identity mean": lambda: IdentityLoss(reduction="mean"),
    "identity sum": lambda: IdentityLoss(reduction="sum"),
    "identity branches": lambda: IdentityLoss(reduction="branches"),
    "identity without smoothing": lambda: IdentityLoss(smoothing=0.0),
    "triplet": lambda: TripletLoss(margin=0.3),
    "triplet of unit vectors": lambda: TripletLoss(margin=None, normalize=True),
    "triplet over frames": lambda: TripletLoss(embedding="frames"),
    "triplet with lone clips": lambda: TripletLoss(lone_clips="count"),
    "branch triplet": lambda: BranchTripletLoss(),
    "branch triplet of unit vectors": lambda: BranchTripletLoss(margin=0.3, normalize=True),
    "center": lambda: CenterLoss(IDENTITIES, SIZE, SIZE),
    "attention": lambda: FrameAttentionLoss(),
    "attention normalized": lambda: FrameAttentionLoss(normalized=True),
}


def outputs(dtype: torch.dtype) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    """Logits, embeddings and frame scores: numbers of half precision, in any precision."""
    generator = torch.Generator().manual_seed(0)

    def some(*size: int) -> Tensor:
        values = 3 * torch.randn(*size, generator=generator)
        return values.to(torch.bfloat16).to(dtype).requires_grad_()

    logits = {name: some(CLIPS, IDENTITIES) for name in HEADS} | {"by_frame": some(CLIPS, FRAMES, IDENTITIES)}
    embeddings = {name: some(CLIPS, SIZE) for name in HEADS} | {"frames": some(CLIPS, FRAMES, SIZE)}
    return logits, embeddings, some(CLIPS, FRAMES)


def facts(scores: Tensor) -> tuple[Tensor, ClipFacts]:
    generator = torch.Generator().manual_seed(1)
    erased = torch.rand(CLIPS, FRAMES, generator=generator) < 0.5
    shows = torch.arange(CLIPS) % 3 > 0
    return torch.arange(CLIPS) % IDENTITIES, ClipFacts(scores, erased, {"head": shows})


def run(loss: nn.Module, dtype: torch.dtype, autocast: bool) -> tuple[Tensor, list[Tensor]]:
    """Return the value and the gradients of inputs and parameters."""
    logits, embeddings, scores = outputs(dtype)
    if isinstance(loss, CenterLoss):
        del embeddings["frames"]
    pids, known = facts(scores)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        result: Any = loss(logits, embeddings, pids, known)
    value = result[0]
    value.backward()
    inputs = [*logits.values(), *embeddings.values(), scores]
    return value.detach(), [p.grad for p in [*inputs, *loss.parameters()] if p.grad is not None]


def make(name: str) -> nn.Module:
    torch.manual_seed(0)
    return TERMS[name]()


@pytest.mark.parametrize("name", TERMS)
def test_autocast_changes_no_bit(name: str) -> None:
    expected, gradients = run(make(name), torch.float32, autocast=False)
    value, got = run(make(name), torch.bfloat16, autocast=True)
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)
    assert len(got) == len(gradients) > 0
    for one, other in zip(got, gradients, strict=True):
        assert torch.equal(one, other.to(one.dtype))


def test_a_recipe_sums_in_single_precision() -> None:
    def recipe() -> LossRecipe:
        chosen = {key: make(key) for key in ("identity mean", "triplet", "attention")}
        terms = {key.replace(" ", "_"): term for key, term in chosen.items()}
        return LossRecipe(terms, {"triplet": 1e-3})

    expected, gradients = run(recipe(), torch.float32, autocast=False)
    value, got = run(recipe(), torch.bfloat16, autocast=True)
    assert torch.equal(value, expected)
    assert all(torch.equal(one, other.to(one.dtype)) for one, other in zip(got, gradients, strict=True))


def test_in_half_precision_it_would_be_another_number() -> None:
    """What the tests above would see: the same formula on numbers of 8 bits."""
    _, embeddings, _ = outputs(torch.bfloat16)
    rows, pids = embeddings["visual"].detach(), torch.arange(CLIPS) % IDENTITIES
    positive, _ = hard_distances(rows, pids)
    half = (rows[:, None] - rows[None]).square().sum(2).sqrt()
    half[pids[:, None] != pids] = 0
    assert positive.dtype == torch.float32
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.amax(1).float(), positive, rtol=0.02, atol=0)
    assert not torch.equal(half.amax(1).float(), positive)


def test_wider_numbers_stay_as_they_are() -> None:
    kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    assert [at_least_single(torch.ones(1, dtype=kind)).dtype for kind in kinds] == [
        torch.float32, torch.float32, torch.float32, torch.float64,
    ]  # fmt: skip
