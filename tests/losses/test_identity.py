import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vidreid.losses.identity import IdentityLoss

GOLDEN = Path(os.environ.get("VIDREID_GOLDEN", Path(__file__).resolve().parent.parent / "golden"))


def by_hand(logits: list[float], label: int, smoothing: float) -> float:
    """Cross-entropy with the target ``(1 - smoothing) * onehot + smoothing / C``."""
    normaliser = math.log(sum(math.exp(value) for value in logits))
    total = 0.0
    for i, value in enumerate(logits):
        target = smoothing / len(logits) + (1 - smoothing if i == label else 0.0)
        total -= target * (value - normaliser)
    return total


def test_formula_by_hand() -> None:
    logits = [[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]
    expected = (by_hand(logits[0], 1, 0.1) + by_hand(logits[1], 0, 0.1)) / 2
    result = IdentityLoss(0.1)({"a": torch.tensor(logits)}, {}, torch.tensor([1, 0]))
    assert result.value.item() == pytest.approx(expected)
    assert result.details["a"].item() == pytest.approx(expected)


def test_frames_use_the_label_of_their_clip() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, generator=generator)
    pids = torch.tensor([4, 1])
    rows = [by_hand(logits[b, t].tolist(), int(pids[b]), 0.2) for b in range(2) for t in range(3)]
    result = IdentityLoss(0.2)({"a": logits}, {}, pids)
    assert result.value.item() == pytest.approx(sum(rows) / 6, rel=1e-5)


def test_heads_of_clips_and_of_frames_weigh_the_same() -> None:
    frames, clips = torch.randn(2, 3, 5), torch.randn(2, 5)
    loss, pids = IdentityLoss(), torch.tensor([0, 3])
    alone = [loss({"x": logits}, {}, pids).value for logits in (frames, clips)]
    together = loss({"f": frames, "c": clips}, {}, pids)
    torch.testing.assert_close(together.value, (alone[0] + alone[1]) / 2)
    summed = IdentityLoss(reduction="sum")({"f": frames, "c": clips}, {}, pids)
    torch.testing.assert_close(summed.value, alone[0] + alone[1])


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("c8_losses*.npz")), ids=lambda path: path.stem)
def test_golden(path) -> None:
    with np.load(path) as case:
        labels = torch.from_numpy(case["labels"]).long()
        logits = torch.from_numpy(case["logits"]).requires_grad_()
        heads = {f"head_{i}": head for i, head in enumerate(logits)}
        mean = IdentityLoss(0.1)(heads, {}, labels)
        total = IdentityLoss(0.1, reduction="sum")(heads, {}, labels)
        plain = IdentityLoss(0.0)(heads, {}, labels)
        np.testing.assert_allclose(torch.stack(list(mean.details.values())), case["ce_smooth"], atol=1e-5)
        np.testing.assert_allclose(mean.value.item(), case["ce_smooth_mean_of_heads"], atol=1e-5)
        np.testing.assert_allclose(total.value.item(), case["ce_smooth_sum_of_heads"], atol=1e-5)
        np.testing.assert_allclose(torch.stack(list(plain.details.values())), case["ce_plain"], atol=1e-5)
        total.value.backward()
        np.testing.assert_allclose(logits.grad[0], case["ce_smooth_head0_grad"], atol=1e-6)


def test_a_term_reads_its_heads() -> None:
    logits = {name: torch.randn(2, 5) for name in ("global", "stripes_2", "graph_1", "graph_2")}
    pids = torch.tensor([4, 1])
    alone = {name: IdentityLoss()({name: logit}, {}, pids).value for name, logit in logits.items()}
    visual = IdentityLoss(reduction="sum", heads="visual")(logits, {}, pids)
    graph = IdentityLoss(heads="graph")(logits, {}, pids)
    torch.testing.assert_close(visual.value, alone["global"] + alone["stripes_2"])
    torch.testing.assert_close(graph.value, (alone["graph_1"] + alone["graph_2"]) / 2)
    assert list(visual.details) == ["global", "stripes_2"]
    assert list(graph.details) == ["graph_1", "graph_2"]


def test_details_are_detached() -> None:
    result = IdentityLoss()({"a": torch.randn(2, 3, requires_grad=True)}, {}, torch.tensor([0, 1]))
    assert result.value.requires_grad
    assert not result.details["a"].requires_grad


def test_refusals() -> None:
    with pytest.raises(ValueError, match="choose mean or sum"):
        IdentityLoss(reduction="max")
    with pytest.raises(ValueError, match=r"gave no logits: .* at least one classifier among none"):
        IdentityLoss()({}, {}, torch.tensor([0]))
    with pytest.raises(ValueError, match="choose all, visual or graph"):
        IdentityLoss(heads="both")
    logits = {"stripe_1": torch.zeros(1, 2)}
    with pytest.raises(ValueError, match=r"no graph logits: .* heads=graph .* among stripe_1"):
        IdentityLoss(heads="graph")(logits, {}, torch.tensor([0]))
