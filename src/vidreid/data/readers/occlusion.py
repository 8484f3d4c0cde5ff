"""Which tracklets of the procedural benchmark are occluded: it knows how much of a body every frame shows."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.mars_format import TEST_FOLDER
from vidreid.data.tracklets import column
from vidreid.errors import DataError
from vidreid.files import read_array

OCCLUDED_BELOW = 0.7
"""Share of the body, averaged over the frames of a tracklet, below which it is called occluded."""


def occluded_tracklets(root: Path, test: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return the subset ``occluded`` of the test tracklets, or nothing if the tree does not tell.

    Args:
        root: The tree; ``visible/bbox_test.npy`` holds the visible share of the body of every frame.
        test: Its test table.

    Raises:
        DataError: If the file belongs to other frames.
    """
    file = root / "visible" / f"{TEST_FOLDER}.npy"
    if not file.is_file():
        return {}
    visible = read_array(file).astype(np.float64)
    starts, stops = column(test, "start"), column(test, "stop")
    if len(visible) != int(stops.max(initial=0)):
        raise DataError(
            f"{file} has {len(visible):,} numbers for {int(stops.max(initial=0)):,} test frames: render the "
            "benchmark anew."
        )
    sums = np.concatenate([[0.0], np.cumsum(visible)])
    return {"occluded": (sums[stops] - sums[starts]) / (stops - starts) < OCCLUDED_BELOW}
