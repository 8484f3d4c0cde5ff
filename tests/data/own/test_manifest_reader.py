"""From manifests to benchmarks: numbers, roles, splits, and the same tree read in two ways."""

import numpy as np
import pandas as pd
import pytest
import torch

from support.own_data import CAMERAS, FRAMES, PEOPLE, rows_of_noise, walkers_as_rows
from vidreid.data.frames import read_frame
from vidreid.data.own.manifest import read_manifest
from vidreid.data.own.manifest_reader import own_benchmark
from vidreid.data.readers.mars_reader import read_mars
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.tracklets import GALLERY, QUERY

ROLES = {"anna": "train", "bert": "train", "cleo": "test", "dora": "test", "emil": "test", "finn": "test"}


def _benchmark(root, rows, cameras="given", **options):
    rows.to_csv(root / "manifest.csv", index=False)
    return own_benchmark(read_manifest(root / "manifest.csv", cameras), root, "manifest", cameras, **options)


@pytest.fixture
def rows(tmp_path):
    return rows_of_noise(tmp_path)


def test_tables_say_what_was_written(tmp_path, rows):
    rows["role"] = np.select(
        [rows["person"].isin(["anna", "bert"]), rows["camera"] == "door"], ["train", "query"], "gallery"
    )
    rows.loc[rows["person"] == "finn", ["person", "role"]] = ["", "gallery"]
    benchmark = _benchmark(tmp_path, rows)
    assert benchmark.train.to_dict("list") == {
        "tracklet": [0, 1, 2, 3],
        "pid": [1, 1, 2, 2],
        "camera": [1, 2, 1, 2],
        "start": [0, 3, 6, 9],
        "stop": [3, 6, 9, 12],
    }
    assert benchmark.test.to_dict("list") == {
        "tracklet": [4, 5, 6, 7, 8, 9, 10, 11],
        "pid": [3, 3, 4, 4, 5, 5, 0, 0],
        "camera": [1, 2] * 4,
        "start": [12, 15, 18, 21, 24, 27, 30, 33],
        "stop": [15, 18, 21, 24, 27, 30, 33, 36],
        "is_query": [True, False, True, False, True, False, False, False],
    }
    assert benchmark.person_names == dict(enumerate(PEOPLE[:5], start=1))
    assert benchmark.camera_names == dict(enumerate(CAMERAS, start=1))
    assert benchmark.train_frames is benchmark.test_frames
    assert [path.name for path in benchmark.train_frames.paths(0, 3)] == [
        f"anna_door_{frame}.png" for frame in range(FRAMES)
    ]
    assert benchmark.notices == []
    assert len(benchmark.query()) == 3
    assert len(benchmark.gallery()) == 8


def test_the_order_of_the_rows_changes_nothing_but_frames_without_numbers(tmp_path, rows):
    rows["frame_number"] = np.tile(np.arange(FRAMES), len(rows) // FRAMES)
    one = _benchmark(tmp_path, rows)
    other = _benchmark(tmp_path, rows.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(one.train, other.train)
    pd.testing.assert_frame_equal(one.test, other.test)
    assert one.train_frames.names_crc() == other.train_frames.names_crc()


def test_people_are_numbered_by_number_if_all_have_one(tmp_path):
    numbers = _benchmark(tmp_path, rows_of_noise(tmp_path, people=("10", "9", "007", "-1")))
    assert "'-1' is taken for a person" in numbers.notices[0]
    assert numbers.person_names == {1: "-1", 2: "007", 3: "9", 4: "10"}
    assert _benchmark(tmp_path, rows_of_noise(tmp_path, people=("10", "9", "b"))).person_names[1] == "10"
    with pytest.raises(ValueError, match=r"a person '007' and a person '7', one number written in two ways"):
        _benchmark(tmp_path, rows_of_noise(tmp_path, people=("7", "007", "b")))


def test_the_role_test_draws_who_asks(tmp_path, rows):
    more = rows.assign(
        tracklet=rows["tracklet"] + "-2", frame_path=rows["frame_path"].str.replace("crops", "more")
    )
    rows = pd.concat([rows, more])
    rows["role"] = rows["person"].map(ROLES)
    for name in more["frame_path"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((tmp_path / name.replace("more", "crops")).read_bytes())
    asking = [_benchmark(tmp_path, rows, split_seed=seed).query() for seed in (0, 0, 1)]
    for queries in asking:
        # One of two tracklets of each of four people in each of two cameras; all of them are searched.
        assert len(queries) == 8
        assert not queries.duplicated(["pid", "camera"]).any()
    assert asking[0]["tracklet"].tolist() == asking[1]["tracklet"].tolist()
    assert asking[0]["tracklet"].tolist() != asking[2]["tracklet"].tolist()
    assert len(_benchmark(tmp_path, rows).gallery()) == 16


def test_without_roles_people_are_split(tmp_path, rows):
    rows = rows.loc[(rows["person"] != "emil") | (rows["camera"] == "door")]
    rows.loc[rows["person"] == "finn", "person"] = ""
    for seed in range(5):
        benchmark = _benchmark(tmp_path, rows, split_seed=seed, test_share=0.6)
        learned, asked = set(benchmark.train["pid"]), set(benchmark.query()["pid"])
        assert len(learned) == 2
        assert len(asked) == 3
        assert not learned & asked
        # emil is seen by one camera; nobody knows who finn is, and he is searched without asking.
        assert 5 in learned
        assert 0 in set(benchmark.test["pid"]) - asked - learned
    assert benchmark.notices[0].endswith(
        "gives no roles: 2 people are for training and 3 for test (data.test_share=0.6, data.split_seed=4)."
    )
    splits = {tuple(_benchmark(tmp_path, rows, split_seed=seed).train["tracklet"]) for seed in range(5)}
    assert len(splits) > 1


def test_each_tracklet_may_be_a_camera(tmp_path, rows):
    benchmark = _benchmark(tmp_path, rows.drop(columns="camera"), cameras="each_tracklet")
    everybody = pd.concat([benchmark.train, benchmark.test])
    assert sorted(everybody["camera"]) == list(range(1, 13))
    assert benchmark.camera_names[2] == "of anna-hall"
    assert benchmark.test["is_query"].all()
    assert "numbers look too good" in benchmark.notices[0]


def test_the_walkers_read_as_mars_and_as_a_manifest_are_the_same(tiny_root, tmp_path):
    rows = walkers_as_rows(tiny_root, tmp_path)
    mars, own = read_mars(tiny_root), _benchmark(tmp_path, rows.sample(frac=1, random_state=0))
    assert own.notices == mars.notices
    for split in ("train", "test"):
        one, other = getattr(mars, split), getattr(own, split)
        one = one.loc[one["pid"] >= 0]
        assert (one["camera"].to_numpy() == other["camera"].to_numpy()).all()
        names = [int(own.person_names.get(pid, 0)) for pid in other["pid"]]
        assert one["pid"].tolist() == names
        for left, right in list(zip(one.itertuples(), other.itertuples(), strict=True))[::7]:
            assert left.stop - left.start == right.stop - right.start
            for frame in range(0, left.stop - left.start, 3):
                np.testing.assert_array_equal(
                    read_frame(getattr(mars, f"{split}_frames"), left.start + frame),
                    read_frame(own.test_frames, right.start + frame),
                )
    assert _scores(mars) == _scores(own)


def _scores(benchmark):
    """Scores of the mean colour of each tracklet's first frame."""
    test = benchmark.test.loc[benchmark.test["pid"] >= 0]
    colours = np.stack([read_frame(benchmark.test_frames, row).mean((0, 1)) for row in test["start"]])
    roles = QUERY * torch.tensor(test["is_query"].to_numpy().astype(int)) + GALLERY
    metric = ReidMetric(len(test))
    count = torch.arange(len(test))
    pids, cameras = (torch.tensor(test[name].to_numpy()) for name in ("pid", "camera"))
    metric.update(torch.tensor(colours, dtype=torch.float32), count, count, pids, cameras, roles)
    return {name: float(value) for name, value in metric.compute().items()}


def _given(rows, **roles):
    return rows.assign(role=rows["person"].map(ROLES | roles))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.assign(person=""), "names 0 people: to tell them apart takes at least two"),
        (lambda rows: rows.loc[rows["person"] == "anna"], "names 1 people"),
        (lambda rows: rows.loc[rows["person"] < "cleo"], "names 2 people, of whom nobody can be searched"),
        (lambda rows: rows.loc[rows["camera"] == "door"], "names 6 people, of whom nobody can be searched"),
        (lambda rows: _given(rows, bert="test"), "leaves 1 person to train on"),
        (lambda rows: _given(rows).replace("test", "train"), "has no query: give tracklets the role query"),
        (lambda rows: _given(rows).replace("test", "gallery"), "has no query"),
        (lambda rows: _given(rows, cleo="query"), "has the role test beside query or gallery"),
        (lambda rows: _given(rows).replace("test", "query").replace("cleo", ""),
         "the query 'cleo-door' has no person"),
        (lambda rows: _given(rows).loc[(rows["camera"] == "door") | (rows["person"] < "cleo")],
         "no query has an answer, because no person of the test is in two cameras"),
        (lambda rows: rows.assign(frame_path="elsewhere/" + rows["frame_path"]),
         r"lists 'elsewhere/crops/anna_door_0\.png', but there is no such file in .* relative to"),
    ],
)  # fmt: skip
def test_sets_that_cannot_be_used_get_a_sentence(tmp_path, rows, change, words):
    with pytest.raises(ValueError, match=rf"manifest\.csv.*{words}"):
        _benchmark(tmp_path, change(rows))


def test_a_share_is_a_share(tmp_path, rows):
    with pytest.raises(ValueError, match=r"data\.test_share=1 is no share of the people"):
        _benchmark(tmp_path, rows, test_share=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: _given(rows).assign(role=np.where(rows["tracklet"] == "cleo-door", "train", "test"))
         .pipe(lambda own: own.assign(role=np.where(rows["person"] < "cleo", "train", own["role"]))),
         "1 people ('cleo') are in training and in test: results will be too good."),
        (lambda rows: _given(rows).loc[(rows["camera"] == "door") | ~rows["person"].isin(["cleo", "finn"])],
         "2 of 6 queries have no answer in another camera: those of 2 people ('cleo', 'finn')."),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_said_or_refused(tmp_path, rows, change, words):
    assert words in _benchmark(tmp_path, change(rows)).notices
    with pytest.raises(ValueError, match=r"\(data\.strict=true\)"):
        _benchmark(tmp_path, change(rows), strict=True)


def test_unknown_people_are_not_trained_on(tmp_path, rows):
    rows = _given(rows, cleo="train").replace("cleo", "")
    benchmark = _benchmark(tmp_path, rows)
    assert benchmark.train["pid"].tolist() == [1, 1, 2, 2]
    assert benchmark.notices == ["2 training tracklets have no person and are left out."]
