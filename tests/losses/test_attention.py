import math

import pytest
import torch

from vidreid.losses.attention import FrameAttentionLoss
from vidreid.losses.value import ClipFacts

PIDS = torch.tensor([0, 1])
SCORES = [[1.0, 0.0, 2.0], [0.5, 3.0, 0.0]]
ERASED = torch.tensor([[1, 0, 1], [0, 1, 1]]).bool()


def test_by_hand() -> None:
    scores = torch.tensor(SCORES, requires_grad=True)
    result = FrameAttentionLoss()({}, {}, PIDS, ClipFacts(scores, ERASED))
    assert result.value.item() == pytest.approx((1 + 2 + 3 + 0) / 2)
    assert result.details["erased"].item() == pytest.approx(6 / 4)
    assert result.details["whole"].item() == pytest.approx(0.25)
    result.value.backward()
    torch.testing.assert_close(scores.grad, ERASED / 2)


def test_normalized_by_hand() -> None:
    shares = [[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in SCORES]
    result = FrameAttentionLoss(normalized=True)({}, {}, PIDS, ClipFacts(torch.tensor(SCORES), ERASED))
    wanted = (shares[0][0] + shares[0][2] + shares[1][1] + shares[1][2]) / 2
    assert result.value.item() == pytest.approx(wanted)


def test_only_raw_scores_have_a_trivial_optimum() -> None:
    facts = ClipFacts(torch.zeros(2, 3), ERASED)
    assert FrameAttentionLoss()({}, {}, PIDS, facts).value.item() == 0
    assert FrameAttentionLoss(normalized=True)({}, {}, PIDS, facts).value.item() == pytest.approx(2 / 3)


def test_nothing_erased() -> None:
    result = FrameAttentionLoss()({}, {}, PIDS, ClipFacts(torch.tensor(SCORES), torch.zeros(2, 3).bool()))
    assert result.value.item() == 0
    assert set(result.details) == {"whole"}


@pytest.mark.parametrize("normalized", [False, True])
def test_single_precision_under_autocast(normalized: bool) -> None:
    scores = 1 + 1e-4 * torch.tensor(SCORES)
    loss, facts = FrameAttentionLoss(normalized), ClipFacts(scores, ERASED)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss({}, {}, PIDS, facts).value
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, loss({}, {}, PIDS, facts).value)
    halves = ClipFacts(scores.bfloat16(), ERASED)
    assert loss({}, {}, PIDS, halves).value.dtype == torch.float32


def test_what_is_missing_is_said() -> None:
    scores = torch.tensor(SCORES)
    with pytest.raises(ValueError, match=r"choose a network with temporal attention, or"):
        FrameAttentionLoss()({}, {}, PIDS, ClipFacts(erased=ERASED))
    with pytest.raises(ValueError, match=r"choose data\.erase_per_frame=true, or leave the loss out"):
        FrameAttentionLoss()({}, {}, PIDS, ClipFacts(scores))
    with pytest.raises(ValueError, match=r"temporal attention and data\.erase_per_frame=true, or"):
        FrameAttentionLoss()({}, {}, PIDS)
