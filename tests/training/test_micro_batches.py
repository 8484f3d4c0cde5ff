"""A batch in pieces has the loss and the gradients of the whole batch, and the memory of a piece."""

from typing import Any

import pytest
import torch
from torch import Tensor

from support.live_bytes import peak_bytes
from support.memory_modules import (
    MODULES,
    batch,
    gradients,
    key_reid,
    pcb,
    step,
    twin,
    without_batch_statistics,
)
from vidreid.losses.attention import FrameAttentionLoss
from vidreid.losses.branch_triplet import BranchTripletLoss
from vidreid.losses.center import CenterLoss
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.triplet import TripletLoss
from vidreid.losses.value import ClipFacts
from vidreid.models.outputs import TrainingOutputs
from vidreid.training.micro_batches import (
    accumulation_note,
    check_micro_batch,
    forward_in_pieces,
    join_outputs,
)
from vidreid.training.module import ReidModule


def in_plain_pieces(module: ReidModule, sizes: list[int], clips: Any) -> Tensor:
    """The slow twin: pieces one after the other, nothing thrown away, outputs put together by hand."""
    module.zero_grad()
    torch.manual_seed(5)
    outputs, start = [], 0
    for size in sizes:
        part = slice(start, start + size)
        images = module.normalize(clips.images[part])
        outputs.append(module.network(images, clips.keypoints[part], clips.cameras[part]))
        start += size
    logits = {name: torch.cat([out.logits[name] for out in outputs]) for name in outputs[0].logits}
    embeddings = {
        name: torch.cat([out.embeddings[name] for out in outputs]) for name in outputs[0].embeddings
    }
    scores, visible = None, {}
    if outputs[0].frame_scores is not None:
        scores = torch.cat([out.frame_scores for out in outputs])
        visible = {name: torch.cat([out.visible[name] for out in outputs]) for name in outputs[0].visible}
    loss, _ = module.losses(logits, embeddings, clips.pids, ClipFacts(scores, clips.erased, visible))
    loss.backward()
    return loss.detach()


@pytest.mark.parametrize("micro_batch", [1, 3, 4])
@pytest.mark.parametrize("method", MODULES)
def test_loss_and_gradients_of_the_whole_batch(method: str, micro_batch: int) -> None:
    """Identity, triplet, centre and attention loss; in double precision only the order of sums shows."""
    module = MODULES[method]().double().train()
    without_batch_statistics(module)
    whole = step(module, batch())
    expected = gradients(module)
    pieces = step(module, batch(), micro_batch)
    torch.testing.assert_close(pieces, whole, rtol=1e-12, atol=0)
    got = gradients(module)
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-9, atol=1e-12, msg=name)


def test_it_is_not_the_loss_of_small_batches() -> None:
    """The mean loss of two half batches, which gradient accumulation trains with, is another number."""
    module = pcb().double().train()
    without_batch_statistics(module)
    clips = batch(16)
    halves = [
        step(module, type(clips)(*(value if value is None else value[part] for value in clips)))
        for part in (slice(0, 8), slice(8, 16))
    ]
    in_pieces = step(module, clips, 8)
    assert in_pieces > torch.stack(halves).mean() + 1e-3, "more clips have harder ones among them"


@pytest.mark.parametrize(("method", "options"), [("key_reid", {"drop_path": 0.5}), ("pcb", {"dropout": 0.5})])
def test_norms_count_a_piece_once_and_dropout_drops_the_same(method: str, options: dict[str, Any]) -> None:
    """Bit for bit what pieces do that are not computed again: loss, gradients, running statistics."""
    module = MODULES[method](**options).train()
    slow = twin(module)
    loss = step(module, batch(), 3)
    assert torch.equal(loss, in_plain_pieces(slow, [3, 3, 2], batch()))
    expected = gradients(slow)
    for name, gradient in gradients(module).items():
        assert torch.equal(gradient, expected[name]), name
    buffers = dict(slow.named_buffers())
    counted = 0
    for name, buffer in module.named_buffers():
        assert torch.equal(buffer, buffers[name]), name
        if name.endswith("num_batches_tracked"):
            assert buffer == 3
            counted += 1
    assert counted > 0
    assert not torch.equal(loss, step(module, batch(), 3, seed=6)), "something was dropped"


def test_memory_is_that_of_a_piece() -> None:
    for module in (key_reid(), pcb()):
        module.train()
        step(module, batch())  # what is made once is there
        whole = peak_bytes(lambda module=module: step(module, batch(32)))
        quarter = peak_bytes(lambda module=module: step(module, batch(32), 8))
        alone = peak_bytes(lambda module=module: step(module, batch(8)))
        assert quarter < 0.4 * whole
        assert quarter < 1.3 * alone
        # Twice as many clips a step need no more than their bytes and outputs.
        images = batch(64).images.nbytes - batch(32).images.nbytes
        assert peak_bytes(lambda module=module: step(module, batch(64), 8)) < 1.15 * quarter + images


def test_half_precision() -> None:
    module = key_reid().train()
    slow = twin(module)
    with torch.autocast("cpu", torch.bfloat16):
        slow.zero_grad()
        expected = in_plain_pieces(slow, [4, 4], batch())
    torch.manual_seed(5)
    module.micro_batch = 4
    with torch.autocast("cpu", torch.bfloat16):
        loss = module.training_step(batch(), 0)
    loss.backward()  # outside, as a trainer does it
    assert torch.equal(loss.detach(), expected)
    for name, gradient in gradients(module).items():
        torch.testing.assert_close(gradient, slow.get_parameter(name).grad, msg=name)


@pytest.mark.slow
def test_a_compiled_network() -> None:
    torch.compiler.reset()
    module = key_reid().train()
    slow = twin(module)
    module.network.compile(backend="aot_eager")
    loss = step(module, batch(), 4)
    torch.testing.assert_close(loss, in_plain_pieces(slow, [4, 4], batch()), rtol=1e-5, atol=1e-5)
    for name, gradient in gradients(slow).items():
        torch.testing.assert_close(module.get_parameter(name).grad, gradient, rtol=1e-3, atol=1e-5, msg=name)
    for name, buffer in slow.named_buffers():
        torch.testing.assert_close(module.get_buffer(name), buffer, rtol=1e-5, atol=1e-5, msg=name)


def test_a_batch_that_fits_passes_at_once() -> None:
    module = pcb().train()
    slow = twin(module)
    passes: list[int] = []
    module.network.register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    assert torch.equal(step(module, batch(), 8), step(slow, batch()))
    assert passes == [8]
    passes.clear()
    step(module, batch(), 3)
    assert passes == [3, 3, 2, 2, 3, 3], "forward, and again from the last piece to the first"


def test_outputs_are_joined_along_the_clips() -> None:
    def some(first: int, count: int) -> TrainingOutputs:
        rows = torch.arange(first, first + count)
        return TrainingOutputs(
            {"a": rows[:, None]}, {"b": rows[:, None, None]}, rows[:, None] * 10, {"a": rows % 2 == 0}
        )

    joined = join_outputs([some(0, 2), some(2, 3)])
    for got, expected in zip(joined, some(0, 5), strict=True):
        if isinstance(got, Tensor):
            assert torch.equal(got, expected)
        else:
            assert got.keys() == expected.keys()
            assert all(torch.equal(got[key], expected[key]) for key in got)
    nothing = TrainingOutputs({}, {}, None, {})
    assert join_outputs([nothing, nothing]) == nothing


def test_without_gradients_nothing_runs_twice() -> None:
    passes: list[int] = []

    def forward(images: Tensor, keypoints: Tensor | None, cameras: Tensor | None) -> TrainingOutputs:
        passes.append(len(images))
        return TrainingOutputs({"a": images}, {})

    with torch.no_grad():
        out = forward_in_pieces(forward, torch.arange(5.0)[:, None], None, None, 2, torch.nn.Identity())
    assert passes == [2, 2, 1]
    assert out.logits["a"].flatten().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("value", [0, -2, 2.5, "all", True])
def test_bad_values_get_a_sentence(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"micro_batch is .*: give the number of clips that pass the network"
    ):
        check_micro_batch(value)


def test_a_single_clip_under_a_norm_over_clips_gets_a_sentence() -> None:
    with pytest.raises(ValueError, match="micro_batch lets a single clip pass the network"):
        step(key_reid().train(), batch(5), 2)


def test_accumulating_batches_with_a_loss_over_pairs_gets_a_note() -> None:
    note = accumulation_note(4, key_reid().losses)
    assert note is not None
    assert note.startswith("trainer.accumulate_grad_batches=4 looks for positives and negatives inside each")
    assert "micro_batch" in note
    assert accumulation_note(1, key_reid().losses) is None
    for recipe in (LossRecipe({"triplet": TripletLoss()}), LossRecipe({"triplet": BranchTripletLoss()})):
        assert accumulation_note(2, recipe) is not None
    apart = {"identity": IdentityLoss(), "attention": FrameAttentionLoss(), "center": CenterLoss(3, 4, 0)}
    assert accumulation_note(2, LossRecipe(apart)) is None
    unused = LossRecipe({"identity": IdentityLoss(), "triplet": TripletLoss()}, {"triplet": 0.0})
    assert accumulation_note(2, unused) is None
