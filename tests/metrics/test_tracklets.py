import numpy as np
import pytest
import torch

from vidreid.metrics.segments import Segments
from vidreid.metrics.tracklets import GALLERY, QUERY, first_of_each, pool_clips


def test_first_of_each_clip():
    assert first_of_each(torch.tensor([4, 0, 4, 2, 0])).tolist() == [1, 3, 0]
    assert first_of_each(torch.empty(0, dtype=torch.int64)).tolist() == []


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("normalize", ["none", "before", "after"])
def test_pooling_over_the_clips_of_a_tracklet(normalize, pooling):
    random = np.random.default_rng(0)
    features = random.normal(size=(9, 4)).astype(np.float32)
    features[5] = -np.abs(features[5])  # alone among the clips of 2: the largest may be below zero
    tracklets = np.array([30, 7, 30, 11, 7, 2, 11, 30, 30])
    facts = [torch.from_numpy(tracklets * k) for k in (2, 3, 0)]
    options = {"normalize": normalize, "pooling": pooling}
    result = pool_clips(torch.from_numpy(features), torch.from_numpy(tracklets), *facts, **options)
    assert result.tracklets.tolist() == [30, 7, 11, 2]
    assert result.pids.tolist() == [60, 14, 22, 4]
    for row, tracklet in enumerate([30, 7, 11, 2]):
        clips = features[tracklets == tracklet]
        if normalize == "before":
            clips = clips / np.linalg.norm(clips, axis=1, keepdims=True)
        pooled = clips.mean(axis=0) if pooling == "mean" else clips.max(axis=0)
        if normalize == "after":
            pooled = pooled / np.linalg.norm(pooled)
        np.testing.assert_allclose(result.features[row], pooled, atol=1e-6)


def test_one_clip_a_tracklet_changes_nothing():
    features = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    numbers = torch.tensor([8, 3, 5, 1])
    result = pool_clips(features, numbers, numbers, numbers, numbers)
    assert torch.equal(result.features, features)
    assert torch.equal(result.tracklets, numbers)


def test_contradicting_clips_are_named():
    numbers = torch.tensor([0, 5, 5])
    with pytest.raises(ValueError, match="tracklet 5 disagree about its camera"):
        pool_clips(torch.ones(3, 2), numbers, numbers, torch.tensor([1, 1, 2]), numbers)


def test_outfits_are_facts_of_tracklets():
    numbers = torch.tensor([5, 8, 5])
    result = pool_clips(torch.ones(3, 2), *[numbers] * 4, outfits=torch.tensor([3, 1, 3]))
    assert result.outfits is not None
    assert result.outfits.tolist() == [3, 1]
    assert result.having(QUERY).outfits.tolist() == [3]
    with pytest.raises(ValueError, match="tracklet 5 disagree about its outfit"):
        pool_clips(torch.ones(3, 2), *[numbers] * 4, outfits=torch.tensor([3, 1, 4]))


def test_roles_are_bits():
    numbers = torch.arange(4)
    result = pool_clips(torch.ones(4, 2), numbers, numbers, numbers, torch.tensor([0, 1, 2, 3]))
    assert result.having(QUERY).tracklets.tolist() == [1, 3]
    assert result.having(GALLERY).tracklets.tolist() == [2, 3]


def test_an_image_and_its_whole_tracklet_are_pooled_apart():
    """Tracklet 5 asks by one clip and is searched by two; 8 is searched only, 9 asks as a whole."""
    tracklets = torch.tensor([5, 5, 8, 9, 5, 9])
    roles = torch.tensor([2, 2, 2, 3, 1, 3])
    features = torch.tensor([1.0, 3.0, 7.0, 4.0, 10.0, 6.0])[:, None]
    result = pool_clips(features, tracklets, tracklets, tracklets, roles)
    assert result.tracklets.tolist() == [5, 8, 9, 5]
    assert result.features.flatten().tolist() == [2, 7, 5, 10]
    assert result.clips.tolist() == [2, 1, 2, 1]
    assert result.having(QUERY).features.flatten().tolist() == [5, 10]
    assert result.having(GALLERY).features.flatten().tolist() == [2, 7, 5]


@pytest.mark.parametrize("roles", [[2, 1, 3], [2, 3, 2], [1, 0, 3], [1, 2, 0]])
def test_other_pairs_of_roles_contradict_each_other(roles):
    numbers = torch.tensor([8, 5, 5])
    with pytest.raises(ValueError, match="tracklet 5 disagree about its role"):
        pool_clips(torch.ones(3, 2), numbers, numbers, numbers, torch.tensor(roles))


def test_the_facts_of_an_image_are_those_of_its_tracklet():
    numbers, roles = torch.tensor([5, 5, 8]), torch.tensor([1, 2, 2])
    with pytest.raises(ValueError, match="tracklet 5 disagree about its camera"):
        pool_clips(torch.ones(3, 2), numbers, numbers, torch.tensor([1, 2, 2]), roles)


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("numbers", [[30, 7, 30, 11, 7, 30, 11, 30, 2], [30, 7, 3, 11, 4, 31, 1, 8, 2]])
def test_each_segment_is_pooled_over_the_clips_that_show_it(numbers, pooling):
    random = np.random.default_rng(0)
    features = random.normal(size=(9, 5)).astype(np.float32) - 1  # a hidden zero would win many a maximum
    visible = random.random((9, 3)) < 0.5
    visible[numbers.index(11)] = False, True, False
    segments = Segments((2, 1, 2))
    facts = [torch.tensor(numbers)] * 4
    result = pool_clips(
        torch.from_numpy(features),
        *facts,
        visible=torch.from_numpy(visible),
        segments=segments,
        pooling=pooling,
    )
    expected, shows = [], []
    order = list(dict.fromkeys(numbers))
    for tracklet in order:
        clips = [i for i, number in enumerate(numbers) if number == tracklet]
        parts = []
        for segment, columns in enumerate(([0, 1], [2], [3, 4])):
            shown = [features[i][columns] for i in clips if visible[i, segment]]
            pooled = np.mean if pooling == "mean" else np.max
            parts.append(pooled(shown, axis=0) if shown else np.zeros(len(columns)))
        expected.append(np.concatenate(parts))
        shows.append([any(visible[i, segment] for i in clips) for segment in range(3)])
    np.testing.assert_allclose(result.features, expected, atol=1e-6)
    assert result.visible is not None
    assert result.visible.tolist() == shows
    assert result.tracklets.tolist() == order
    assert result.clips is not None
    assert result.clips.tolist() == [numbers.count(tracklet) for tracklet in order]
    assert result.having(QUERY).visible.shape == (sum(number & 1 for number in order), 3)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_the_clips_keep_what_they_hide(pooling):
    features, facts = torch.ones(3, 2), [torch.tensor([4, 4, 9])] * 4
    shows = torch.tensor([[True], [False], [False]])
    pool_clips(features, *facts, visible=shows, segments=Segments((2,)), pooling=pooling)
    assert (features == 1).all()


def test_visible_parts_need_segments_and_lengths_as_they_are():
    features, facts = torch.ones(3, 2), [torch.arange(3)] * 4
    shows = torch.ones(3, 1, dtype=torch.bool)
    with pytest.raises(ValueError, match="need the segments"):
        pool_clips(features, *facts, visible=shows)
    with pytest.raises(ValueError, match="normalize=after cannot leave hidden parts out"):
        pool_clips(features, *facts, "after", visible=shows, segments=Segments((2,)))
