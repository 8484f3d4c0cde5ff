"""What a row of a clip holds, against loops over frames and patches."""

import pytest
import torch

from vidreid.models.layers.clip_tokens import check_tokens, clip_maps, clip_tokens
from vidreid.models.layers.shift_shuffle import shift_shuffle_order

B, T, N, D = 2, 4, 8, 3


@pytest.fixture
def frames() -> torch.Tensor:
    """Every token says where it is from: 1000 clip + 100 frame + place, place 0 being [CLS]."""
    clip, frame, place = torch.meshgrid(torch.arange(B), torch.arange(T), torch.arange(N + 1), indexing="ij")
    return (1000 * clip + 100 * frame + place).unsqueeze(-1).repeat(1, 1, 1, D).float()


def places(row: torch.Tensor) -> list[int]:
    """The tokens that a row holds, whole ones."""
    tokens = row.view(-1, D)
    assert bool((tokens == tokens[:, :1]).all())
    return tokens[:, 0].int().tolist()


def test_aligned_rows_hold_a_patch_of_all_frames(frames: torch.Tensor) -> None:
    clip = clip_tokens(frames, "aligned")
    assert places(clip.token[1]) == [1000, 1100, 1200, 1300], "the [CLS] of all frames"
    for n in range(N):
        assert places(clip.rows[0, n]) == [100 * t + n + 1 for t in range(T)]


def test_released_rows_hold_neighbours_of_one_frame(frames: torch.Tensor) -> None:
    clip = clip_tokens(frames, "released")
    assert places(clip.token[0]) == [0, 1, 2, 3], "the first [CLS] and patches of the first frame"
    stream = [100 * t + place for t in range(T) for place in range(N + 1)]
    for r in range(N):
        assert places(clip.rows[0, r]) == stream[T * (r + 1) : T * (r + 2)]
    assert 100 in places(clip.rows[0, 1]), "the second frame's [CLS] lies within a row"


def test_frames_have_rows_of_their_own(frames: torch.Tensor) -> None:
    clip = clip_tokens(frames, "frames")
    assert clip.token.shape == (B, D)
    torch.testing.assert_close(clip.token[0], frames[0, :, 0].mean(0))
    assert [places(row)[0] for row in clip.rows[0]] == [100 * t + n + 1 for n in range(N) for t in range(T)]


@pytest.mark.parametrize("tokens", ["released", "aligned", "frames"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_maps_follow_the_tokens(tokens, shuffled: bool) -> None:
    """A map that is the token itself has in each row the mean of what the row holds, [CLS] being 0."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(B, T, 2, N, generator=generator)
    order = shift_shuffle_order(N) if shuffled else None
    flat = clip_maps(maps, tokens, order)
    for part in range(2):
        as_tokens = torch.cat([torch.zeros(B, T, 1, 1), maps[:, :, part].unsqueeze(-1)], 2)
        rows = clip_tokens(as_tokens, tokens, order).rows
        torch.testing.assert_close(flat[:, part], rows.mean(-1))


def test_an_order_moves_patches_and_keeps_frames_together(frames: torch.Tensor) -> None:
    order = shift_shuffle_order(N)
    clip = clip_tokens(frames, "frames", order)
    found = [places(row)[0] for row in clip.rows[0]]
    assert found == [100 * t + n + 1 for n in order.tolist() for t in range(T)]


def test_shift_and_shuffle_by_hand() -> None:
    # Shift 3 counts from [CLS]: the patches turn by 2. Then two runs of four are read in turns.
    assert shift_shuffle_order(8, shift=3).tolist() == [2, 6, 3, 7, 4, 0, 5, 1]
    assert shift_shuffle_order(6, shift=1, groups=3).tolist() == [0, 2, 4, 1, 3, 5]
    # Of an odd number the last but one of the turned rows comes again: 1 2 3 4 0 -> 1 2 3 4 0 4.
    assert shift_shuffle_order(5, shift=2).tolist() == [1, 4, 2, 0, 3, 4]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="Unknown tokens 'flat': choose one of released, aligned, frames"):
        check_tokens("flat")
    with pytest.raises(ValueError, match="shift is 9: it must be between 1 and the number of patches, 8"):
        shift_shuffle_order(8, shift=9)
    with pytest.raises(ValueError, match="8 patches cannot be dealt out to 3 groups"):
        shift_shuffle_order(8, groups=3)
