"""From the outputs of top-down pose networks to joints."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Joints = tuple[NDArray[np.float64], NDArray[np.float64]]


def decode_simcc(simcc_x: Floats, simcc_y: Floats, size: tuple[int, int]) -> Joints:
    """Decode what RTMPose puts out: for each joint one row of bins for x and one for y.

    A joint lies at the strongest bin of each row. Its confidence is the **smaller** of the two maxima, as in
    RTMPose's own decoder (``get_simcc_maximum`` of MMPose; some ports take their mean). The bins are not
    probabilities, and what is above 1 becomes 1; a joint whose confidence is not above 0 is missing.

    Source: Jiang et al., "RTMPose", 2023, Section 3, after Li et al., "SimCC", ECCV 2022, Section 3.

    Args:
        simcc_x: ``(N, K, bins)``; there are ``bins / W`` bins a pixel of the input, 2 in RTMPose.
        simcc_y: The same for y and ``H``.
        size: Width ``W`` and height ``H`` of the input.

    Returns:
        ``(N, K, 2)`` x, y in pixels of the input, and ``(N, K)`` confidences in [0, 1].
    """
    bins_a_pixel = np.array([simcc_x.shape[-1] / size[0], simcc_y.shape[-1] / size[1]])
    points = np.stack([simcc_x.argmax(-1), simcc_y.argmax(-1)], axis=-1) / bins_a_pixel
    return points, _confidence(np.minimum(simcc_x.max(-1), simcc_y.max(-1)))


def decode_heatmaps(heatmaps: Floats, size: tuple[int, int]) -> Joints:
    """Decode what HRNet, ViTPose and their kin put out: a map for each joint.

    A joint lies at the strongest place of its map, moved a quarter of a place towards the stronger neighbour
    on each axis, and its confidence is the value there (Sun et al., "HRNet", CVPR 2019, Section 4.1; Newell
    et al., ECCV 2016).

    Args:
        heatmaps: ``(N, K, h, w)``.
        size: Width and height of the input.

    Returns:
        As ``decode_simcc``.
    """
    n, k, height, width = heatmaps.shape
    flat = heatmaps.reshape(n, k, -1)
    y, x = np.divmod(flat.argmax(-1), width)
    padded = np.pad(heatmaps, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    row, column = np.ogrid[:n, :k]
    shift_x = np.sign(padded[row, column, y + 1, x + 2] - padded[row, column, y + 1, x])
    shift_y = np.sign(padded[row, column, y + 2, x + 1] - padded[row, column, y, x + 1])
    # At a border there is no second neighbour to compare with.
    shift_x[(x == 0) | (x == width - 1)] = 0
    shift_y[(y == 0) | (y == height - 1)] = 0
    points = np.stack([x + shift_x / 4, y + shift_y / 4], axis=-1)
    return points * np.array([size[0] / width, size[1] / height]), _confidence(flat.max(-1))


def _confidence(values: Floats) -> NDArray[np.float64]:
    return np.clip(np.nan_to_num(values.astype(np.float64), nan=0.0), 0.0, 1.0)
