"""Heads against parts, by hand and against slow twins that loop over clips."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from vidreid.losses.branch_triplet import BranchTripletLoss
from vidreid.losses.branches import mix_branches
from vidreid.losses.center import CenterLoss
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.value import ClipFacts, LossValue

PIDS = [0, 0, 0, 1, 1, 2, 2, 3]
SIZES = {"global": 4, "head": 6, "legs": 6, "torso": 6}


def random_batch(seed: int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def draw(size: int) -> Tensor:
        return torch.randn(len(PIDS), size, generator=generator).requires_grad_()

    return {name: draw(5) for name in SIZES}, {n: draw(s) for n, s in SIZES.items()}, torch.tensor(PIDS)


VISIBLE = {
    "head": torch.tensor([1, 0, 1, 1, 1, 1, 0, 0]).bool(),
    "legs": torch.zeros(8).bool(),
    "torso": torch.tensor([0, 1, 0, 0, 0, 1, 1, 1]).bool(),
}


def slow_cross_entropy(logits: Tensor, shows: list[bool], pids: list[int], smoothing: float) -> float:
    losses = []
    for row, show, pid in zip(logits.tolist(), shows, pids, strict=True):
        if show:
            normaliser = math.log(sum(math.exp(v) for v in row))
            targets = [smoothing / len(row) + (1 - smoothing) * (i == pid) for i in range(len(row))]
            losses.append(sum(t * (normaliser - v) for t, v in zip(targets, row, strict=True)))
    return sum(losses) / len(losses)


def slow_triplet(rows: Tensor, shows: list[bool], pids: list[int], margin: float | None) -> float | None:
    losses = []
    clips = [i for i, show in enumerate(shows) if show]
    for a in clips:
        away = {b: math.dist(rows[a].tolist(), rows[b].tolist()) for b in clips if b != a}
        positives = [d for b, d in away.items() if pids[b] == pids[a]]
        negatives = [d for b, d in away.items() if pids[b] != pids[a]]
        if positives and negatives:
            gap = max(positives) - min(negatives)
            losses.append(math.log(1 + math.exp(gap)) if margin is None else max(0.0, gap + margin))
    return sum(losses) / len(losses) if losses else None


def slow_center(rows: Tensor, shows: list[bool], pids: list[int], centers: Tensor) -> float:
    squared = [
        math.dist(row, centers[pid].tolist()) ** 2
        for row, show, pid in zip(rows.tolist(), shows, pids, strict=True)
        if show
    ]
    return sum(squared) / len(squared)


def shown(name: str) -> list[bool]:
    return VISIBLE[name].tolist() if name in VISIBLE else [True] * len(PIDS)


def test_weights_by_hand() -> None:
    values = {name: torch.tensor(value) for name, value in (("a", 1.0), ("global", 8.0), ("b", 3.0))}
    assert mix_branches(values).item() == 0.75 * 8 + 0.25 * 2
    assert mix_branches(values, 0.5).item() == 0.5 * 8 + 0.5 * 2
    assert mix_branches({"global": values["global"]}).item() == 8
    assert mix_branches({name: values[name] for name in "ab"}).item() == 2
    with pytest.raises(ValueError, match="no head to weigh"):
        mix_branches({})


def test_identity_of_visible_parts() -> None:
    logits, _, pids = random_batch()
    result = IdentityLoss(0.1, "branches")(logits, {}, pids, ClipFacts(visible=VISIBLE))
    heads = {
        name: slow_cross_entropy(logits[name], shown(name), PIDS, 0.1) for name in SIZES if name != "legs"
    }
    assert {n: v.item() for n, v in result.details.items()} == pytest.approx(heads, rel=1e-5)
    wanted = 0.75 * heads["global"] + 0.25 * (heads["head"] + heads["torso"]) / 2
    assert result.value.item() == pytest.approx(wanted, rel=1e-5)
    mean = IdentityLoss(0.1)(logits, {}, pids, ClipFacts(visible=VISIBLE)).value
    assert mean.item() == pytest.approx(sum(heads.values()) / 3, rel=1e-5)


@pytest.mark.parametrize("margin", [None, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_triplet_of_visible_parts(margin: float | None, seed: int) -> None:
    """The torso shows twice of identity 2 and once of two others: two anchors."""
    _, embeddings, pids = random_batch(seed)
    result = BranchTripletLoss(margin)({}, embeddings, pids, ClipFacts(visible=VISIBLE))
    slow = {name: slow_triplet(rows, shown(name), PIDS, margin) for name, rows in embeddings.items()}
    heads = {name: value for name, value in slow.items() if value is not None}
    assert set(heads) == {"global", "head", "torso"}
    assert {n: v.item() for n, v in result.details.items()} == pytest.approx(heads, rel=1e-5)
    wanted = 0.75 * heads["global"] + 0.25 * (heads["head"] + heads["torso"]) / 2
    assert result.value.item() == pytest.approx(wanted, rel=1e-5)


def test_a_part_without_pairs_is_left_out_of_the_triplet() -> None:
    _, embeddings, pids = random_batch()
    only = torch.tensor([1, 1, 1, 0, 0, 0, 0, 0]).bool()  # one identity alone has no negatives
    facts = ClipFacts(visible={"head": only, "legs": torch.zeros(8).bool()})
    result = BranchTripletLoss()({}, embeddings, pids, facts)
    assert set(result.details) == {"global", "torso"}
    wanted = 0.75 * result.details["global"] + 0.25 * result.details["torso"]
    torch.testing.assert_close(result.value.detach(), wanted)


def test_lone_clips_may_count() -> None:
    """On a line: identity 0 at 0 and 3, identity 1 at 5. Its own distance counts as 1e-6."""
    rows = {"global": torch.tensor([[0.0], [3.0], [5.0]])}
    pids = torch.tensor([0, 0, 1])
    skipped, counted = (
        BranchTripletLoss(margin=10.0, lone_clips=choice)({}, rows, pids).value.item()
        for choice in ("skip", "count")
    )
    assert skipped == pytest.approx(((3 - 5 + 10) + (3 - 2 + 10)) / 2)
    assert counted == pytest.approx(((3 - 5 + 10) + (3 - 2 + 10) + (0 - 2 + 10)) / 3)
    alone = BranchTripletLoss(lone_clips="count")({}, rows, torch.zeros(3).long())
    assert alone.value.item() == 0
    same = {"global": torch.ones(2, 3, requires_grad=True)}
    BranchTripletLoss(lone_clips="count")({}, same, torch.tensor([0, 1])).value.backward()
    assert torch.equal(same["global"].grad, torch.zeros(2, 3))


def test_centers_of_visible_parts() -> None:
    _, embeddings, pids = random_batch()
    loss = CenterLoss(4, 4, 6)
    result = loss({}, embeddings, pids, ClipFacts(visible=VISIBLE))
    heads = {
        name: slow_center(
            embeddings[name],
            shown(name),
            PIDS,
            loss.global_centers if name == "global" else loss.part_centers,
        )
        for name in ("global", "head", "torso")
    }
    assert {n: v.item() for n, v in result.details.items()} == pytest.approx(heads, rel=1e-5)
    wanted = 0.75 * heads["global"] + 0.25 * (heads["head"] + heads["torso"]) / 2
    assert result.value.item() == pytest.approx(wanted, rel=1e-5)


def every_loss() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {
        "identity": IdentityLoss(reduction="branches"),
        "mean": IdentityLoss(),
        "triplet": BranchTripletLoss(),
        "normalized": BranchTripletLoss(0.3, normalize=True),
        "center": CenterLoss(5, 4, 6),
    }


@pytest.mark.parametrize("name", every_loss())
def test_hidden_parts_stay_on_the_graph_and_teach_nothing(name: str) -> None:
    """Not even what is not a number gets through."""
    logits, embeddings, pids = random_batch()
    with torch.no_grad():
        logits["legs"][0, 0], embeddings["legs"][0, 0] = torch.inf, torch.nan
    visible = dict.fromkeys(SIZES, torch.zeros(8).bool())
    for facts in (ClipFacts(visible=VISIBLE), ClipFacts(visible=visible)):
        result: LossValue = every_loss()[name](logits, embeddings, pids, facts)
        read = logits if name in ("identity", "mean") else embeddings
        gradients = torch.autograd.grad(result.value, list(read.values()))
        assert all(gradient.isfinite().all() for gradient in gradients)
        for head, gradient in zip(read, gradients, strict=True):
            for shows, row in zip(facts.visible.get(head, torch.ones(8)), gradient, strict=True):
                assert shows or not row.any()
    assert result.value.item() == 0
    assert result.details == {}


@pytest.mark.parametrize("name", every_loss())
def test_single_precision_under_autocast(name: str) -> None:
    loss = every_loss()[name]
    plain = loss(*random_batch())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(*random_batch())
    assert mixed.value.dtype == torch.float32
    assert torch.equal(mixed.value, plain.value)
    for head, value in plain.details.items():
        assert torch.equal(mixed.details[head], value)
    logits, embeddings, pids = random_batch()
    halves = ({n: v.bfloat16() for n, v in heads.items()} for heads in (logits, embeddings))
    wanted = ({n: v.bfloat16().float() for n, v in heads.items()} for heads in (logits, embeddings))
    torch.testing.assert_close(loss(*halves, pids).value, loss(*wanted, pids).value)


def test_all_visible_is_as_nothing_said() -> None:
    for loss, seed in itertools.product(every_loss().values(), range(2)):
        plain = loss(*random_batch(seed))
        said = loss(*random_batch(seed), ClipFacts(visible=dict.fromkeys(SIZES, torch.ones(8).bool())))
        torch.testing.assert_close(said.value, plain.value)


def test_refusals() -> None:
    for make in (IdentityLoss, BranchTripletLoss):
        with pytest.raises(ValueError, match=r"between 0 and 1, not 1\.5"):
            make(global_weight=1.5)
    with pytest.raises(ValueError, match="choose skip or count"):
        BranchTripletLoss(lone_clips="drop")
    with pytest.raises(ValueError, match="gives no embedding"):
        BranchTripletLoss()({}, {}, torch.tensor([0, 0, 1]))
    _, embeddings, _ = random_batch()
    for pids in (torch.arange(8), torch.zeros(8).long()):
        with pytest.raises(ValueError, match=r"set data\.sampler=identity"):
            BranchTripletLoss()({}, embeddings, pids)
