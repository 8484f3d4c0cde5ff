import numpy as np
import pytest
import torch

from vidreid.metrics.distances import GalleryDistances, first_copies, squared_norms, tile_rows


def copies(features):
    return first_copies(features, squared_norms(features, "test"))


def test_squared_euclidean_is_exact_on_integers():
    random = np.random.default_rng(0)
    query, gallery = random.integers(-20, 20, (37, 50)), random.integers(-20, 20, (301, 50))
    expected = ((query[:, None] - gallery[None]) ** 2).sum(axis=2)
    distances = GalleryDistances(torch.from_numpy(gallery).float()).to(torch.from_numpy(query).float())
    assert np.array_equal(distances.numpy(), expected)


def test_cosine():
    random = np.random.default_rng(0)
    query, gallery = random.normal(size=(9, 5)), random.normal(size=(20, 5))
    gallery[3], query[2] = 0, 0
    lengths = np.linalg.norm(query, axis=1)[:, None] * np.linalg.norm(gallery, axis=1)
    expected = 1 - (query @ gallery.T) / np.maximum(lengths, 1e-12)
    distances = GalleryDistances(torch.from_numpy(gallery).float(), "cosine").to(
        torch.from_numpy(query).float()
    )
    np.testing.assert_allclose(distances.numpy(), expected, atol=1e-6)
    assert (distances[:, 3] == 1).all()
    assert (distances[2] == 1).all()


def test_never_negative():
    features = 100 + torch.randn(600, 64, generator=torch.Generator().manual_seed(0))
    assert GalleryDistances(features).to(features).min() >= 0


def test_a_part_of_the_queries_has_the_same_bits():
    make = torch.Generator().manual_seed(0)
    query, gallery = torch.randn(700, 300, generator=make), torch.randn(1003, 300, generator=make)
    distances = GalleryDistances(gallery)
    whole = distances.to(query)
    tile = distances.tile
    assert torch.equal(distances.to(query[:1]), whole[:1])
    assert torch.equal(distances.to(query[tile:]), whole[tile:])


@pytest.mark.parametrize("kind", ["random", "binary codes", "collapsed", "none"])
def test_first_copies(kind):
    make = torch.Generator().manual_seed(1)
    features = torch.randn(2500, 24, generator=make)
    if kind == "random":
        features[[5, 900, 2499]] = features[3].clone()
        features[2000] = features[1500].clone()
    elif kind == "binary codes":  # all lengths equal
        features = torch.randint(0, 2, (2500, 9), generator=make) * 2.0 - 1
    elif kind == "collapsed":
        features[:] = features[0].clone()
    seen: dict[tuple[float, ...], int] = {}
    expected = [seen.setdefault(tuple(row), i) for i, row in enumerate(features.tolist())]
    found = copies(features)
    if kind == "none":
        assert found is None
    else:
        assert found is not None
        assert found.tolist() == expected


def test_rows_of_equal_signature_but_different_values_are_no_copies(monkeypatch):
    # Weights of one value make permutations of a row collide in both signatures.
    monkeypatch.setattr(torch, "rand", lambda size, **options: torch.ones(size, dtype=torch.float64))
    features = torch.tensor([[1.0, 2, 3], [3, 2, 1], [1, 2, 3], [2, 1, 3], [3, 2, 1], [9, 9, 9]])
    assert copies(features).tolist() == [0, 1, 0, 3, 1, 5]


def test_copies_are_equally_far_whatever_the_product_does(monkeypatch):
    product = GalleryDistances._multiply

    def position_dependent(self, queries, out):
        return product(self, queries, out).add_(torch.linspace(0, 1e-3, out.shape[1]))

    monkeypatch.setattr(GalleryDistances, "_multiply", position_dependent)
    make = torch.Generator().manual_seed(2)
    gallery = torch.randn(1037, 129, generator=make)
    gallery[[700, 1030, 1036]] = gallery[4].clone()
    distances = GalleryDistances(gallery).to(torch.randn(50, 129, generator=make))
    for copy in (700, 1030, 1036):
        assert torch.equal(distances[:, 4], distances[:, copy])


@pytest.mark.parametrize(
    ("gallery", "rows"), [(10, 512), (11310, 512), (20000, 256), (10**6, 16), (10**8, 16)]
)
def test_tile_rows(gallery, rows):
    assert tile_rows(gallery) == rows
