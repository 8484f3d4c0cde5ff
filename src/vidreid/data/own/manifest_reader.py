"""From checked frames of one's own data, a manifest's or a folder tree's, to a benchmark."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.boxed_frames import BoxedFrames
from vidreid.data.identity_split import choose_test_people, one_query_a_camera
from vidreid.data.own.manifest_ids import in_order
from vidreid.data.own.own_frames import Cameras, OwnFrames
from vidreid.data.protocols import PROTOCOLS, Protocol
from vidreid.data.readers.notices import say
from vidreid.data.tracklets import FrameList, column, tracklet_table
from vidreid.errors import DataError, MissingDataError, reads_files
from vidreid.keypoints.in_memory import KeypointArray

OWN_PROTOCOLS: dict[str, Protocol] = {
    name: PROTOCOLS[name] for name in ("official", "queries_removed", "no_distractors")
}
"""Own data have no junk, and nothing was published about them that would have to be explained."""

_EACH_TRACKLET = (
    "data.cameras=each_tracklet: every tracklet counts as a camera of its own, so that of the right answers "
    "only the query itself is left out; matches from the same camera and moment count, and numbers look too "
    "good."
)


@reads_files
def own_benchmark(
    own: OwnFrames,
    root: Path,
    name: str,
    cameras: Cameras = "given",
    test_share: float = 0.5,
    split_seed: int = 0,
    *,
    strict: bool = False,
) -> Benchmark:
    """Make the tables of one's own data.

    People and cameras are numbered from 1 in the order of their names, people of whom nobody knows who they
    are have the number 0. Training and test keep the numbers that their tracklets have among all. Images are
    not touched, but a few are looked up.

    Args:
        own: The frames.
        root: The folder of the data.
        name: What results call them.
        cameras: ``given``, or ``each_tracklet``.
        test_share: Share of the people to search for, where no roles are given.
        split_seed: Seed of that split and of who asks.
        strict: Raise where something is probably not meant, instead of saying so in ``notices``.

    Raises:
        MissingDataError: If images are not where they should be.
        DataError: If there are too few people, no query, or none with an answer.
        ValueError: For another share.
    """
    _check_files(own)
    firsts = np.flatnonzero((own.table["tracklet"] != own.table["tracklet"].shift()).to_numpy())
    tracklets = own.table.iloc[firsts].reset_index(drop=True)
    people = in_order(set(tracklets["person"]) - {""}, "person", own.where)
    if len(people) < 2:
        raise DataError(f"{own.where} names {len(people)} people: to tell them apart takes at least two.")
    pids = _numbers(tracklets["person"], ["", *people])
    if cameras == "given":
        camera_list = in_order(tracklets["camera"], "camera", own.where)
        numbers = _numbers(tracklets["camera"], camera_list) + 1
    else:
        camera_list = [f"of {tracklet}" for tracklet in tracklets["tracklet"]]
        numbers = np.arange(1, len(tracklets) + 1)
    everybody = tracklet_table(pids, numbers, firsts, np.append(firsts[1:], len(own.table)))
    notices = [_EACH_TRACKLET] if cameras == "each_tracklet" else []
    if "-1" in people:
        notices.append("'-1' is taken for a person: leave the field empty where nobody knows who it is.")
    roles = (
        _checked(tracklets["role"], tracklets, own.where)
        if "role" in tracklets
        else _split(everybody, own.where, test_share, split_seed, notices)
    )
    train, test = _tables(everybody, roles, split_seed, notices)
    person_names = dict(enumerate(people, start=1))
    _check_tables(train, test, own.where, person_names, strict, notices)
    frames = _frame_list(own)
    return Benchmark(
        name,
        root,
        train,
        test,
        frames,
        frames,
        dict(OWN_PROTOCOLS),
        notices,
        person_names=person_names,
        camera_names=dict(enumerate(camera_list, start=1)),
        keypoints=_keypoints(own, frames),
    )


def _check_files(own: OwnFrames) -> None:
    """Look up a few files, which shows paths that begin elsewhere."""
    paths = own.table["frame_path"]
    for place in np.unique(np.linspace(0, len(paths) - 1, 50).astype(int)):
        if not (own.folder / paths.iloc[place]).is_file():
            raise MissingDataError(
                f"{own.where} lists {paths.iloc[place]!r}, but there is no such file in {own.folder}, which "
                "paths are relative to: correct them, or unpack the images there."
            )


def _numbers(values: pd.Series, ordered: list[str]) -> NDArray[np.int64]:
    place = {value: number for number, value in enumerate(ordered)}
    return np.array([place[value] for value in values], dtype=np.int64)


def _checked(roles: pd.Series, tracklets: pd.DataFrame, where: str) -> NDArray[np.str_]:
    """Return the given roles."""
    given = roles.to_numpy(dtype=str)
    if "test" in given and ("query" in given or "gallery" in given):
        raise DataError(
            f"{where} has the role test beside query or gallery: say of all test tracklets whether they ask, "
            "or of none."
        )
    nobody = np.flatnonzero((given == "query") & (tracklets["person"] == "").to_numpy())
    if len(nobody):
        raise DataError(
            f"{where}: the query {tracklets['tracklet'].iloc[nobody[0]]!r} has no person, so that no answer "
            "to it is right: name the person, or make it gallery."
        )
    return given


def _split(
    table: pd.DataFrame, where: str, test_share: float, seed: int, notices: list[str]
) -> NDArray[np.str_]:
    """Return a role for each tracklet by its person."""
    chosen = choose_test_people(table, test_share, seed)
    pids = column(table, "pid")
    people = len(np.unique(pids[pids > 0]))
    if len(chosen) == 0:
        raise DataError(
            f"{where} names {people} people, of whom nobody can be searched for: take at least three, and "
            "one of them in two cameras (or two tracklets under data.cameras=each_tracklet)."
        )
    notices.append(
        f"{where} gives no roles: {people - len(chosen)} people are for training and {len(chosen)} for test "
        f"(data.test_share={test_share}, data.split_seed={seed})."
    )
    return np.where((pids == 0) | np.isin(pids, chosen), "test", "train")


def _tables(
    everybody: pd.DataFrame, roles: NDArray[np.str_], seed: int, notices: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = column(everybody, "pid") > 0
    unknown = int(((roles == "train") & ~known).sum())
    if unknown:
        notices.append(f"{unknown} training tracklets have no person and are left out.")
    train = everybody.loc[(roles == "train") & known].reset_index(drop=True)
    asking = roles == "query"
    drawn = (roles == "test") & known
    asking[drawn] = one_query_a_camera(everybody.loc[drawn], np.random.default_rng(seed))
    test = everybody.assign(is_query=asking).loc[roles != "train"].reset_index(drop=True)
    return train, test


def _check_tables(
    train: pd.DataFrame,
    test: pd.DataFrame,
    where: str,
    names: dict[int, str],
    strict: bool,
    notices: list[str],
) -> None:
    learned = np.unique(column(train, "pid"))
    if len(learned) == 1:
        raise DataError(f"{where} leaves 1 person to train on: to tell people apart takes at least two.")
    if len(learned) == 0:
        notices.append(f"{where} leaves nobody to train on: it can be evaluated on and searched.")
    shared = np.intersect1d(learned, column(test, "pid"))
    if len(shared):
        say(
            f"{_listed(shared, names)} are in training and in test: results will be too good.",
            strict,
            notices,
        )
    queries = test.loc[test["is_query"]]
    if len(queries) == 0:
        raise DataError(f"{where} has no query: give tracklets the role query, or test to have them chosen.")
    cameras = test.groupby("pid")["camera"].nunique()
    lost = queries.loc[queries["pid"].map(cameras) < 2]
    if len(lost) == len(queries):
        raise DataError(
            f"{where}: no query has an answer, because no person of the test is in two cameras: give the "
            "gallery tracklets of these people from other cameras."
        )
    if len(lost):
        whose = _listed(np.unique(column(lost, "pid")), names)
        say(
            f"{len(lost)} of {len(queries)} queries have no answer in another camera: those of {whose}.",
            strict,
            notices,
        )


def _listed(pids: NDArray[np.int64], names: dict[int, str]) -> str:
    """Return how many people, and the names of up to three."""
    some = ", ".join(repr(names[int(pid)]) for pid in pids[:3])
    return f"{len(pids)} people ({some}{' and others' if len(pids) > 3 else ''})"


def _frame_list(own: OwnFrames) -> FrameList:
    names = np.array([path.encode() for path in own.table["frame_path"]], dtype=np.bytes_)
    return (
        FrameList(own.folder, names, prefix=0)
        if own.edges is None
        else BoxedFrames(own.folder, names, own.edges)
    )


def _keypoints(own: OwnFrames, frames: FrameList) -> KeypointArray | None:
    """Return the keypoints in pixels of the frames: crops begin elsewhere than their images."""
    if own.keypoints is None:
        return None
    if isinstance(frames, BoxedFrames):
        shift = np.append(frames.origins, np.zeros((len(frames), 1), np.int32), axis=1)
        return KeypointArray(own.keypoints - shift[:, None].astype(np.float32))
    return KeypointArray(own.keypoints)
