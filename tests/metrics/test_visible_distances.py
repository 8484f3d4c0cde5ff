import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_problem, slow_visible_distances
from vidreid.metrics.distances import GalleryDistances
from vidreid.metrics.segments import Segments
from vidreid.metrics.top_matches import top_matches
from vidreid.metrics.visible_distances import PairDistances, VisibleDistances

SIZES, WEIGHTS = (5, 1, 3, 3), (4.0, 0.5, 2.0, 1.25)


def visibility(seed, *counts, share=0.5):
    make = torch.Generator().manual_seed(seed)
    return [torch.rand(n, len(SIZES), generator=make) < share for n in counts]


def features(seed, *counts, width=12):
    make = torch.Generator().manual_seed(seed)
    return [torch.randn(n, width, generator=make) for n in counts]


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_equals_loops_in_float64(weights, share):
    query, gallery = features(0, 31, 77)
    shows, gallery_shows = visibility(1, 31, 77, share=share)
    shows[3], gallery_shows[5] = False, False  # nothing shows
    expected = slow_visible_distances(query, gallery, shows, gallery_shows, SIZES, weights or SIZES)
    found = VisibleDistances(gallery, gallery_shows, Segments(SIZES, weights)).to(query, shows)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_by_hand():
    # Segments of 1 and 2 values, weights 1 and 3. Both show the second alone: 4/3 of 2^2 + 1^2.
    both, second, first = [True, True], [False, True], [True, False]
    segments = Segments((1, 2), (1.0, 3.0))
    gallery = torch.tensor([[7.0, 3, 4], [7, 3, 4], [7, 3, 4]])
    distances = VisibleDistances(gallery, torch.tensor([both, second, first]), segments)
    query = torch.tensor([[5.0, 1, 3]])
    # Of the first item all is compared; the third shares nothing with the query: as far as the farthest,
    # here 1 + 9 of the query's second segment and 49 + 25 of the longest item.
    found = distances.to(query, torch.tensor([second]))
    torch.testing.assert_close(found, torch.tensor([[20 / 3, 20 / 3, 10.0 + 74]]))
    torch.testing.assert_close(distances.to(query, torch.tensor([both]))[0, 0], torch.tensor(9.0))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_with_everything_visible_it_is_the_plain_distance(weights):
    query, gallery = features(2, 50, 300)
    plain = GalleryDistances(gallery).to(query)
    shows, gallery_shows = visibility(0, 50, 300, share=2.0)
    found = VisibleDistances(gallery, gallery_shows, Segments(SIZES, weights)).to(query, shows)
    torch.testing.assert_close(found, plain, rtol=1e-6, atol=1e-5)


def test_exact_on_integers():
    random = np.random.default_rng(0)
    query, gallery = (torch.from_numpy(random.integers(-9, 9, (n, 12))).float() for n in (20, 60))
    shows, gallery_shows = visibility(0, 20, 60, share=2.0)
    found = VisibleDistances(gallery, gallery_shows, Segments(SIZES)).to(query, shows)
    assert torch.equal(found, ((query[:, None] - gallery[None]) ** 2).sum(dim=2))


def test_what_is_hidden_does_not_matter():
    query, gallery = features(3, 9, 40)
    shows, gallery_shows = visibility(4, 9, 40)
    clean = VisibleDistances(gallery, gallery_shows, Segments(SIZES)).to(query, shows)
    column = torch.tensor(SIZES)
    for values, visible in ((query, shows), (gallery, gallery_shows)):
        values[~visible.repeat_interleave(column, dim=1)] = torch.nan
    dirty = VisibleDistances(gallery, gallery_shows, Segments(SIZES)).to(query, shows)
    assert torch.equal(clean, dirty)


def test_strangers_are_not_near_for_showing_little():
    """A stranger of whom one part is compared is as far as that part says of the whole."""
    person = torch.zeros(1, 12)
    gallery = torch.tensor([0.8, 1.0])[:, None].expand(2, 12).clone()
    shows = torch.ones(2, 4, dtype=torch.bool)
    shows[1, 1:] = False  # of the farther item only 5 of 12 values show
    found = VisibleDistances(gallery, shows, Segments(SIZES)).to(person, shows[:1])
    torch.testing.assert_close(found, torch.tensor([[12 * 0.64, 12.0]]))


def test_nothing_in_common_comes_last_and_is_finite():
    query, gallery = features(5, 2, 40)
    shows = torch.zeros(2, 4, dtype=torch.bool)
    shows[0, 0] = True
    gallery_shows = torch.ones(40, 4, dtype=torch.bool)
    gallery_shows[7, 0] = False
    found = VisibleDistances(gallery, gallery_shows, Segments(SIZES)).to(query, shows)
    assert torch.isfinite(found).all()
    assert found[0].argmax() == 7
    assert len(found[1].unique()) == 1
    assert found[1, 0] > 0


def test_extreme_weights_stay_finite():
    gallery = torch.tensor([[3e18, 0.0]])
    segments = Segments((1, 1), (1.0, 1e20))
    found = VisibleDistances(gallery, torch.tensor([[True, False]]), segments)
    assert torch.isfinite(found.to(-gallery, torch.tensor([[True, True]]))).all()


def test_a_part_of_the_queries_has_the_same_bits():
    query, gallery = features(6, 700, 1003, width=300)
    segments = Segments((100, 50, 50, 100))
    shows, gallery_shows = visibility(7, 700, 1003)
    distances = VisibleDistances(gallery, gallery_shows, segments)
    whole, tile = distances.to(query, shows), distances.tile
    assert torch.equal(distances.to(query[:1], shows[:1]), whole[:1])
    assert torch.equal(distances.to(query[tile:], shows[tile:]), whole[tile:])


def test_copies_agree_in_values_and_visibility(monkeypatch):
    product = VisibleDistances._multiply

    def position_dependent(self, *facts):
        return product(self, *facts).add_(torch.linspace(0, 1e-3, len(self.gallery)))

    monkeypatch.setattr(VisibleDistances, "_multiply", position_dependent)
    query, gallery = features(8, 20, 200)
    shows, gallery_shows = visibility(9, 20, 200, share=0.8)
    gallery[[50, 150, 199]] = gallery[4].clone()
    gallery_shows[[4, 50, 150]] = torch.tensor([True, True, False, True])
    gallery_shows[199] = torch.tensor([True, True, True, True])
    gallery[:, 6:9][~gallery_shows[:, 2]] = 0
    gallery[60] = gallery[4].clone()  # the same values, but its zeros are shown
    gallery_shows[60] = True
    found = VisibleDistances(gallery, gallery_shows, Segments(SIZES)).to(query, shows)
    assert torch.equal(found[:, 4], found[:, 50])
    assert torch.equal(found[:, 4], found[:, 150])
    assert not torch.equal(found[:, 4], found[:, 60])
    assert not torch.equal(found[:, 4], found[:, 199])


def test_top_matches_use_the_same_distances():
    query, gallery, qp, gp, qc, gc = (
        torch.from_numpy(x) for x in random_problem(2, width=sum(SIZES), ties=False)
    )
    shows, gallery_shows = visibility(3, 40, 150)
    matrix = slow_visible_distances(query, gallery, shows, gallery_shows, SIZES, SIZES)
    rows, values = top_matches(
        query, gallery, qp, gp, qc, gc, 5,
        segments=Segments(SIZES), query_visible=shows, gallery_visible=gallery_shows,
    )  # fmt: skip
    for i in range(len(query)):
        ignored = (gp == -1) | ((gp == qp[i]) & (gc == qc[i]))
        matrix[i][ignored.numpy()] = np.inf
        order = np.argsort(matrix[i], kind="stable")[:5]
        np.testing.assert_allclose(values[i], matrix[i][order], rtol=1e-4, atol=1e-5)
        assert rows[i].tolist() == order.tolist()


def test_wrong_arguments_are_named():
    query, gallery = features(0, 3, 5)
    shows, gallery_shows = visibility(0, 3, 5)
    segments = Segments(SIZES)
    with pytest.raises(ValueError, match="distance=cosine with normalize=none cannot leave hidden parts out"):
        PairDistances(query, gallery, "cosine", segments, shows, gallery_shows)
    for wrong in ((None, shows, gallery_shows), (segments, shows, None), (segments, None, gallery_shows)):
        with pytest.raises(ValueError, match="visibility of queries and gallery, and the segments"):
            PairDistances(query, gallery, "euclidean", *wrong)
    with pytest.raises(ValueError, match=r"12 values in all do not go with .*\(5, 12\).*\(5, 3\)"):
        PairDistances(query, gallery, "euclidean", segments, shows, gallery_shows[:, :3])
    with pytest.raises(ValueError, match=r"12 values in all do not go with descriptors of shape \(3, 11\)"):
        PairDistances(query[:, 1:], gallery[:, 1:], "euclidean", segments, shows, gallery_shows)
    gallery[2, 0], gallery_shows[2, 0] = torch.inf, True
    with pytest.raises(ValueError, match="1 of 5 gallery descriptors are not finite, the first in row 2"):
        PairDistances(query, gallery, "euclidean", segments, shows, gallery_shows)


@pytest.mark.parametrize(("sizes", "weights"), [((), None), ((3, 0), None), ((3, 2), (1.0,)), ((2,), (0.0,))])
def test_impossible_segments_are_refused(sizes, weights):
    with pytest.raises(ValueError, match="egments"):
        Segments(sizes, weights)
