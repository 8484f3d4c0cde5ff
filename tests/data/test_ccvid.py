"""CCVID as its loader expects it on disk."""

import shutil

import pytest
import torch
from hydra.utils import instantiate

from support.outfit_runs import evaluated, scores_of_places, trained
from support.outfit_trees import CCVID_GALLERY, CCVID_QUERY, CCVID_TRAIN, ccvid_frames, make_ccvid_tree
from support.runs import compose_training
from vidreid.data.ccvid import CcvidDataModule, read_ccvid
from vidreid.data.frames import read_frame
from vidreid.data.tracklets import column
from vidreid.errors import DataError, MissingDataError


@pytest.fixture
def root(tmp_path):
    return make_ccvid_tree(tmp_path / "ccvid")


def _rewrite(root, name, old, new):
    file = root / f"CCVID/{name}.txt"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_tables_say_what_was_written(ccvid_root):
    benchmark = read_ccvid(ccvid_root)
    worn = {}
    for table, frames, listed in (
        (benchmark.train, benchmark.train_frames, CCVID_TRAIN),
        (benchmark.test, benchmark.test_frames, CCVID_QUERY + CCVID_GALLERY),
    ):
        assert table["tracklet"].tolist() == list(range(len(listed)))
        assert len(frames) == table["stop"].iloc[-1]
        for (folder, identity, clothes, camera, count), row in zip(
            listed, table.to_dict("records"), strict=True
        ):
            assert (row["pid"], row["camera"]) == (int(identity), camera)
            assert frames.paths(row["start"], row["stop"]) == [
                ccvid_root / "CCVID" / folder / name for name in ccvid_frames(count)
            ]
            worn.setdefault((identity, clothes), set()).add(row["outfit"])
    # One number for each outfit of a person, and another for every other.
    assert sorted(worn.values(), key=min) == [{number} for number in range(len(worn))]
    assert column(benchmark.test, "outfit").dtype == "int64"
    assert benchmark.test["is_query"].tolist() == [True] * len(CCVID_QUERY) + [False] * len(CCVID_GALLERY)
    assert benchmark.name == "ccvid"
    assert read_frame(benchmark.test_frames, 0).shape == (128, 64, 3)


def test_variants_of_the_layout_give_the_same(root, tmp_path):
    expected = read_ccvid(root)
    others = [read_ccvid(root / "CCVID"), read_ccvid(make_ccvid_tree(tmp_path / "bare", above=""))]
    for name in ("train", "query", "gallery"):
        file = root / f"CCVID/{name}.txt"
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n\r\n"))
    _rewrite(root, "query", "session1/003_02", ".\\session1\\003_02/")
    others.append(read_ccvid(root))
    for other in others:
        assert other.train.equals(expected.train)
        assert other.test.equals(expected.test)
        assert other.test_frames.names_crc() == expected.test_frames.names_crc()


def test_names_for_identities(root):
    for name in ("train", "query", "gallery"):
        file = root / f"CCVID/{name}.txt"
        lines = [line.split() for line in file.read_text().splitlines()]
        file.write_text("".join(f"{folder}\tp{pid}\t{clothes}\n" for folder, pid, clothes in lines))
    people = sorted({pid for _, pid, *_ in CCVID_TRAIN + CCVID_QUERY + CCVID_GALLERY})
    pids = read_ccvid(root).test["pid"]
    assert [people[pid] for pid in pids] == [pid for _, pid, *_ in CCVID_QUERY + CCVID_GALLERY]


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_ccvid(root).notices
    assert notice == (
        "counts differ from CCVID: tracklets 28 instead of 2,856; train identities 6 instead of 75; test "
        "identities 4 instead of 151; queries 4 instead of 834; gallery tracklets 6 instead of 1,074."
    )
    with pytest.raises(DataError, match=r"Counts differ from CCVID.*data\.strict=true"):
        read_ccvid(root, strict=True)


def test_what_is_in_two_lists_is_said_or_refused(root):
    folder, identity, clothes, *_ = CCVID_QUERY[0]
    _rewrite(root, "gallery", "session2/003_02", f"{folder} {identity} {clothes}\nsession2/003_02")
    _rewrite(root, "train", "session1/002_01", f"{folder} {identity} {clothes}\nsession1/002_01")
    notices = read_ccvid(root).notices
    assert any(notice.startswith("1 tracklets of") and "are in two lists" in notice for notice in notices)
    assert "1 identities occur in training and in test: results will be too good." in notices
    _rewrite(root, "gallery", f"{folder} {identity} {clothes}", f"{folder} {identity} u7")
    with pytest.raises(DataError, match=r"session1/003_02 shows identity 003 in u0_l0 by train\.txt, line 1, "
                       r"and identity 003 in u7 by gallery\.txt, line 1: correct"):  # fmt: skip
        read_ccvid(root)


def test_missing_files_and_folders_are_named(root, tmp_path):
    with pytest.raises(MissingDataError, match=r"no folder .*nowhere: set data\.root"):
        read_ccvid(tmp_path / "nowhere")
    with pytest.raises(MissingDataError, match=r"lacks train\.txt.*did you mean .*/ccvid\?"):
        read_ccvid(root.parent)
    own = root / "CCVID/session1/006_01"
    shutil.rmtree(own)
    with pytest.raises(MissingDataError, match=r"query\.txt, line 4: there is no folder .*session1/006_01"):
        read_ccvid(root)
    own.mkdir()
    with pytest.raises(MissingDataError, match=r"session1/006_01 holds no frame such as 00001\.jpg"):
        read_ccvid(root)
    (root / "CCVID/query.txt").unlink()
    with pytest.raises(MissingDataError, match=r"CCVID lacks query\.txt: take the lists"):
        read_ccvid(root)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("session1/005_11 005", r"line 3 has 2 fields instead of 3"),
        ("session1/005_11 005 u0 l0", r"line 3 has 4 fields"),
        ("/session1/005_11 005 u0", r"line 3: '/session1/005_11' is no path of a folder below"),
        ("session1/../005_11 005 u0", r"line 3: 'session1/\.\./005_11' is no path"),
        (". 005 u0", r"line 3: '\.' is no path"),
        ("session1/a\0_11 005 u0", r"line 3: .* is no path"),
        ("session1/005 005 u0", r"line 3: the folder 'session1/005' does not name its camera as 001_01"),
        ("session1/005_x 005 u0", r"line 3: .* does not name its camera"),
        (f"session1/{'a' * 5000}_11 005 u0", r"line 3: there is no folder"),
        ("session1/003_02/ 003 u0_l0", r"line 3: session1/003_02 was named in query\.txt, line 1 already"),
    ],
)
def test_lines_of_another_form_are_named(root, new, words):
    folder, identity, clothes, *_ = CCVID_QUERY[2]
    _rewrite(root, "query", f"{folder} {identity} {clothes}", new)
    with pytest.raises(DataError, match=rf"query\.txt, {words}"):
        read_ccvid(root)


@pytest.mark.parametrize(
    ("content", "words"), [(b"\n \n", "names no tracklet"), (b"\xff\xfe1", "is no text")]
)
def test_files_that_are_no_lists_are_refused(root, content, words):
    (root / "CCVID/gallery.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"gallery\.txt {words}"):
        read_ccvid(root)


def test_odd_frames_are_refused(root):
    own = root / "CCVID/session3/006_01"
    (own / "21.png").touch()
    with pytest.raises(DataError, match=r"006_01 holds one frame twice, 21\.jpg and 21\.png"):
        read_ccvid(root)
    (own / "21.png").rename(own / "cover.png")
    with pytest.raises(DataError, match=r"006_01/cover\.png is not named like a frame of this folder"):
        read_ccvid(root)


# Under the three protocols.

# Queries 0..3, then the gallery; 9 is a stranger.
PLACES = [0.0, 100, 200, 300, 1, 5, 3, 201, 301, 4]


@pytest.mark.parametrize(
    ("protocol", "mean_ap", "rank1", "counted"),
    [
        # Query 0 meets 6 (other outfit), 9 and 5 (its own); 4 is of its camera. Query 1 meets 5, 9, 6, 4.
        ("standard", (5 / 6 + 29 / 36 + 1 + 1) / 4, 1, 4),
        ("same_clothes", (1 / 2 + 1 / 2 + 1) / 3, 1 / 3, 3),
        ("clothes_changing", (1 + 5 / 6 + 1) / 3, 1, 3),
    ],
)
def test_protocols_by_hand(ccvid_root, protocol, mean_ap, rank1, counted):
    scores = scores_of_places(ccvid_root, "ccvid", protocol, PLACES)
    assert scores["mAP"] == pytest.approx(mean_ap)
    assert scores["rank1"] == pytest.approx(rank1)
    assert (scores["queries_counted"], scores["queries_dropped"]) == (counted, 4 - counted)
    assert scores["gallery"] == 6


def test_one_step_and_every_protocol(ccvid_root, tmp_path):
    run = trained(ccvid_root, "ccvid", tmp_path / "run")
    for protocol, counted in (("standard", 4), ("same_clothes", 3), ("clothes_changing", 3)):
        metrics = evaluated(run, protocol)
        assert (metrics["protocol"], metrics["data"]["name"]) == (protocol, "ccvid")
        assert (metrics["queries_counted"], metrics["queries_dropped"]) == (counted, 4 - counted)
        assert metrics["gallery"] == 6
        assert 0 < metrics["mAP"] <= 1
    assert (run / "pictures/ranked.png").is_file()


def test_the_configuration_builds_it(ccvid_root, tmp_path):
    module = instantiate(compose_training(ccvid_root, tmp_path, "data=ccvid", "data.workers=0").data)
    assert isinstance(module, CcvidDataModule)
    assert (module.num_identities, module.camera_numbers) == (6, [1, 5, 13])
    assert module.protocol == CcvidDataModule(ccvid_root).protocol == "standard"
    batch = next(iter(module.test_dataloader()))
    assert torch.equal(batch.outfits, torch.from_numpy(column(module.benchmark.test, "outfit")))
    with pytest.raises(ValueError, match="'official': choose one of standard, same_clothes, clothes_"):
        CcvidDataModule(ccvid_root, protocol="official")
