"""Reader of G2A-VReID: everybody once from the ground and once from the air, in the format of MARS."""

from pathlib import Path

from vidreid.data.benchmark import Benchmark
from vidreid.data.protocols import mars_protocols
from vidreid.data.readers.mars_benchmark import MarsFormat
from vidreid.data.readers.mars_reader import read_mars_format
from vidreid.errors import reads_files

G2A_VREID = MarsFormat(
    name="g2a_vreid",
    title="G2A-VReID",
    source="the archive of G2A-VReID",
    protocols=mars_protocols(),
    counts={
        "tracklets in all": 5576,
        "identities in all": 2788,
        "frames in all": 185_907,
        "cameras": 2,
    },
)
"""What its reader expects: of the counts only the totals are published."""


@reads_files
def read_g2a_vreid(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read G2A-VReID as ``read_mars_format`` does; images are not touched.

    Args:
        root: The folder that holds ``bbox_train``, ``bbox_test`` and ``info``.
        strict: Raise if the counts differ from the published ones instead of saying so in ``notices``.

    Raises:
        MissingDataError: If the root or files of ``info`` are missing.
        DataError: If the files contradict each other, or under ``strict`` the counts differ.
    """
    return read_mars_format(G2A_VREID, Path(root), strict=strict)
