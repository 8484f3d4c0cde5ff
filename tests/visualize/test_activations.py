"""Maps over frames, and the share on the body, by hand."""

import numpy as np
import pytest
import torch

from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork
from vidreid.visualize.activation_sheet import activation_sheet
from vidreid.visualize.activations import (
    ActivationBlock,
    colour_limits,
    conv1_activation,
    heat_over,
    share_on_body,
)


def test_conv1_is_the_strongest_channel_behind_the_stem() -> None:
    """Against the layers of the stem called one by one."""
    torch.manual_seed(0)
    network = VisualNetwork(PCB(5, "resnet18", pretrained=False, channels=(8, 16, 24, 32), reduced=4)).eval()
    frames = torch.randn(3, 3, 64, 32)
    activation = conv1_activation(network, frames)
    assert activation.shape == (3, 16, 8)
    assert not activation.requires_grad
    kernels = next(m for m in network.modules() if isinstance(m, torch.nn.Conv2d))
    assert kernels.kernel_size == (7, 7)
    norm = next(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    with torch.no_grad():
        stem = torch.nn.functional.max_pool2d(torch.relu(norm(kernels(frames))), 3, 2, 1)
    by_hand = torch.stack([torch.stack(list(frame)).max(0).values for frame in stem])
    torch.testing.assert_close(activation, by_hand)


def joints(*places: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor([places])


def test_share_on_body_by_hand() -> None:
    # A map of 4 x 2 cells over a frame of 16 x 8 pixels: cell (row, column) is centred on (4 column, 4 row).
    activation = torch.zeros(1, 4, 2)
    activation[0, 1, 0], activation[0, 2, 1] = 6.0, 2.0  # the mean is 8 / 8 = 1
    share = share_on_body(activation, joints((0, 4, 1.0), (4, 8, 0.5)), height=16)
    assert share.tolist() == [4.0]  # (6 + 2) / 2
    # Halfway between two cells: half of each.
    assert share_on_body(activation, joints((0, 6, 1.0)), 16).tolist() == [3.0]


def test_only_visible_joints_within_the_frame_count() -> None:
    activation = torch.zeros(1, 4, 2)
    activation[0, 1, 0], activation[0, 2, 1] = 6.0, 2.0
    seen, missing = (4.0, 8.0, 1.0), (0.0, 4.0, 0.0)
    for outside in ((-1.0, 4.0, 1.0), (0.0, -3.0, 1.0), (8.0, 8.0, 1.0), (4.0, 16.0, 1.0)):
        assert share_on_body(activation, joints(seen, missing, outside), 16).tolist() == [2.0]
    assert share_on_body(activation, joints(missing), 16).isnan().all()


def test_share_does_not_depend_on_the_unit() -> None:
    activation = torch.rand(2, 8, 4)
    points = torch.rand(2, 12, 3) * torch.tensor([16.0, 32.0, 1.0])
    torch.testing.assert_close(
        share_on_body(activation, points, 32), share_on_body(7 * activation, points, 32)
    )
    flat = share_on_body(torch.full((2, 8, 4), 3.0), points, 32)
    torch.testing.assert_close(flat, torch.ones(2))


def test_each_network_has_its_own_limit_unless_it_is_shared() -> None:
    strong = np.arange(101, dtype=np.float32).reshape(1, 101, 1)
    weak = strong / 10
    assert colour_limits([[strong, weak]]) == pytest.approx([99, 9.9])
    together = float(np.percentile(np.concatenate([strong.ravel(), weak.ravel()]), 99))
    assert colour_limits([[strong, weak]], "shared") == pytest.approx([together, together])
    with pytest.raises(ValueError, match="choose each or shared"):
        colour_limits([[strong, weak]], "own")  # pyright: ignore[reportArgumentType]


def test_a_flat_map_is_not_strong_everywhere() -> None:
    flat, peaked = np.full((1, 10, 10), 0.01), np.zeros((1, 10, 10))
    peaked[0, 0, :2] = 3.0, 1.0
    # The mean of what is not zero is 0.01 and 2; the 99th percentile 0.01, and 1 + 2 * 0.01 (rank 98.01).
    assert colour_limits([[flat]], at_least=4) == pytest.approx([0.04])
    assert colour_limits([[peaked]], at_least=0.1) == pytest.approx([1.02])
    assert colour_limits([[peaked]], at_least=4) == pytest.approx([8])
    assert colour_limits([[np.zeros((1, 2, 2))]], at_least=4) == [1e-12]


def test_warm_is_strong_and_above_the_limit_nothing_gets_warmer() -> None:
    frame = np.full((8, 8, 3), 128, np.uint8)
    pictures = {value: heat_over(frame, np.full((2, 2), value), 1.0).astype(int)[4, 4] for value in (0, 1, 5)}
    red, _, blue = pictures[1] - pictures[0]
    assert red > 40 + blue
    assert pictures[1][0] > pictures[1][2]
    assert (pictures[5] == pictures[1]).all()


def test_the_map_lies_where_the_frame_is_strong() -> None:
    frame = np.full((64, 32, 3), 128, np.uint8)
    activation = np.zeros((16, 8))
    activation[2:5, 5:8] = 1.0
    picture = heat_over(frame, activation, 1.0).astype(int)
    warm = picture[..., 0] - picture[..., 2]
    assert warm[14, 26] > 50
    assert warm[50, 10] < 0
    # Warm are the cells themselves and, by interpolation, at most one around them.
    rows, columns = np.nonzero(warm > 0)
    assert 4 <= rows.min() <= 8
    assert 19 <= rows.max() <= 23
    assert 16 <= columns.min() <= 20


def block(frames: int, value: float, captions: tuple[str, ...] = ()) -> ActivationBlock:
    images = [np.full((32, 16, 3), 90, np.uint8)] * frames
    return ActivationBlock(images, [np.full((frames, 8, 4), value), np.full((frames, 8, 4), 1.0)], captions)


def test_sheet_holds_frames_and_a_row_a_network() -> None:
    blocks = [block(3, 0.25, ("tracklet 1",)), block(2, 1.0, ("tracklet 2",))]
    sheet = activation_sheet(blocks, ["first", "second"], frame_height=64)
    plain = (sheet == 90).all(-1)
    assert plain.sum() == 5 * 64 * 32
    top, left = (int(axis.min()) for axis in np.nonzero(plain))
    first, second = (sheet[top + row * 66 + 32, left + 16].astype(int) for row in (1, 2))
    # By its own scale the first network is weak in this tracklet, the second strong.
    assert first[0] - first[2] < second[0] - second[2]


def test_many_tracklets_go_into_further_bands() -> None:
    one = activation_sheet([block(2, 1.0)] * 2, ["a", "b"], blocks_a_band=2)
    two = activation_sheet([block(2, 1.0)] * 4, ["a", "b"], blocks_a_band=2)
    assert two.shape[1] == one.shape[1]
    assert two.shape[0] > one.shape[0] + 3 * 192


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match="no frame"):
        activation_sheet([], ["a"])
    with pytest.raises(ValueError, match="1 names, but maps of 2 networks"):
        activation_sheet([block(2, 1.0)], ["a"])
    short = ActivationBlock([np.zeros((8, 4, 3), np.uint8)] * 2, [np.zeros((1, 2, 1))])
    with pytest.raises(ValueError, match="Every frame needs a map"):
        activation_sheet([short], ["a"])
