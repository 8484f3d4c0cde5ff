import pickle
import warnings

import numpy as np
import pytest
import torch

from support.mars_tree import TRAIN, make_mars_tree
from vidreid.data.clips import dense
from vidreid.data.dataset import EvaluationClips, TrainClips, collate_clips
from vidreid.data.frames import FrameError, read_image
from vidreid.data.mars import read_mars
from vidreid.data.reading import BadFrameWarning, ClipReader
from vidreid.data.samplers import Draw
from vidreid.data.transforms import ClipTransform, training_augmentations
from vidreid.keypoints.store import KeypointStore, write_keypoints

SIZE = (32, 16)


@pytest.fixture
def root(tmp_path):
    return make_mars_tree(tmp_path / "mars", SIZE)


@pytest.fixture
def benchmark(root):
    return read_mars(root)


def _store(benchmark):
    frames = benchmark.train_frames
    folder = benchmark.root / "keypoints/true"
    return KeypointStore.open(folder, "bbox_train", len(frames), frames.names_crc())


def _training(benchmark, on_bad_frame="error", frames=4, augment=False, sampling="segment_random"):
    reader = ClipReader(benchmark.train_frames, _store(benchmark), "body12", on_bad_frame)
    transform = ClipTransform(*SIZE, training_augmentations() if augment else ())
    return TrainClips(benchmark.train, reader, transform, frames, sampling)


def test_a_training_clip_carries_label_pixels_and_joints(benchmark):
    clips = _training(benchmark, sampling="evenly")
    assert len(clips) == len(TRAIN)
    clip = clips[Draw(6, 5)]  # identity 5 with 4 frames: labels are those of 1, 2, 4, 5, 7
    assert (clip.pid, clip.camera, clip.tracklet, clip.clip, clip.role) == (3, 1, 6, -1, 0)
    start = sum(frames for _, _, frames in TRAIN[:6])
    paths = benchmark.train_frames.paths(start, start + 4)
    expected = np.stack([read_image(path) for path in paths]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(clip.images, expected)
    np.testing.assert_array_equal(clip.keypoints, _store(benchmark)[start : start + 4][:, 5:])


@pytest.mark.parametrize("row", range(len(TRAIN)))
def test_tracklets_shorter_than_a_clip_work_and_stay_in_their_own_frames(benchmark, row, monkeypatch):
    clips = _training(benchmark, frames=8)
    read = set()
    file = clips.reader.frames.file
    monkeypatch.setattr(clips.reader.frames, "file", lambda frame: read.add(frame) or file(frame))
    for seed in range(5):
        assert clips[Draw(row, seed)].images.shape == (8, 3, *SIZE)
    start = sum(frames for _, _, frames in TRAIN[:row])
    assert read <= set(range(start, start + TRAIN[row][2]))


def test_a_draw_decides_everything(benchmark):
    clips = _training(benchmark, augment=True)
    first, again, other = clips[Draw(3, 7)], clips[Draw(3, 7)], clips[Draw(3, 8)]
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.keypoints, again.keypoints)
    assert not torch.equal(first.images, other.images)


def test_the_augmentation_differs_where_the_frames_cannot(benchmark):
    clips = _training(benchmark, augment=True)
    assert TRAIN[8][2] == 1
    assert len({clips[Draw(8, seed)].images.numpy().tobytes() for seed in range(20)}) > 5


def test_data_sets_travel_to_loader_processes(benchmark):
    clips = pickle.loads(pickle.dumps(_training(benchmark, augment=True)))
    assert clips[Draw(0, 1)].images.shape == (4, 3, *SIZE)


def test_a_batch_has_the_shapes_and_types_of_the_contract(benchmark):
    batch = collate_clips([_training(benchmark)[Draw(row, row)] for row in (0, 3)])
    assert batch.images.shape == (2, 4, 3, *SIZE)
    assert batch.images.dtype == torch.uint8
    assert batch.images.is_contiguous()
    assert batch.keypoints.shape == (2, 4, 12, 3)
    assert batch.keypoints.dtype == torch.float32
    for numbers in (*batch[2:7], batch.outfits):
        assert numbers.dtype == torch.int64
        assert numbers.shape == (2,)
    assert batch.pids.tolist() == [0, 1]
    assert batch.clips.tolist() == [-1, -1]
    assert batch.outfits.tolist() == [0, 0]


def test_clips_know_the_outfits_of_a_table_that_has_them(benchmark):
    train = benchmark.train.assign(outfit=np.arange(len(benchmark.train)) + 4)
    reader, transform = ClipReader(benchmark.train_frames), ClipTransform(*SIZE)
    clips = TrainClips(train, reader, transform, 4)
    assert collate_clips([clips[Draw(row, row)] for row in (0, 3)]).outfits.tolist() == [4, 7]
    roles = np.array([1, 0, *[3] * (len(train) - 2)])
    clips = EvaluationClips(train, roles, reader, transform, 4)
    assert collate_clips([clips[0], clips[1]]).outfits.tolist() == [4, 6]


def test_without_keypoints_the_batch_has_none(benchmark):
    reader = ClipReader(benchmark.train_frames)
    clips = TrainClips(benchmark.train, reader, ClipTransform(*SIZE), 2)
    assert collate_clips([clips[Draw(0, 0)]]).keypoints is None


def test_missing_keypoints_are_confidence_zero(benchmark):
    names = [name.decode() for name in benchmark.train_frames.names]
    keypoints = np.full((len(names), 17, 3), np.nan)
    keypoints[1] = 0.5
    crc = benchmark.train_frames.names_crc()
    write_keypoints(benchmark.root / "keypoints/some", "bbox_train", keypoints, crc, "some")
    store = KeypointStore.open(benchmark.root / "keypoints/some", "bbox_train", len(names), crc)
    reader = ClipReader(benchmark.train_frames, store)
    clip = TrainClips(benchmark.train, reader, ClipTransform(*SIZE), 5, "evenly")[Draw(0, 0)]
    assert clip.keypoints[:, :, 2].amax(1).tolist() == [0, 0.5, 0, 0, 0]
    assert torch.isfinite(clip.keypoints).all()


def test_evaluation_is_a_flat_list_of_clips(benchmark):
    roles = benchmark.protocols["official"].roles(benchmark.test)
    reader = ClipReader(benchmark.test_frames)
    clips = EvaluationClips(benchmark.test, roles, reader, ClipTransform(*SIZE), 4, "dense")
    # Slow twin: all clips of the tracklets that play a part, in order.
    expected = []
    for _, row in benchmark.test[roles > 0].iterrows():
        for rows in dense(row["stop"] - row["start"], 4):
            images = [read_image(benchmark.test_frames.path(row["start"] + r)) for r in rows]
            expected.append(
                (row["tracklet"], row["pid"], row["camera"], np.stack(images).transpose(0, 3, 1, 2))
            )
    assert len(clips) == len(expected) == 11
    for index, (tracklet, pid, camera, images) in enumerate(expected):
        clip = clips[index]
        assert (clip.tracklet, clip.pid, clip.camera, clip.clip) == (tracklet, pid, camera, index)
        assert clip.role == roles[tracklet]
        np.testing.assert_array_equal(clip.images, images)


def test_at_most_so_many_clips_of_a_tracklet(benchmark):
    roles = np.full(len(benchmark.test), 2)
    reader = ClipReader(benchmark.test_frames)
    clips = EvaluationClips(benchmark.test, roles, reader, ClipTransform(*SIZE), 4, "dense", max_clips=2)
    assert max(np.bincount(clips.rows)) == 2


@pytest.mark.parametrize("sampling", ["evenly", "released_evenly", "consecutive", "dense", "dense_stride4"])
@pytest.mark.parametrize("protocol", ["official", "queries_removed"])
def test_image_queries_are_the_middle_frame_repeated(benchmark, sampling, protocol):
    """What is searched stays as it is, in its order; the images follow, each with the frame's own joints."""
    roles = benchmark.protocols[protocol].roles(benchmark.test)
    frames = benchmark.test_frames
    joints = np.zeros((len(frames), 17, 3), np.float32)
    joints[:, :, 0] = np.arange(len(frames))[:, None] % 16
    joints[:, :, 2] = 1
    crc = frames.names_crc()
    write_keypoints(benchmark.root / "keypoints/count", "bbox_test", joints, crc, "count")
    store = KeypointStore.open(benchmark.root / "keypoints/count", "bbox_test", len(frames), crc)
    reader, transform = ClipReader(frames, store), ClipTransform(*SIZE)
    whole = EvaluationClips(benchmark.test, roles & 2, reader, transform, 4, sampling)
    clips = EvaluationClips(benchmark.test, roles, reader, transform, 4, sampling, image_queries=True)
    for index in range(len(whole)):
        one, other = whole[index], clips[index]
        assert one[2:7] == other[2:7]
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.keypoints, other.keypoints)
    queries = benchmark.test[roles & 1 > 0]
    assert len(clips) == len(whole) + len(queries)
    for index, (_, row) in enumerate(queries.iterrows(), start=len(whole)):
        clip = clips[index]
        assert (clip.tracklet, clip.pid, clip.camera) == (row["tracklet"], row["pid"], row["camera"])
        assert (clip.clip, clip.role) == (index, 1)
        middle = row["start"] + (row["stop"] - row["start"]) // 2
        frame = read_image(frames.path(middle)).transpose(2, 0, 1)
        np.testing.assert_array_equal(clip.images, np.stack([frame] * 4))
        assert (clip.keypoints[:, :, 0] == middle % 16).all()
    assert not {(t, r) for t, r in zip(clips.tracklets, clips.roles, strict=True) if r == 3}


def test_roles_of_zero_are_left_out(benchmark):
    roles = benchmark.protocols["no_distractors"].roles(benchmark.test)
    clips = EvaluationClips(benchmark.test, roles, ClipReader(benchmark.test_frames), ClipTransform(*SIZE), 4)
    assert clips.pids.tolist() == [3, 3, 3, 6, 6, 6]


def _spoil(benchmark, frame):
    path = benchmark.train_frames.path(frame)
    path.write_bytes(path.read_bytes()[:-30])
    return path


def test_a_bad_frame_is_an_error_that_names_it(benchmark):
    path = _spoil(benchmark, 2)
    with pytest.raises(FrameError, match=path.name):
        _training(benchmark, frames=5, sampling="evenly")[Draw(0, 0)]


@pytest.mark.parametrize(
    ("bad", "expected"),
    [([2], [0, 1, 3, 3, 4]), ([0, 1], [2, 2, 2, 3, 4]), ([4], [0, 1, 2, 3, 3]), ([1, 3, 4], [0, 2, 2, 2, 2])],
)
def test_skip_frame_takes_the_next_readable_one_with_its_keypoints(benchmark, bad, expected):
    paths = {_spoil(benchmark, frame) for frame in bad}
    clips = _training(benchmark, "skip_frame", frames=5, sampling="evenly")
    with pytest.warns(BadFrameWarning, match="cut off") as told:
        clip = clips[Draw(0, 0)]
    assert len(told) == len(bad)
    assert clips.reader.bad_frames == paths
    images = [read_image(benchmark.train_frames.path(row)) for row in expected]
    np.testing.assert_array_equal(clip.images, np.stack(images).transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(clip.keypoints, _store(benchmark)[expected][:, 5:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clips[Draw(0, 0)]  # said once


def test_skip_frame_gives_up_when_nothing_is_left(benchmark):
    for frame in range(5):
        _spoil(benchmark, frame)
    with (
        pytest.warns(BadFrameWarning),
        pytest.raises(FrameError, match=r"No frame of a clip .*0001C1T0001F001.*0001C1T0001F005"),
    ):
        _training(benchmark, "skip_frame", frames=5, sampling="evenly")[Draw(0, 0)]


def test_unknown_choices_are_answered(benchmark):
    with pytest.raises(ValueError, match="choose one of error, skip_frame"):
        ClipReader(benchmark.train_frames, on_bad_frame="ignore")
    with pytest.raises(ValueError, match="choose one of segment_random"):
        TrainClips(benchmark.train, ClipReader(benchmark.train_frames), ClipTransform(*SIZE), 4, "all")
