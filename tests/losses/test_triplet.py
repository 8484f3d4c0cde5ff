import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vidreid.losses.batch_hard import hardest
from vidreid.losses.triplet import TripletLoss

GOLDEN = Path(os.environ.get("VIDREID_GOLDEN", Path(__file__).resolve().parent.parent / "golden"))


def loss_of(vectors: Tensor, pids: list[int], **options) -> Tensor:
    return TripletLoss(**options)({}, {"visual": vectors}, torch.tensor(pids)).value


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("c8_losses*.npz")), ids=lambda path: path.stem)
@pytest.mark.parametrize("margin", [0.3, None])
@pytest.mark.parametrize("kind", ["raw", "unit"])
def test_golden(path, margin, kind) -> None:
    name = f"triplet_{'soft' if margin is None else 'margin03'}_{kind}"
    with np.load(path) as case:
        features, pids = torch.from_numpy(case["features"]), torch.from_numpy(case["labels"]).long()
        if kind == "unit":
            features = features / features.norm(dim=1, keepdim=True)
        features.requires_grad_()
        result = TripletLoss(margin)({}, {"visual": features}, pids)
        result.value.backward()
        np.testing.assert_allclose(result.value.item(), case[name], atol=1e-5)
        expected = [case[f"{name}_grad"]]
        if margin is None:
            # In the files at hand it was accumulated on top of the gradient of the margin loss.
            expected.append(expected[0] - case[f"triplet_margin03_{kind}_grad"])
        assert min(np.abs(features.grad.numpy() - one).max() for one in expected) <= 1e-6

        positive, negative = case[f"hardest_positive_{kind}"], case[f"hardest_negative_{kind}"]
        np.testing.assert_allclose(result.details["positive"], positive.mean(), atol=1e-5)
        np.testing.assert_allclose(result.details["negative"], negative.mean(), atol=1e-5)
        anchors, furthest, nearest = hardest(features, pids)
        assert anchors.tolist() == list(range(len(pids)))
        for other, expected in ((furthest, positive), (nearest, negative)):
            distances = (features[anchors] - features[other]).norm(dim=1).detach()
            np.testing.assert_allclose(distances, expected, atol=1e-5)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("c8_losses*.npz")), ids=lambda path: path.stem)
def test_golden_unit_vectors_by_normalising_inside(path) -> None:
    with np.load(path) as case:
        vectors, pids = torch.from_numpy(case["features"]), case["labels"].tolist()
        value = loss_of(vectors, pids, normalize=True)
        np.testing.assert_allclose(value.item(), case["triplet_margin03_unit"], atol=1e-5)


# On a line: identity 0 at 0, 3 and 4, identity 1 at 5 and 6.
PLACES, PIDS = [0.0, 3.0, 4.0, 5.0, 6.0], [0, 0, 0, 1, 1]
GAPS = [4 - 5, 3 - 2, 4 - 1, 1 - 1, 1 - 2]


def test_by_hand() -> None:
    vectors = torch.tensor(PLACES)[:, None]
    wanted = sum(max(0, gap + 0.3) for gap in GAPS) / 5
    assert loss_of(vectors, PIDS).item() == pytest.approx(wanted)
    wanted = sum(math.log(1 + math.exp(gap)) for gap in GAPS) / 5
    assert loss_of(vectors, PIDS, margin=None).item() == pytest.approx(wanted)


def test_a_single_clip_is_a_negative_but_no_anchor() -> None:
    """One more identity with one clip at 4.5 shortens two negatives and leaves the count at five."""
    vectors = torch.tensor([*PLACES, 4.5])[:, None].requires_grad_()
    gaps = [4 - 4.5, 3 - 1.5, 4 - 0.5, 1 - 0.5, 1 - 1.5]
    value = loss_of(vectors, [*PIDS, 2])
    assert value.item() == pytest.approx(sum(max(0, gap + 0.3) for gap in gaps) / 5)
    value.backward()
    # It is the nearest negative of the clips at 3, 4 (from the left) and 5 (from the right), all active.
    assert vectors.grad[5].item() == pytest.approx((-1 - 1 + 1) / 5)


def test_frames_are_averaged_over_time() -> None:
    frames = torch.randn(4, 3, 5)
    pids = [0, 0, 1, 1]
    torch.testing.assert_close(loss_of(frames, pids), loss_of(frames.mean(1), pids))


def test_equal_clips_have_a_finite_gradient() -> None:
    vectors = torch.ones(4, 3, requires_grad=True)
    value = loss_of(vectors, [0, 0, 1, 1])
    value.backward()
    assert value.item() == pytest.approx(0.3)
    assert torch.equal(vectors.grad, torch.zeros(4, 3))
    vectors = torch.zeros(4, 3, requires_grad=True)
    loss_of(vectors, [0, 0, 1, 1], margin=None, normalize=True).backward()
    assert vectors.grad.isfinite().all()


def test_single_precision_under_autocast() -> None:
    """Clips 1e-3 apart at length 100, which half precision cannot tell apart."""
    vectors = 100 + 1e-3 * torch.tensor([[0.0], [1.0], [3.0], [4.0]])
    pids = [0, 0, 1, 1]
    with torch.autocast("cpu", torch.bfloat16):
        value = loss_of(vectors, pids, margin=0.0005)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss_of(vectors.double(), pids, margin=0.0005).float())
    assert loss_of(vectors.bfloat16(), pids).dtype == torch.float32


def test_gradient_by_differences() -> None:
    vectors = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    pids = [0, 0, 1, 1, 2, 2]
    assert torch.autograd.gradcheck(lambda x: loss_of(x, pids, margin=None), vectors)


@pytest.mark.parametrize("pids", [[0, 1, 2], [0, 0, 0]])
def test_batches_without_pairs_are_refused(pids) -> None:
    with pytest.raises(ValueError, match=r"set data\.sampler=identity"):
        loss_of(torch.randn(3, 2), pids)


def test_an_unknown_embedding_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no embedding 'graph_1' .* it has visual"):
        loss_of(torch.randn(2, 2), [0, 0], embedding="graph_1")
