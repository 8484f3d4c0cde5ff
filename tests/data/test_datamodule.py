from types import SimpleNamespace

import lightning.pytorch as lightning
import numpy as np
import pytest
import torch

from support.mars_tree import make_mars_tree
from vidreid.data.batch import ClipBatch
from vidreid.data.frames import read_image
from vidreid.data.mars import MarsDataModule, read_mars
from vidreid.keypoints.store import KeypointStore
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.tracklets import GALLERY, QUERY


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_mars_tree(tmp_path_factory.mktemp("datamodule") / "mars")


def _module(root, **options):
    settings = {
        "height": 32,
        "width": 16,
        "clip_length": 3,
        "batch_size": 4,
        "test_batch_size": 3,
        "crop": 2,
        "workers": 0,
    }
    return MarsDataModule(root, **{**settings, **options})


def _same(one: ClipBatch, other: ClipBatch) -> bool:
    return all((a is None and b is None) or torch.equal(a, b) for a, b in zip(one, other, strict=True))


def _epoch(module, epoch, loader=None):
    loader = loader or module.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


@pytest.mark.parametrize("options", [{}, {"sampler": "identity", "identities_per_batch": 2, "jitter": 0.3}])
def test_batches_do_not_depend_on_the_number_of_workers(root, options):
    expected = _epoch(_module(root, **options), 3)
    assert len(expected) > 0
    for workers in (1, 2):
        module = _module(root, workers=workers, **options)
        loader = module.train_dataloader()
        _epoch(module, 2, loader)  # workers that stay get the new epoch
        batches = _epoch(module, 3, loader)
        assert len(batches) == len(expected)
        assert all(_same(one, other) for one, other in zip(batches, expected, strict=True))


def test_epochs_and_seeds_differ(root):
    first = _epoch(_module(root), 0)[0]
    assert _same(first, _epoch(_module(root), 0)[0])
    assert not _same(first, _epoch(_module(root), 1)[0])
    assert not _same(first, _epoch(_module(root, seed=1), 0)[0])


def test_numbers_that_others_need(root):
    module = _module(root)
    assert module.num_identities == 5
    assert module.validation_clips == 0
    assert module.val_dataloader() == []
    # 10 test tracklets, 2 of them junk.
    assert module.test_clips == 8
    assert module.notices[0].startswith("counts differ from MARS")
    assert module.benchmark.root == root
    assert _module(root, protocol="junk_as_wrong").test_clips == 10
    # ceil(frames / 3) of the 8 tracklets with 4 2 5 2 11 3 4 1 frames.
    assert _module(root, test_sampling="dense").test_clips == 2 + 1 + 2 + 1 + 4 + 1 + 2 + 1
    assert _module(root, test_sampling="dense", test_max_clips=1).test_clips == 8
    assert _module(root, test_clip_length=11, test_sampling="dense").test_clips == 8


def test_the_identity_sampler_sets_the_batch(root):
    module = _module(
        root, sampler="identity", identities_per_batch=2, tracklets_per_identity=3, batch_size=99
    )
    batch = next(iter(module.train_dataloader()))
    assert batch.images.shape == (6, 3, 3, 32, 16)
    assert module.batch_size == 6
    assert len(set(batch.pids.tolist())) == 2


def test_held_out_identities_are_validated_and_not_trained_on(root):
    module = _module(root, held_out_identities=2)
    assert module.num_identities == 3
    assert set(module.train_table["pid"]).isdisjoint(module.validation_table["pid"])
    batches = list(module.val_dataloader())
    assert (
        sum(len(batch.pids) for batch in batches) == module.validation_clips == len(module.validation_table)
    )
    seen = {pid for batch in batches for pid in batch.pids.tolist()}
    assert seen == set(module.validation_table["pid"])
    roles = torch.cat([batch.roles for batch in batches])
    assert set(roles.tolist()) <= {2, 3}
    assert (roles == 3).sum() == module.validation_table["is_query"].sum()


def test_test_batches_cover_every_clip_in_order(root):
    module = _module(root, test_sampling="dense", test_keypoints=True)
    batches = list(module.test_dataloader())
    assert torch.cat([batch.clips for batch in batches]).tolist() == list(range(module.test_clips))
    assert torch.cat([batch.images for batch in batches]).shape == (module.test_clips, 3, 3, 32, 16)
    assert all(batch.keypoints.shape[1:] == (3, 12, 3) for batch in batches)


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_come_from_the_trainer(root, world_size):
    train, test = [], []
    for rank in range(world_size):
        module = _module(root, batch_size=2)
        module.trainer = SimpleNamespace(world_size=world_size, global_rank=rank)
        train.append([t for batch in _epoch(module, 0) for t in batch.tracklets.tolist()])
        test.append([c for batch in module.test_dataloader() for c in batch.clips.tolist()])
    assert len({len(rank) for rank in train}) == len({len(rank) for rank in test}) == 1
    flat = [tracklet for rank in train for tracklet in rank]
    assert len(set(flat)) == len(flat)
    assert {clip for rank in test for clip in rank} == set(range(8))


def _described(module, metric):
    """Evaluate by the mean colour of a clip, which is that of its frames."""
    for batch in module.test_dataloader():
        facts = batch.clips, batch.tracklets, batch.pids, batch.cameras, batch.roles
        metric.update(batch.images.float().mean(dim=(1, 3, 4)), *facts, outfits=batch.outfits)
    return metric.descriptors()


@pytest.mark.parametrize("protocol", ["official", "queries_removed"])
def test_image_queries_leave_the_gallery_as_it_is(root, protocol):
    options = {"protocol": protocol, "test_sampling": "dense"}
    tracklets = _module(root, **options)
    images = _module(root, query="image", **options)
    whole, asked = (_described(module, ReidMetric(module.test_clips)) for module in (tracklets, images))
    searched, same = whole.having(GALLERY), asked.having(GALLERY)
    assert torch.equal(searched.tracklets, same.tracklets)
    assert torch.equal(searched.features, same.features)
    queries = asked.having(QUERY)
    assert queries.tracklets.tolist() == whole.having(QUERY).tracklets.tolist()
    assert queries.clips.tolist() == [1] * len(queries.clips)
    test = images.benchmark.test.set_index("tracklet")
    for features, tracklet in zip(queries.features, queries.tracklets.tolist(), strict=True):
        start, stop = test.loc[tracklet, ["start", "stop"]]
        frame = read_image(images.benchmark.test_frames.path(start + (stop - start) // 2))
        planes, _, _ = images.test_transform([frame], None, seed=0)
        np.testing.assert_allclose(features, planes.mean(axis=(0, 2, 3)), rtol=1e-5)
    assert not torch.equal(queries.features, whole.having(QUERY).features)


@pytest.mark.parametrize("world_size", [2, 3])
def test_image_queries_on_several_processes(root, world_size):
    """A tracklet in two roles has clips of its own in each, and repeats fall away by their number."""
    together = ReidMetric(8 + 4)  # of the 8 that are searched 4 ask
    for rank in range(world_size):
        module = _module(root, query="image")
        module.trainer = SimpleNamespace(world_size=world_size, global_rank=rank)
        for batch in module.test_dataloader():
            facts = batch.clips, batch.tracklets, batch.pids, batch.cameras, batch.roles
            together.update(batch.images.float().mean(dim=(1, 3, 4)), *facts)
    assert module.test_clips == 12
    alone = _described(_module(root, query="image"), ReidMetric(12))
    assert torch.equal(together.descriptors().features, alone.features)
    assert together.descriptors().roles.tolist() == alone.roles.tolist()


def test_image_queries_are_validated_too(root):
    module = _module(root, held_out_identities=2, query="image")
    roles = torch.cat([batch.roles for batch in module.val_dataloader()])
    queries = module.validation_table["is_query"].sum()
    assert roles.tolist() == [2] * len(module.validation_table) + [1] * queries


def test_keypoints_come_from_where_they_are_said_to(root):
    first = {
        name: next(iter(_module(root, keypoints=name, test_keypoints=True).test_dataloader())).keypoints
        for name in ("detector", "true", str(root / "keypoints/true"), None)
    }
    assert first[None] is None
    assert torch.equal(first["true"], first[str(root / "keypoints/true")])
    assert not torch.equal(first["true"], first["detector"])
    batch = next(iter(_module(root, joints="coco17", test_keypoints=True).test_dataloader()))
    assert batch.keypoints.shape[2] == 17
    with pytest.raises(FileNotFoundError, match=r"no keypoints in .*elsewhere"):
        _module(root, keypoints="elsewhere").train_dataloader()
    # On the command line and in YAML the word is a truth value.
    batch = next(iter(_module(root, keypoints=True, test_keypoints=True).test_dataloader()))
    assert torch.equal(batch.keypoints, first["true"])
    with pytest.raises(ValueError, match=r"data\.keypoints=false is no source of keypoints"):
        _module(root, keypoints=False).train_dataloader()


@pytest.mark.parametrize("doubled", [None, "bbox_train", "bbox_train_keypoints"])
def test_mars_reads_the_release_s_pose_files(tmp_path, doubled):
    root = make_mars_tree(tmp_path / "mars")
    frames = read_mars(root).train_frames
    stored = KeypointStore.open(root / "keypoints/true", "bbox_train", len(frames), None)[:]
    for row, joints in enumerate(stored):
        image = frames.path(row)
        file = root / "bbox_train_keypoints" / image.parent.name / f"{image.stem}.pose"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{joints.tolist()}\n")
    if doubled:
        (root / doubled).rename(root / "inner")
        (root / doubled).mkdir()
        (root / "inner").rename(root / doubled / doubled)
    from_files, from_store = (
        _epoch(_module(root, keypoints=source, workers=workers), 1)
        for source, workers in (("pose_files", 1), ("true", 0))
    )
    assert len(from_files) == len(from_store) == 2
    assert all(_same(one, other) for one, other in zip(from_files, from_store, strict=True))
    assert from_files[0].keypoints.shape == (4, 3, 12, 3)
    assert _module(root, keypoints="pose_files").test_data().reader.keypoints is None


def test_keypoints_stay_behind_if_they_are_told_to(root):
    def batch(**options):
        return _epoch(_module(root, keypoints="true", flip=1.0, **options), 0)[0]

    follow, stay, plain = batch(), batch(keypoints_follow=False), batch(keypoints_follow=False, crop=0)
    assert torch.equal(follow.images, stay.images)
    assert not torch.equal(follow.keypoints, stay.keypoints)
    assert torch.equal(stay.keypoints, plain.keypoints)


def test_evaluation_needs_no_keypoints_unless_it_is_told_to(root):
    """MARS has no keypoints for distractors and junk, and KMPNet describes without them."""
    module = _module(root, keypoints="elsewhere")
    assert next(iter(module.test_dataloader())).keypoints is None
    with pytest.raises(FileNotFoundError, match=r"no keypoints in .*elsewhere"):
        _module(root, keypoints="elsewhere", test_keypoints=True).test_dataloader()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"protocol": "mars"}, "choose one of official, junk_as_wrong"),
        ({"sampler": "pk"}, "choose one of random, identity"),
        ({"train_sampling": "every"}, "choose one of segment_random"),
        ({"test_sampling": "segment_random"}, "for evaluation: choose one of evenly"),
        ({"on_bad_frame": "warn"}, "choose one of error, skip_frame"),
        ({"joints": "h36m"}, "choose one of coco17, body12"),
        ({"query": "frame"}, r"data\.query='frame' is unknown: choose one of tracklet, image"),
        (
            {"query": "image", "protocol": "legacy_unfiltered"},
            r"use data\.query=tracklet",
        ),
    ],
)
def test_wrong_names_are_refused_at_once_with_the_choices(root, options, words):
    with pytest.raises(ValueError, match=words):
        _module(root, **options)


def test_strict_and_missing_trees_are_refused_when_read(root, tmp_path):
    with pytest.raises(ValueError, match=r"data\.strict=true"):
        _module(root, strict=True).setup()
    with pytest.raises(FileNotFoundError, match=r"set data\.root"):
        _module(tmp_path / "nowhere").setup()


class _Recorder(lightning.LightningModule):
    """Writes down what comes in; learns nothing."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[str, int, list[int]]] = []

    def training_step(self, batch, batch_idx):
        self.seen.append(("train", self.current_epoch, batch.tracklets.tolist()))
        return self.weight * batch.images.float().mean()

    def validation_step(self, batch, batch_idx):
        self.seen.append(("val", self.current_epoch, batch.clips.tolist()))

    def test_step(self, batch, batch_idx):
        self.seen.append(("test", 0, batch.clips.tolist()))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


def _trainer(folder, epochs):
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )


@pytest.mark.parametrize("held_out", [0, 2])
def test_lightning_asks_for_each_epoch_and_a_resumed_run_gets_the_same(root, tmp_path, held_out):
    whole = _Recorder()
    trainer = _trainer(tmp_path, 4)
    trainer.fit(whole, _module(root, batch_size=2, held_out_identities=held_out))
    trainer.test(whole, _module(root, batch_size=2), verbose=False)
    trained = [(epoch, rows) for kind, epoch, rows in whole.seen if kind == "train"]
    expected = [
        (epoch, batch.tracklets.tolist())
        for epoch in range(4)
        for batch in _epoch(_module(root, batch_size=2, held_out_identities=held_out), epoch)
    ]
    assert trained == expected
    assert any(kind == "val" for kind, *_ in whole.seen) == (held_out > 0)
    assert sum(len(rows) for kind, _, rows in whole.seen if kind == "test") == 8

    first, second = _Recorder(), _Recorder()
    trainer = _trainer(tmp_path, 2)
    trainer.fit(first, _module(root, batch_size=2, held_out_identities=held_out))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    module = _module(root, batch_size=2, held_out_identities=held_out)
    _trainer(tmp_path, 4).fit(second, module, ckpt_path=tmp_path / "half.ckpt")
    resumed = [(epoch, rows) for kind, epoch, rows in first.seen + second.seen if kind == "train"]
    assert resumed == expected
