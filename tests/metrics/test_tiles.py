"""No distance of a tile is farther from its exact value than the tile says, and not much less would do."""

import numpy as np
import pytest
import torch

from metrics.slow_evaluator import slow_visible_distances
from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.segments import Segments
from vidreid.metrics.sides import Preparation
from vidreid.metrics.tiles import Tiles

KINDS = ["normal", "post-relu", "constant", "first large", "alternating", "nearly equal", "tiny", "huge"]


def features(kind, count, width, random):
    values = random.normal(size=(count, width))
    if kind == "post-relu":
        values = np.abs(values) + 5
    elif kind == "constant":  # every product rounds the same way
        values = np.full_like(values, 0.1) * random.integers(1, 3, (count, 1))
    elif kind == "first large":  # what comes after is lost if it is added to the first product one by one
        values[:, 0] += 3e4
    elif kind == "alternating":  # large terms that cancel
        values = 1e3 * (-1) ** np.arange(width) + values
    elif kind == "nearly equal":
        values = 1000 + 1e-3 * values
    elif kind == "tiny":
        values *= 1e-22
    elif kind == "huge":
        values *= 1e16
    return values.astype(np.float32)


def exact_distances(query, gallery, distance):
    """Squared distances in extended precision; of descriptors scaled to length 1 for the cosine."""
    query, gallery = query.astype(np.longdouble), gallery.astype(np.longdouble)
    if distance == "cosine":
        query, gallery = (x / np.sqrt((x**2).sum(axis=1, keepdims=True)) for x in (query, gallery))
    return np.stack([((row - gallery) ** 2).sum(axis=1) for row in query])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("type_", [torch.float32, torch.float64])
@pytest.mark.parametrize("centred", [True, False])
def test_no_distance_is_outside_its_margin(kind, distance, type_, centred):
    random = np.random.default_rng(len(kind))
    for width in (1, 130, 2048):
        query, gallery = features(kind, 9, width, random), features(kind, 40, width, random)
        exact = exact_distances(query, gallery, distance)
        centre = torch.zeros(width, dtype=torch.float64)
        if centred and distance == "euclidean":
            centre = torch.from_numpy(gallery).double().mean(dim=0)
        prepare = Preparation(distance, None, centre)
        sides = [prepare(Descriptors(torch.from_numpy(x)), type_) for x in (query, gallery)]
        tile = Tiles(distance, None).multiply(*sides)
        found = tile.values.numpy().astype(np.longdouble) + tile.shift.numpy()[:, None]
        assert (np.abs(found - exact) <= tile.margin.numpy()[:, None]).all()
        if kind == "normal" and type_ == torch.float32:
            assert (tile.margin.numpy() < 1e-4 * exact.min(axis=1)).all() or width < 130


@pytest.mark.parametrize("type_", [torch.float32, torch.float64])
@pytest.mark.parametrize("weights", [(4.0, 0.5, 2.0, 1.25), (1e-9, 1.0, 3.0, 1e6)])
def test_visible_distances_are_within_their_margin(type_, weights):
    sizes, random = (200, 1, 30, 69), np.random.default_rng(3)
    query, gallery = features("post-relu", 12, 300, random), features("post-relu", 50, 300, random)
    shows = [random.random((len(x), 4)) < 0.6 for x in (query, gallery)]
    exact = slow_visible_distances(query, gallery, *shows, sizes, weights, uncompared=np.inf)
    segments = Segments(sizes, weights)
    prepare = Preparation("euclidean", segments, torch.full((300,), 5.8, dtype=torch.float64))
    sides = [
        prepare(Descriptors(torch.from_numpy(x), torch.from_numpy(v)), type_)
        for x, v in zip((query, gallery), shows, strict=True)
    ]
    tile = Tiles("euclidean", segments).multiply(*sides)
    compared = exact < np.inf
    assert 0 < (~compared).sum() < exact.size / 2
    assert (tile.values.numpy()[~compared] == torch.finfo(type_).max).all()
    found = tile.values.numpy().astype(np.float64)
    wrong = np.abs(np.where(compared, found - np.where(compared, exact, 0), 0))
    assert (wrong <= tile.margin.numpy()[:, None]).all()


def test_centring_narrows_the_margin_of_descriptors_with_a_large_mean():
    random = np.random.default_rng(0)
    values = torch.from_numpy(features("post-relu", 100, 512, random))
    margins = []
    for centre in (torch.zeros(512, dtype=torch.float64), values.double().mean(dim=0)):
        side = Preparation("euclidean", None, centre)(Descriptors(values), torch.float32)
        margins.append(float(Tiles("euclidean", None).multiply(side, side).margin.max()))
    assert margins[1] < margins[0] / 20


def test_bounds_are_rounded_outwards():
    """A distance that float32 cannot hold lies strictly between its bounds, whatever the shift."""
    prepare = Preparation("euclidean", None, torch.zeros(2, dtype=torch.float64))
    side = prepare(Descriptors(torch.tensor([[1.0, 2.0], [0.5, 0.25]])), torch.float32)
    tile = Tiles("euclidean", None).multiply(side, side)
    wanted = torch.tensor([0.1, 1 / 3, 1e30, 1.7e308], dtype=torch.float64)
    rows = torch.tensor([0, 1, 0, 1])
    low, high = tile.bounds(wanted, rows)
    aim = wanted - tile.shift[rows]
    assert (low.double() < aim - tile.margin[rows]).all()
    assert (high.double()[:3] > (aim + tile.margin[rows])[:3]).all()
    assert high[3] == torch.finfo(torch.float32).max  # never what is left out
