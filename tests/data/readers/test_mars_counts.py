"""The real metadata of MARS: names follow from it, so only the images are missing."""

import time
import tracemalloc

import numpy as np
import pytest

from support.real_mars import write_real_mars
from vidreid.data.mars import read_mars
from vidreid.data.readers.mars_counts import MARS_COUNTS, mars_counts

PROTOCOL_GALLERY = {
    "official": 11_310,
    "junk_as_wrong": 12_180,
    "queries_removed": 9330,
    "no_distractors": 6082,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory, shared_data):
    folder = tmp_path_factory.mktemp("mars")
    write_real_mars(folder, shared_data)
    return folder


@pytest.fixture(scope="module")
def mars(root):
    return read_mars(root, strict=True)


def test_reading_a_million_names_takes_seconds_and_little_memory(root):
    tracemalloc.start()
    begin = time.process_time()
    benchmark = read_mars(root, strict=True)
    seconds = time.process_time() - begin
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    frames = len(benchmark.train_frames) + len(benchmark.test_frames)
    assert frames == 1_191_003
    assert benchmark.train_frames.nbytes + benchmark.test_frames.nbytes < 30e6
    assert held < 60e6
    assert peak < 300e6
    assert seconds < 30


def test_counts_are_those_of_the_paper_and_the_metadata(mars):
    # Independent of MARS_COUNTS: written down from the survey of the metadata.
    assert len(mars.train) == 8298
    assert mars.train["pid"].nunique() == 625
    assert len(mars.train_frames) == 509_914
    assert len(mars.test) == 12_180
    assert len(mars.test_frames) == 681_089
    pid = mars.test["pid"]
    assert ((pid == -1).sum(), (pid == 0).sum(), (pid > 0).sum()) == (870, 3248, 8062)
    assert pid.nunique() == 636
    assert pid[pid > 0].nunique() == 634
    lengths = mars.test["stop"] - mars.test["start"]
    assert lengths[pid == -1].sum() == 23_380
    assert lengths[pid == 0].sum() == 147_743
    assert lengths[pid > 0].sum() == 509_966
    assert (lengths.min(), lengths.max(), lengths.median()) == (2, 920, 30)
    train_lengths = mars.train["stop"] - mars.train["start"]
    assert (train_lengths.min(), train_lengths.max(), train_lengths.median()) == (5, 900, 36)
    assert (lengths < 4).sum() == 3
    assert (lengths < 8).sum() == 209
    assert (train_lengths < 8).sum() == 86


def test_cameras_are_those_of_the_metadata(mars):
    def per_camera(table):
        return np.bincount(table["camera"], minlength=7)[1:].tolist()

    assert per_camera(mars.train) == [1816, 1957, 1321, 750, 1880, 574]
    assert per_camera(mars.test) == [2271, 3725, 1495, 1024, 2240, 1425]


def test_first_rows_are_half_open_and_zero_based(mars):
    assert mars.train.iloc[:2][["start", "stop", "pid", "camera"]].to_numpy().tolist() == [
        [0, 16, 1, 1],
        [16, 95, 1, 1],
    ]
    assert mars.test.iloc[0][["start", "stop", "pid", "camera"]].tolist() == [0, 24, -1, 1]
    query_rows = np.flatnonzero(mars.test["is_query"])
    assert (query_rows.min(), query_rows.max()) == (4129, 12_179)


def test_queries(mars):
    query = mars.query()
    assert len(query) == 1980
    assert query["pid"].nunique() == 626
    assert query["pid"].min() > 0
    assert not query.duplicated(["pid", "camera"]).any()
    assert (query["stop"] - query["start"]).sum() == 114_493
    real = set(mars.test.loc[mars.test["pid"] > 0, "pid"])
    assert sorted(real - set(query["pid"])) == [12, 14, 154, 166, 982, 1034, 1104, 1354]


@pytest.mark.parametrize(("protocol", "size"), PROTOCOL_GALLERY.items())
def test_gallery_of_each_protocol(mars, protocol, size):
    gallery = mars.gallery(protocol)
    assert len(gallery) == size
    assert len(mars.query(protocol)) == 1980
    assert gallery["is_query"].any() == (protocol in ("official", "junk_as_wrong"))
    assert (gallery["pid"] == -1).any() == (protocol == "junk_as_wrong")
    assert (gallery["pid"] == 0).any() == (protocol != "no_distractors")


def test_identities_of_the_galleries(mars):
    assert mars.gallery("queries_removed")["pid"].nunique() == 621
    assert mars.gallery("no_distractors")["pid"].nunique() == 620


@pytest.mark.parametrize(
    ("protocol", "unanswered", "people"), [("queries_removed", 140, 126), ("official", 0, 0)]
)
def test_unanswered_queries(mars, protocol, unanswered, people):
    places = {}
    for pid, camera in mars.gallery(protocol)[["pid", "camera"]].to_numpy().tolist():
        places.setdefault(pid, set()).add(camera)
    lost = [
        pid
        for pid, camera in mars.query(protocol)[["pid", "camera"]].to_numpy().tolist()
        if not places.get(pid, set()) - {camera}
    ]
    assert len(lost) == unanswered
    assert len(set(lost)) == people


def test_queries_that_never_occur_in_the_gallery_without_queries(mars):
    absent = set(mars.query()["pid"]) - set(mars.gallery("queries_removed")["pid"])
    assert sorted(absent) == [6, 152, 436, 454, 640, 782, 944, 1062, 1138, 1140, 1146, 1172, 1252, 1444]


def test_train_and_test_share_nobody(mars):
    train, test = set(mars.train["pid"]), set(mars.test["pid"])
    assert not train & test
    assert (min(train), max(train), min(test - {-1, 0}), max(test)) == (1, 1499, 2, 1500)


def test_training_identities(mars):
    sizes = mars.train["pid"].value_counts()
    assert (sizes.max(), (sizes == 1).sum(), (sizes < 4).sum()) == (271, 1, 45)
    assert (mars.train.groupby("pid")["camera"].nunique() == 1).sum() == 6


def test_nothing_is_left_to_say_but_the_missing_images(mars):
    counts = mars_counts(mars.train, mars.test)
    assert {what: counts.pop(what) for what in MARS_COUNTS} == MARS_COUNTS
    assert counts == {"tracklets in all": 20_478, "identities in all": 1259, "frames in all": 1_191_003}
    assert len(mars.notices) == 2
    assert all("only tables can be read" in notice for notice in mars.notices)


def test_paths(mars):
    assert mars.test_frames.paths(0, 2) == [
        mars.root / "bbox_test/00-1/00-1C1T0001F001.jpg",
        mars.root / "bbox_test/00-1/00-1C1T0001F002.jpg",
    ]
    assert mars.train_frames.path(16) == mars.root / "bbox_train/0001/0001C1T0002F001.jpg"
