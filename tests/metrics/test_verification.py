"""Right and wrong pairs told apart by a threshold."""

import itertools
import math

import numpy as np
import pytest
import torch

from support.sides import sides, slow_matrix
from vidreid.metrics.tracklets import GALLERY, QUERY, TrackletDescriptors
from vidreid.metrics.verification import verify


def pairs_of(query, gallery, matrix, junk_pid=-1, answers="any"):
    """Distances of the right and of the wrong pairs, in two loops."""
    right, wrong = [], []
    for i in range(len(query.pids)):
        for j in range(len(gallery.pids)):
            if junk_pid is not None and junk_pid in (query.pids[i], gallery.pids[j]):
                continue
            if query.pids[i] != gallery.pids[j]:
                wrong.append(matrix[i, j])
            elif query.cameras[i] != gallery.cameras[j]:
                same = bool(query.outfits[i] == gallery.outfits[j])
                if answers == "any" or same == (answers == "same_outfit"):
                    right.append(matrix[i, j])
    return np.array(right), np.array(wrong)


def slow_verification(right, wrong, rates):
    """Every distance is tried as a threshold."""
    thresholds = np.unique(np.concatenate([right, wrong]))
    roc = [(0.0, 0.0, None)] + [((wrong <= t).mean(), (right <= t).mean(), t) for t in thresholds]
    wins = [(r < wrong).mean() + 0.5 * (r == wrong).mean() for r in right]
    best = {rate: max(tpr for fpr, tpr, _ in roc if fpr <= rate) for rate in rates}
    eer = None
    for (fpr0, tpr0, _), (fpr1, tpr1, _) in itertools.pairwise(roc):
        before, after = fpr0 + tpr0 - 1, fpr1 + tpr1 - 1
        if after >= 0:
            share = -before / (after - before)
            eer = fpr0 + share * (fpr1 - fpr0)
            break
    least = min(abs((wrong <= t).mean() - (right > t).mean()) for t in np.unique(right))
    return {"auc": np.mean(wins), "best": best, "eer": eer, "least": least}


RATES = (0.0, 0.004, 0.02, 0.1, 0.5, 1.0)


KINDS = [
    ("euclidean", False, True),
    ("euclidean", False, False),
    ("cosine", False, False),
    ("euclidean", True, False),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("distance", "visible", "ties"), KINDS)
@pytest.mark.parametrize(("answers", "junk_pid"), [("any", -1), ("other_outfit", None), ("same_outfit", -1)])
def test_equals_all_pairs_one_after_the_other(seed, distance, visible, ties, answers, junk_pid):
    query, gallery = sides(seed, visible, ties=ties)
    right, wrong = pairs_of(query, gallery, slow_matrix(query, gallery, distance), junk_pid, answers)
    scale = np.sqrt if distance == "euclidean" else np.asarray
    right, wrong = scale(right), scale(wrong)
    slow = slow_verification(right, wrong, RATES)
    found = verify(
        query, gallery, distance=distance, junk_pid=junk_pid, answers=answers, rates=RATES, block=7
    )
    assert found is not None
    # The twin's distances differ in the last bits of float32 where these are not exact.
    slack = 0 if distance == "euclidean" and not visible else 1e-5
    assert (found.right_pairs, found.wrong_pairs) == (len(right), len(wrong))
    assert found.auc == pytest.approx(slow["auc"], abs=1e-9)
    assert found.equal_error_rate == pytest.approx(slow["eer"], abs=1e-9)
    point = found.equal_error
    assert abs(point.fpr - (1 - point.tpr)) == pytest.approx(slow["least"], abs=1e-9)
    assert tuple(found.at_fpr) == RATES
    for rate, point in found.at_fpr.items():
        assert point.tpr == pytest.approx(slow["best"][rate], abs=1e-9)
        assert point.fpr <= rate
    for point in (found.equal_error, *found.at_fpr.values()):
        if point.threshold is None:
            assert (point.tpr, point.fpr, point.right_accepted, point.wrong_accepted) == (0, 0, 0, 0)
            continue
        for side, accepted in ((right, point.right_accepted), (wrong, point.wrong_accepted)):
            assert (side <= point.threshold - slack).sum() <= accepted
            assert (side <= point.threshold + slack).sum() >= accepted
        assert point.tpr == point.right_accepted / len(right)
        assert point.fpr == point.wrong_accepted / len(wrong)


@pytest.mark.parametrize("visible", [False, True])
def test_blocks_do_not_matter(visible):
    query, gallery = sides(4, visible, queries=90, gallery=300)
    found = [verify(query, gallery, block=block) for block in (1, 40, 4096)]
    assert found[0] == found[1] == found[2]


def line(places, pids, cameras, role):
    return TrackletDescriptors(
        torch.tensor(places)[:, None],
        torch.arange(len(pids)),
        torch.tensor(pids),
        torch.tensor(cameras),
        torch.full((len(pids),), role),
    )


def test_by_hand():
    """Two people on a line; 0 is a stranger, -1 junk.

    Query at 0 (person 1, camera 1): right at distances 1 and 3, wrong at 2, 3 and 6; what its own camera saw
    at 0.5 and the junk are left out. Query at 10 (person 2): right at 4, wrong at 9, 13, 9.5, 8 and 7.
    """
    query = line([0.0, 10.0], [1, 2], [1, 1], QUERY)
    gallery = line(
        [1.0, -3.0, 0.5, 2.0, 3.0, 0.1, 6.0], [1, 1, 1, 0, 0, -1, 2], [2, 3, 1, 1, 2, 2, 2], GALLERY
    )
    found = verify(query, gallery, rates=(0.0, 0.2, 0.25, 1.0))
    assert found is not None
    assert (found.right_pairs, found.wrong_pairs) == (3, 8)
    # 1 beats all 8, 3 beats 6 and ties one, 4 beats 6.
    assert found.auc == pytest.approx((8 + 6.5 + 6) / 24)
    none, fifth, quarter, all_of_them = found.at_fpr.values()
    assert (none.threshold, none.tpr, none.fpr) == (1.0, pytest.approx(1 / 3), 0)
    assert fifth == none  # at 3 two of eight wrong pairs come in, one of them by a tie
    assert (quarter.threshold, quarter.right_accepted, quarter.wrong_accepted) == (4.0, 3, 2)
    assert all_of_them == quarter
    # The ROC goes from (1/8, 1/3) to (2/8, 2/3) by the tie at 3 and up to (2/8, 1): it crosses at 2/8.
    assert found.equal_error_rate == pytest.approx(0.25)
    assert found.equal_error.threshold == 3.0  # 2/8 against 1/3; at 4 it is 2/8 against none
    assert math.isclose(found.equal_error.tpr, 2 / 3)


def test_the_threshold_is_the_distance_of_two_descriptors():
    query, gallery = sides(0, ties=False)
    found = verify(query, gallery, rates=(0.1,))
    assert found is not None
    threshold = found.at_fpr[0.1].threshold
    nearest = min(abs(float(torch.dist(q, g)) - threshold) for q in query.features for g in gallery.features)
    assert nearest < 1e-5


def test_one_kind_of_pairs_alone_gives_nothing():
    query = line([0.0], [1], [1], QUERY)
    assert verify(query, line([1.0, 2.0], [2, 0], [2, 2], GALLERY)) is None
    assert verify(query, line([1.0, 2.0], [1, -1], [2, 2], GALLERY)) is None
    assert verify(query.where(query.pids < 0), query) is None
    assert verify(query, query.where(query.pids < 0)) is None
    with pytest.raises(ValueError, match=r"shares from 0 to 1, not \[1\]|not \[5\]"):
        verify(query, query, rates=[5])
