"""Which frames are said to have been erased, against the pixels of the same draw with nothing painted."""

import numpy as np
import pytest
import torch

from support.mars_tree import make_mars_tree
from vidreid.data.augmentations import EraseClip, MirrorClip, PadCropClip
from vidreid.data.mars import MarsDataModule
from vidreid.data.transforms import ClipTransform, training_augmentations

FRAMES, HEIGHT, WIDTH = 5, 64, 32
MODES = [(per_frame, independent) for per_frame in (False, True) for independent in (False, True)]


class _PaintsNothing(EraseClip):
    """Draws like ``EraseClip``."""

    def apply_to_images(self, images, *args, **params):
        return images


def _frames():
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return list(noise)


def _transform(kind, independent, **options):
    augmentations = [PadCropClip(3), MirrorClip(), kind(**options)]
    return ClipTransform(HEIGHT, WIDTH, augmentations, independent_frames=independent)


@pytest.mark.parametrize(("per_frame", "independent"), MODES)
@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_bits_say_which_frames_differ(chance, per_frame, independent):
    painting, bare = (
        _transform(kind, independent, p=chance, per_frame=per_frame) for kind in (EraseClip, _PaintsNothing)
    )
    told = []
    for seed in range(60):
        erased, plain = painting(_frames(), None, seed), bare(_frames(), None, seed)
        differ = (erased.images != plain.images).any(axis=(1, 2, 3))
        assert erased.erased.dtype == np.bool_
        np.testing.assert_array_equal(erased.erased, differ)
        told.append(erased.erased)
    bits = np.stack(told)
    assert bits.shape == (60, FRAMES)
    assert bits.mean() == pytest.approx(chance, abs=0.15 if 0 < chance < 1 else 0)
    if chance == 0.5:
        mixed = bits.any(axis=1) & ~bits.all(axis=1)
        assert mixed.any() == (per_frame or independent), "one draw a clip is the same for all frames"


@pytest.mark.parametrize(("per_frame", "independent"), MODES)
def test_a_box_that_never_fits_is_not_erased(per_frame, independent):
    transform = _transform(EraseClip, independent, p=1.0, area=(2.0, 3.0), per_frame=per_frame)
    assert not any(transform(_frames(), None, seed).erased.any() for seed in range(5))


def test_a_second_eraser_adds_to_the_first():
    both = ClipTransform(HEIGHT, WIDTH, [EraseClip(p=1.0), EraseClip(p=0.0), EraseClip(p=1.0, area=(2, 3))])
    assert both(_frames(), None, 0).erased.all()


@pytest.mark.parametrize(("per_frame", "independent"), MODES)
def test_bits_follow_from_the_seed_alone(per_frame, independent):
    def bits(seeds):
        augmentations = training_augmentations(erase_per_frame=per_frame, crop=2)
        transform = ClipTransform(HEIGHT, WIDTH, augmentations, independent_frames=independent)
        return {seed: transform(_frames(), None, seed).erased.tolist() for seed in seeds}

    assert bits(range(12)) == bits(reversed(range(12)))


def test_without_augmentation_nothing_is_erased():
    erased = ClipTransform(HEIGHT, WIDTH)(_frames(), None, 0).erased
    assert erased.tolist() == [False] * FRAMES


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_mars_tree(tmp_path_factory.mktemp("erased") / "mars")


def _module(root, **options):
    settings = {"height": 32, "width": 16, "clip_length": 3, "batch_size": 4, "keypoints": None, "workers": 0}
    return MarsDataModule(root, **{**settings, **options})


@pytest.mark.parametrize(("per_frame", "independent"), MODES)
@pytest.mark.parametrize(("chance", "workers"), [(0.0, 0), (0.5, 0), (1.0, 0), (0.5, 1)])
def test_training_batches_carry_them(root, chance, per_frame, independent, workers):
    options = {"erase": chance, "erase_per_frame": per_frame, "independent_frames": independent}
    batches = list(_module(root, workers=workers, **options).train_dataloader())
    again = list(_module(root, **options).train_dataloader())
    for batch, same in zip(batches, again, strict=True):
        assert batch.erased.dtype == torch.bool
        assert batch.erased.shape == (4, 3)
        assert torch.equal(batch.erased, same.erased)
    bits = torch.cat([batch.erased for batch in batches])
    if chance in (0.0, 1.0):
        assert (bits == bool(chance)).all()


def test_evaluation_batches_know_of_none(root):
    module = _module(root, held_out_identities=2)
    for loader in (module.val_dataloader(), module.test_dataloader()):
        assert all(batch.erased is None for batch in loader)
