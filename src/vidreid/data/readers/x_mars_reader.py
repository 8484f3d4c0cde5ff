"""Reader of X-MARS: the tracklets of MARS in a split whose people are split as in Market-1501.

Both sets are of the same cameras and number people alike, and 48.3 % of the people that MARS tests with are
in the training split of Market-1501. Source: Eberle, 2018, and the metadata that go with it.
"""

from dataclasses import replace
from pathlib import Path

from vidreid.data.benchmark import Benchmark
from vidreid.data.mars_format import INFO_FOLDER, TEST_FOLDER, TRAIN_FOLDER, read_info
from vidreid.data.protocols import mars_protocols
from vidreid.data.readers.mars_benchmark import MarsFormat, check_root, inner_folder, mars_benchmark
from vidreid.data.readers.mars_checks import check_query
from vidreid.data.readers.x_mars_frames import read_split_frames
from vidreid.errors import reads_files

PREFIXES = ("xmars_", "")
"""What the names of files and variables may begin with."""
OWN_INFO_FOLDER = "x_mars_info"
"""Its metadata where ``info`` is that of MARS."""

X_MARS_COUNTS: dict[str, int] = {
    "train tracklets": 7986,
    "train identities": 619,
    "test tracklets": 12_492,
    "junk tracklets": 870,
    "distractor tracklets": 3248,
    "queries": 2003,
    "query identities": 632,
    "gallery under official": 11_622,
    "gallery under junk_as_wrong": 12_492,
    "gallery under queries_removed": 9619,
    "gallery under no_distractors": 6371,
    "queries without an answer under queries_removed": 150,
}
"""Counts of X-MARS from its own metadata."""

X_MARS = MarsFormat(
    name="x_mars",
    title="X-MARS",
    source="the metadata of X-MARS (their folder info/)",
    protocols=mars_protocols(
        "X-MARS",
        {
            name: X_MARS_COUNTS[f"gallery under {name}"]
            for name in ("official", "junk_as_wrong", "queries_removed", "no_distractors")
        },
        unanswered=X_MARS_COUNTS["queries without an answer under queries_removed"],
    ),
    counts=X_MARS_COUNTS,
)
"""What its reader expects."""


@reads_files
def read_x_mars(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read X-MARS; images are not touched, but where name lists are missing their folders are listed.

    The people of either split are looked for in both folders of images, that of the split first, so that the
    tree of MARS will do as well as one arranged anew. Paths of frames are relative to the root. Names of
    files and variables may begin with ``xmars_``. Without a name list, or with one of another length, the
    rows say only how long each tracklet is: those of an identity follow on each other in its folder.

    Args:
        root: The folder that holds ``bbox_train``, ``bbox_test`` and the metadata of X-MARS in
            ``x_mars_info`` or ``info``.
        strict: Raise if the counts differ from the published ones instead of saying so in ``notices``.

    Raises:
        MissingDataError: If the root, metadata or folders of images are missing.
        DataError: If the files contradict each other, or under ``strict`` the counts differ.
    """
    root = Path(root)
    own = (root / OWN_INFO_FOLDER).is_dir()
    check_root(root, X_MARS.source, OWN_INFO_FOLDER if own else INFO_FOLDER)
    folder = inner_folder(root, OWN_INFO_FOLDER if own else INFO_FOLDER)
    info = read_info(folder, X_MARS.title, X_MARS.source, PREFIXES)
    check_query(info.query, info.test_rows, info.prefix)
    notices: list[str] = []
    places = [inner_folder(root, name) for name in (TRAIN_FOLDER, TEST_FOLDER)]
    train = read_split_frames("train", info.train_rows, info.train_names, root, places, info.prefix, notices)
    places.reverse()
    test = read_split_frames("test", info.test_rows, info.test_names, root, places, info.prefix, notices)
    info = replace(info, train_rows=train.rows, test_rows=test.rows)
    return mars_benchmark(X_MARS, root, info, train.frames, test.frames, strict, notices)
