import numpy as np
import pytest
import torch

from vidreid.metrics.segments import Segments
from vidreid.metrics.tracklets import GALLERY, QUERY, average_clips, first_of_each


def test_first_of_each_clip():
    assert first_of_each(torch.tensor([4, 0, 4, 2, 0])).tolist() == [1, 3, 0]
    assert first_of_each(torch.empty(0, dtype=torch.int64)).tolist() == []


@pytest.mark.parametrize("normalize", ["none", "before", "after"])
def test_mean_over_the_clips_of_a_tracklet(normalize):
    random = np.random.default_rng(0)
    features = random.normal(size=(9, 4)).astype(np.float32)
    tracklets = np.array([30, 7, 30, 11, 7, 30, 11, 30, 2])
    facts = [torch.from_numpy(tracklets * k) for k in (2, 3, 0)]
    result = average_clips(torch.from_numpy(features), torch.from_numpy(tracklets), *facts, normalize)
    assert result.tracklets.tolist() == [30, 7, 11, 2]
    assert result.pids.tolist() == [60, 14, 22, 4]
    for row, tracklet in enumerate([30, 7, 11, 2]):
        clips = features[tracklets == tracklet]
        if normalize == "before":
            clips = clips / np.linalg.norm(clips, axis=1, keepdims=True)
        mean = clips.mean(axis=0)
        if normalize == "after":
            mean = mean / np.linalg.norm(mean)
        np.testing.assert_allclose(result.features[row], mean, atol=1e-6)


def test_one_clip_a_tracklet_changes_nothing():
    features = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    numbers = torch.tensor([8, 3, 5, 1])
    result = average_clips(features, numbers, numbers, numbers, numbers)
    assert torch.equal(result.features, features)
    assert torch.equal(result.tracklets, numbers)


def test_contradicting_clips_are_named():
    numbers = torch.tensor([0, 5, 5])
    with pytest.raises(ValueError, match="tracklet 5 disagree about its camera"):
        average_clips(torch.ones(3, 2), numbers, numbers, torch.tensor([1, 1, 2]), numbers)


def test_outfits_are_facts_of_tracklets():
    numbers = torch.tensor([5, 8, 5])
    result = average_clips(torch.ones(3, 2), *[numbers] * 4, outfits=torch.tensor([3, 1, 3]))
    assert result.outfits is not None
    assert result.outfits.tolist() == [3, 1]
    assert result.having(QUERY).outfits.tolist() == [3]
    with pytest.raises(ValueError, match="tracklet 5 disagree about its outfit"):
        average_clips(torch.ones(3, 2), *[numbers] * 4, outfits=torch.tensor([3, 1, 4]))


def test_roles_are_bits():
    numbers = torch.arange(4)
    result = average_clips(torch.ones(4, 2), numbers, numbers, numbers, torch.tensor([0, 1, 2, 3]))
    assert result.having(QUERY).tracklets.tolist() == [1, 3]
    assert result.having(GALLERY).tracklets.tolist() == [2, 3]


@pytest.mark.parametrize("numbers", [[30, 7, 30, 11, 7, 30, 11, 30, 2], [30, 7, 3, 11, 4, 31, 1, 8, 2]])
def test_each_segment_is_averaged_over_the_clips_that_show_it(numbers):
    random = np.random.default_rng(0)
    features = random.normal(size=(9, 5)).astype(np.float32)
    visible = random.random((9, 3)) < 0.5
    visible[numbers.index(11)] = False, True, False
    segments = Segments((2, 1, 2))
    facts = [torch.tensor(numbers)] * 4
    result = average_clips(
        torch.from_numpy(features), *facts, visible=torch.from_numpy(visible), segments=segments
    )
    expected, shows = [], []
    order = list(dict.fromkeys(numbers))
    for tracklet in order:
        clips = [i for i, number in enumerate(numbers) if number == tracklet]
        parts = []
        for segment, columns in enumerate(([0, 1], [2], [3, 4])):
            shown = [features[i][columns] for i in clips if visible[i, segment]]
            parts.append(sum(shown) / len(shown) if shown else np.zeros(len(columns)))
        expected.append(np.concatenate(parts))
        shows.append([any(visible[i, segment] for i in clips) for segment in range(3)])
    np.testing.assert_allclose(result.features, expected, atol=1e-6)
    assert result.visible is not None
    assert result.visible.tolist() == shows
    assert result.tracklets.tolist() == order
    assert result.clips is not None
    assert result.clips.tolist() == [numbers.count(tracklet) for tracklet in order]
    assert result.having(QUERY).visible.shape == (sum(number & 1 for number in order), 3)


def test_the_clips_keep_what_they_hide():
    features, facts = torch.ones(3, 2), [torch.tensor([4, 4, 9])] * 4
    average_clips(features, *facts, visible=torch.tensor([[True], [False], [False]]), segments=Segments((2,)))
    assert (features == 1).all()


def test_visible_parts_need_segments_and_lengths_as_they_are():
    features, facts = torch.ones(3, 2), [torch.arange(3)] * 4
    shows = torch.ones(3, 1, dtype=torch.bool)
    with pytest.raises(ValueError, match="need the segments"):
        average_clips(features, *facts, visible=shows)
    with pytest.raises(ValueError, match="normalize=after cannot leave hidden parts out"):
        average_clips(features, *facts, "after", visible=shows, segments=Segments((2,)))
