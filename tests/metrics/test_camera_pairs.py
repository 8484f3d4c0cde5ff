"""Scores between single cameras."""

import numpy as np
import pytest
import torch

from metrics.slow_evaluator import slow_rank
from support.sides import sides, slow_matrix
from vidreid.metrics import camera_pairs as module
from vidreid.metrics.camera_pairs import camera_pairs


@pytest.mark.parametrize(
    ("visible", "options"),
    [
        (False, {}),
        (False, {"distance": "cosine", "junk_pid": None, "answers": "other_outfit"}),
        (False, {"average_precision": "trapezoid", "answers": "same_outfit", "block": 5}),
        (True, {}),
    ],
)
def test_equals_a_ranking_of_each_pair(visible, options):
    query, gallery = sides(2, visible, cameras=4, ties=False)
    found = camera_pairs(query, gallery, **options)
    assert found.query_cameras == found.gallery_cameras == [1, 2, 3, 4]
    rules = {key: value for key, value in options.items() if key != "block"}
    for row, own in enumerate(found.query_cameras):
        for column, other in enumerate(found.gallery_cameras):
            asks, seen = query.where(query.cameras == own), gallery.where(gallery.cameras == other)
            slow = slow_rank(
                *(side.features.numpy() for side in (asks, seen)),
                *(side.pids.numpy() for side in (asks, seen)),
                *(side.cameras.numpy() for side in (asks, seen)),
                matrix=slow_matrix(asks, seen, rules.get("distance", "euclidean"), uncompared=1e30),
                query_outfits=asks.outfits,
                gallery_outfits=seen.outfits,
                **rules,
            )
            assert found.queries[row, column] == slow.counted
            np.testing.assert_allclose(found.mean_ap[row, column], slow.mean_ap, atol=1e-9)
            np.testing.assert_allclose(found.rank1[row, column], slow.cmc[0], atol=1e-9)
    assert (found.queries.diagonal() == 0).all()
    assert found.rank1.diagonal().isnan().all()
    assert found.queries.sum() > 30


def test_cameras_that_only_ask_or_are_only_searched():
    query, gallery = sides(2, cameras=4)
    found = camera_pairs(query.where(query.cameras != 3), gallery.where(gallery.cameras > 2))
    assert (found.query_cameras, found.gallery_cameras) == ([1, 2, 4], [3, 4])
    assert found.queries.shape == found.rank1.shape == found.mean_ap.shape == (3, 2)
    nobody = camera_pairs(query.where(query.cameras > 9), gallery)
    assert nobody.rank1.shape == (0, 4)


def test_many_cameras_are_not_many_pairs(monkeypatch):
    """MEVID has 33 cameras, which are 1,089 pairs: each gallery is ranked once, for all queries."""
    query, gallery = sides(5, cameras=33, queries=200, gallery=400)
    compared = []
    rank = module.rank

    def counted(*args, **options):
        compared.append(len(args[0]) * len(args[1]))
        return rank(*args, **options)

    monkeypatch.setattr(module, "rank", counted)
    found = camera_pairs(query, gallery)
    assert len(compared) == 33
    assert sum(compared) == 200 * 400
    assert found.queries.sum() > 100
    assert torch.isfinite(found.rank1[found.queries > 0]).all()
