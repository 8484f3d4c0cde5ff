"""A batch passes the network in pieces, and the losses see it whole.

Gradient accumulation makes several small batches of a big one, and a loss over pairs of clips mines in each
alone. Here the loss is that of the big batch: only the network runs piece by piece, and a piece's activations
are thrown away and computed again in the backward pass. So the memory is that of one piece beside the
outputs, for one more forward pass.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from vidreid.losses.recipe import LossRecipe
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.recomputing import recomputed

ForwardPass = Callable[[Tensor, Tensor | None, Tensor | None], TrainingOutputs]


def check_micro_batch(clips: int | None) -> int | None:
    """Return the setting ``micro_batch``.

    Raises:
        ValueError: If it is neither ``None`` nor a number of clips.
    """
    if clips is not None and (isinstance(clips, bool) or not isinstance(clips, int) or clips < 1):
        raise ValueError(
            f"micro_batch is {clips!r}: give the number of clips that pass the network at a time, or null "
            "for the whole batch."
        )
    return clips


def accumulation_note(batches: int, losses: LossRecipe) -> str | None:
    """Return what to know of gradient accumulation with losses over pairs of clips, if it applies.

    Args:
        batches: How many batches ``trainer.accumulate_grad_batches`` joins to a step.
        losses: The losses of the training.
    """
    if batches == 1 or not losses.compares_clips:
        return None
    return (
        f"trainer.accumulate_grad_batches={batches} looks for positives and negatives inside each batch, not "
        "across the batches of a step: for one big batch that does not fit, make the batch big and set "
        "micro_batch instead."
    )


def forward_in_pieces(
    forward: ForwardPass,
    images: Tensor,
    keypoints: Tensor | None,
    cameras: Tensor | None,
    clips: int,
    network: nn.Module,
) -> TrainingOutputs:
    """Return what ``forward`` gives for the whole batch, of which at most ``clips`` clips pass at a time.

    Pieces are as equal as can be. Logits and embeddings of a clip are those of the whole batch unless the
    network looks at other clips: batch norms normalise each piece by itself, and update their running
    statistics once a piece. Dropout draws other numbers than for the whole batch.

    Args:
        forward: From images, keypoints and cameras of some clips to their outputs.
        images: ``(B, T, ...)``.
        keypoints: ``(B, T, K, 3)`` or ``None``.
        cameras: ``(B,)`` or ``None``.
        clips: At most so many at a time; the whole batch is one plain pass.
        network: What runs in ``forward``.

    Raises:
        ValueError: If a piece is a single clip and the network normalises over clips.
    """
    count = -(-len(images) // clips)
    if count == 1:
        return forward(images, keypoints, cameras)
    pieces = zip(images.tensor_split(count), _split(keypoints, count), _split(cameras, count), strict=True)
    return join_outputs([_piece(forward, *piece, network) for piece in pieces])


def join_outputs(pieces: Sequence[TrainingOutputs]) -> TrainingOutputs:
    """Return the outputs of several runs of clips as those of one batch."""
    scores = [piece.frame_scores for piece in pieces if piece.frame_scores is not None]
    return TrainingOutputs(
        _join([piece.logits for piece in pieces]),
        _join([piece.embeddings for piece in pieces]),
        torch.cat(scores) if scores else None,
        _join([piece.visible for piece in pieces]),
    )


def _piece(
    forward: ForwardPass, images: Tensor, keypoints: Tensor | None, cameras: Tensor | None, network: nn.Module
) -> TrainingOutputs:
    try:
        return recomputed(forward, images, keypoints, cameras, inside=[network])
    except ValueError as error:
        if len(images) == 1 and "more than 1 value per channel" in str(error):
            raise ValueError(
                "micro_batch lets a single clip pass the network, whose batch norm needs at least 2 clips: "
                "make micro_batch larger, or the batch a multiple of it."
            ) from error
        raise


def _split(values: Tensor | None, count: int) -> Sequence[Tensor | None]:
    return [None] * count if values is None else values.tensor_split(count)


def _join(pieces: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}
