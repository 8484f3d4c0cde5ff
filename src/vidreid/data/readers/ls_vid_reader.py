"""Reader of LS-VID: 15 cameras, indoors and outdoors, and long tracklets.

Source: Li et al., ICCV 2019, and the layout that loaders of it expect.
"""

from pathlib import Path

import numpy as np

from vidreid.data.benchmark import Benchmark
from vidreid.data.readers.found_folders import find_folder
from vidreid.data.readers.ls_vid_frames import find_frames
from vidreid.data.readers.ls_vid_lists import read_query_rows, read_sequence_list
from vidreid.data.readers.separate_lists import SeparateLists, separate_protocol
from vidreid.errors import MissingDataError, reads_files

FOLDER = "LS-VID"
TRAIN_FOLDER = "tracklet_train"
TEST_FOLDER = "tracklet_test"
TRAIN_LIST = "list_seq_train.txt"
TEST_LIST = "list_seq_test.txt"
QUERY_FILE = "info_test.mat"
_LIST_FOLDERS = ("list_sequence", "info/list_sequence", "info")
_QUERY_FOLDERS = ("test/data", "info/data", "info")

LS_VID = SeparateLists(
    name="ls_vid",
    title="LS-VID",
    protocols=separate_protocol(
        "Tracklets of the test list that are no queries are searched (queries 3,504, gallery 7,829)."
    ),
    counts={
        "train tracklets": 2831,
        "train identities": 842,
        "queries": 3504,
        "gallery tracklets": 7829,
        "cameras": 15,
    },
)
"""What its reader expects."""


@reads_files
def read_ls_vid(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read the lists of LS-VID; images are not touched, but the folders are listed.

    Test tracklets are in the order of their list, queries among them.

    Args:
        root: The folder that holds ``LS-VID``, or that folder.
        strict: Raise if the counts differ from the published ones instead of saying so in ``notices``.

    Raises:
        MissingDataError: If folders, lists or frames are missing.
        DataError: If lists and frames contradict each other; under ``strict`` if the counts differ.
    """
    root = Path(root)
    folder = find_folder(root, FOLDER, TRAIN_FOLDER, LS_VID.title)
    if not (folder / TEST_FOLDER).is_dir():
        raise MissingDataError(f"{folder} has no folder {TEST_FOLDER}: unpack the images there.")
    lists = [_find(folder, name, _LIST_FOLDERS) for name in (TRAIN_LIST, TEST_LIST)]
    query_file = _find(folder, QUERY_FILE, _QUERY_FOLDERS)
    train, test = (
        read_sequence_list(path, split)
        for path, split in zip(lists, (TRAIN_FOLDER, TEST_FOLDER), strict=True)
    )
    is_query = np.zeros(len(test), dtype=bool)
    is_query[read_query_rows(query_file, len(test))] = True
    return LS_VID.benchmark(
        root,
        (folder / TRAIN_FOLDER, find_frames(folder / TRAIN_FOLDER, train)),
        (folder / TEST_FOLDER, find_frames(folder / TEST_FOLDER, test)),
        is_query,
        strict,
    )


def _find(folder: Path, name: str, places: tuple[str, ...]) -> Path:
    found = next((folder / place / name for place in places if (folder / place / name).is_file()), None)
    if found is None:
        raise MissingDataError(
            f"{folder} has {name} in none of {', '.join(places)}: take it from the archive of LS-VID."
        )
    return found
