"""Reader of PRID2011: people in two cameras above a street, ten splits of 178 of them into halves.

Source: Hirzer et al., SCIA 2011; the splits are those in use for video, which leave out 22 of the 200 people
that both cameras see, for whom frames are few.
"""

import re
from pathlib import Path

from vidreid.data.benchmark import Benchmark
from vidreid.data.readers.camera_pairs import CameraPair, read_camera_pair
from vidreid.data.readers.found_folders import find_folder
from vidreid.data.readers.person_splits import choose_split, people, read_split_list
from vidreid.errors import DataError, MissingDataError, reads_files

FOLDER = "multi_shot"
"""Folder of the two cameras, which also names the keypoint store."""
SPLIT_LIST = "splits_prid2011.json"

PRID2011 = CameraPair(
    name="prid2011",
    title="PRID2011",
    cameras=("cam_a", "cam_b"),
    frame=r"(?P<frame>\d+)",
    example="0001.png",
    counts={
        "splits": 10,
        "train tracklets": 178,
        "train identities": 89,
        "queries": 89,
        "gallery tracklets": 89,
    },
)
"""Names and published counts."""

_PERSON = re.compile(r"person_\d+")


@reads_files
def read_prid2011(root: str | Path, split: int = 0, *, strict: bool = False) -> Benchmark:
    """Read one split of PRID2011.

    Args:
        root: The folder that holds ``prid_2011/multi_shot`` or ``multi_shot``, and ``splits_prid2011.json``.
        split: Number of the split, 0..9.
        strict: Raise if the counts differ from the published ones, instead of saying so in ``notices``.

    Raises:
        MissingDataError: If folders, frames or the splits are missing.
        DataError: If the splits are of another form, there is no such split, or a name is odd; under
            ``strict`` if the counts differ.
    """
    root = Path(root)
    folder = find_folder(root, "prid_2011", FOLDER, PRID2011.title) / FOLDER
    listed = next((at / SPLIT_LIST for at in (root, folder.parent) if (at / SPLIT_LIST).is_file()), None)
    if listed is None:
        raise MissingDataError(
            f"{root} has no {SPLIT_LIST}: put the ten splits that are in use for video there, a list of "
            '{"train": [names], "test": [names]}.'
        )
    splits = read_split_list(listed)
    odd = next((name for name in people(splits) if not _PERSON.fullmatch(name)), None)
    if odd is not None:
        raise DataError(f"{listed} names {odd!r}, which is no name such as person_0001: correct it.")
    return read_camera_pair(
        PRID2011, root, folder, splits, choose_split(splits, split, listed), strict=strict
    )
