"""The evaluation of the released VID-Trans-ReID and KeyRe-ID: its numbers, and that they are wrong."""

import json

import numpy as np
import pytest
import torch

from support.real_mars import write_real_mars
from vidreid.data.mars import MarsDataModule
from vidreid.metrics.distances import GalleryDistances
from vidreid.metrics.legacy import legacy_frame_cameras
from vidreid.metrics.reid import ReidMetric

DIMENSIONS = 32


def test_tracklets_get_the_cameras_of_the_first_frames():
    # 3 clips of 2 frames, then 1 and 1: the list is 5 5 5 5 5 5 8 8 9 9, read at 0, 1, 2.
    found = legacy_frame_cameras(torch.tensor([5, 8, 9]), torch.tensor([3, 1, 1]), 2)
    assert found.tolist() == [5, 5, 5]
    assert legacy_frame_cameras(torch.tensor([5, 8, 9]), torch.ones(3).long(), 1).tolist() == [5, 8, 9]


def test_equals_the_list_of_all_frames():
    random = np.random.default_rng(0)
    cameras, clips = random.integers(1, 7, 50), random.integers(1, 4, 50)
    frames = [camera for camera, count in zip(cameras, clips, strict=True) for _ in range(2 * count)]
    found = legacy_frame_cameras(torch.from_numpy(cameras), torch.from_numpy(clips), 2)
    assert found.tolist() == [frames[i] for i in range(50)]


def test_no_tracklet_is_no_crash():
    none = torch.empty(0, dtype=torch.int64)
    assert legacy_frame_cameras(none, none, 4).tolist() == []


def test_frames_per_clip_are_needed():
    with pytest.raises(ValueError, match="give frames_per_clip"):
        ReidMetric(cameras="legacy_frames")
    with pytest.raises(ValueError, match="'frames'"):
        ReidMetric(cameras="frames")  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def case(golden_file):
    return np.load(golden_file("case10_mars_evaluation.npz"))


@pytest.fixture(scope="module")
def tolerances(golden_file):
    return {
        pattern: (absolute, relative)
        for pattern, absolute, relative in json.loads(golden_file("keyreid_tolerances.json").read_text())[
            "case10_mars_evaluation"
        ]
    }


def evaluated(case, **options):
    """The metric after all clips: those of the queries, then those of the gallery."""
    sides = ("query", "gallery")
    counts = torch.from_numpy(np.concatenate([case[f"{side}_clips"] for side in sides]))
    facts = [
        torch.from_numpy(np.concatenate([case[f"{side}_{fact}"] for side in sides]))
        for fact in ("pids", "cams")
    ]
    tracklets = torch.arange(len(counts))
    roles = torch.where(tracklets < len(case["query_pids"]), 1, 2)
    features = torch.from_numpy(np.concatenate([case[f"{side}_clip_features"] for side in sides]))
    metric = ReidMetric(len(features), max_rank=21, **options)
    numbers = [x.repeat_interleave(counts) for x in (tracklets, *facts, roles)]
    metric.update(features, torch.arange(len(features)), *numbers)
    return metric


@pytest.mark.parametrize(
    ("name", "options"),
    [("correct", {}), ("released", {"cameras": "legacy_frames", "frames_per_clip": 4})],
)
def test_golden_right_and_released_numbers(case, tolerances, name, options):
    absolute, relative = tolerances["*"]
    result = evaluated(case, **options).result()
    np.testing.assert_allclose(result.cmc, case[f"{name}_cmc"], atol=absolute, rtol=relative)
    np.testing.assert_allclose(result.mean_ap, case[f"{name}_map"], atol=absolute, rtol=relative)
    np.testing.assert_allclose(result.average_precisions, case[f"{name}_ap"], atol=absolute, rtol=relative)
    assert result.first_ranks.nan_to_num(-1).tolist() == case[f"{name}_first_hit"].tolist()
    assert result.queries_counted == np.isfinite(case[f"{name}_ap"]).sum()


def test_golden_distances_of_the_mean_descriptors(case, tolerances):
    absolute, relative = tolerances["distance"]
    descriptors = evaluated(case).descriptors()
    query, gallery = descriptors.having(1), descriptors.having(2)
    found = GalleryDistances(gallery.features).to(query.features)
    np.testing.assert_allclose(found, case["distance"], atol=absolute, rtol=relative)


@pytest.mark.parametrize("side", ["query", "gallery"])
def test_golden_camera_lists(case, side):
    cameras, clips = (torch.from_numpy(case[f"{side}_{fact}"]) for fact in ("cams", "clips"))
    found = legacy_frame_cameras(cameras, clips, 4)
    assert found.tolist() == case[f"released_{side}_cams"][: len(cameras)].tolist()


@pytest.fixture(scope="module")
def mars_clips(tmp_path_factory, shared_data):
    """All evaluation clips of MARS as the release takes them: 41 clips of 4 frames at most."""
    root = tmp_path_factory.mktemp("mars")
    write_real_mars(root, shared_data)
    return MarsDataModule(
        root,
        protocol="legacy_unfiltered",
        test_sampling="dense",
        test_clip_length=4,
        test_max_clips=41,
        keypoints=None,
    ).test_data()


def mars_metric(clips, **options):
    """Stand-in descriptors: who it is, how this camera sees this person, and noise."""
    make = np.random.default_rng(0)
    pids, cameras = clips.pids, clips.cameras
    people = make.normal(size=(pids.max() + 1, DIMENSIONS))[pids]
    strangers = pids == 0
    people[strangers] = make.normal(size=(strangers.sum(), DIMENSIONS))
    pair = np.unique(pids * 10 + cameras, return_inverse=True)[1]
    seen = make.normal(size=(pair.max() + 1, DIMENSIONS))[pair]
    features = people + 0.7 * seen + 0.6 * make.normal(size=people.shape)
    columns = [features.astype(np.float32), clips.tracklets, pids, cameras, clips.roles]
    features, *facts = (torch.from_numpy(column[clips.rows]) for column in columns)
    metric = ReidMetric(len(clips), **options)
    metric.update(features, torch.arange(len(clips)), *facts)
    return metric


def test_on_mars_it_drops_queries_and_scores_far_too_high(mars_clips):
    right = mars_metric(mars_clips).compute()
    legacy = mars_metric(mars_clips, cameras="legacy_frames", frames_per_clip=4)
    wrong = legacy.compute()
    assert (right["queries_counted"], wrong["queries_counted"]) == (1840, 1518)
    assert right["gallery"] == wrong["gallery"] == 9330
    assert wrong["rank1"] > right["rank1"] + 0.15
    assert wrong["mAP"] > right["mAP"] + 0.1
    query, gallery = (legacy.descriptors().having(role) for role in (1, 2))
    assert (4 * query.clips.sum(), 4 * gallery.clips.sum()) == (110_860, 512_048)
    mixed = legacy_frame_cameras(gallery.cameras, gallery.clips, 4)
    assert set(mixed.tolist()) == {1}
    assert (mixed != gallery.cameras).double().mean() == pytest.approx(0.824, abs=1e-3)
    mixed = legacy_frame_cameras(query.cameras, query.clips, 4)
    assert (mixed != query.cameras).double().mean() == pytest.approx(0.813, abs=1e-3)
    counted = ~legacy.result().average_precisions.isnan()
    same = (query.pids[:, None] == gallery.pids) & (query.cameras[:, None] == gallery.cameras)
    assert same.sum() == 6066
    assert (same.any(dim=1) & counted).sum() == 1247
    answered = ((query.pids[:, None] == gallery.pids) & (query.cameras[:, None] != gallery.cameras)).any(
        dim=1
    )
    assert (answered.sum(), (answered & ~counted).sum(), (counted & ~answered).sum()) == (1840, 408, 86)
