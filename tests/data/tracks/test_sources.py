"""Which videos are cut: rows, files of rows, MOTChallenge's folders."""

import pytest

from support.tracked_videos import rows_of, write_frames, write_mot
from vidreid.data.tracks.names import folder_names
from vidreid.data.tracks.sources import make_sources, read_sources


@pytest.fixture
def sequence(tmp_path):
    root = tmp_path / "MOT17-90"
    write_frames(root / "frames", rows_of(3), 3)
    write_mot(root / "gt/gt.txt", rows_of(3), "1,1,1")
    (root / "seqinfo.ini").write_text("[Sequence]\nname=%(x)s\nimDir=frames\nseqLength=600\n")
    return root


def test_a_sequence(sequence):
    (source,) = make_sources([{"sequence": "MOT17-90"}], sequence.parent)
    assert (source.name, source.camera) == ("MOT17-90", None)
    assert (source.video, source.tracks) == (sequence / "frames", sequence / "gt/gt.txt")
    (source,) = make_sources([{"sequence": sequence, "tracks": sequence / "mine.txt", "camera": 0}])
    assert (source.tracks, source.camera) == (sequence / "mine.txt", "0")
    (sequence / "gt/gt.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"neither gt/gt\.txt nor det/det\.txt: say tracks=FILE"):
        make_sources([{"sequence": sequence}])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("imDir=frames", r"seqinfo\.ini is damaged"),
        ("[Sequence]\nimDir=../frames", r"imDir='\.\./frames', which is no folder below"),
        ("[Sequence]\nimDir=/frames", "no folder below"),
        ("[Sequence]\nimDir=", "no folder below"),
        ("[Sequence]\nimDir=other", "has no folder other with frames"),
    ],
)
def test_damaged_sequences(sequence, text, words):
    (sequence / "seqinfo.ini").write_text(text)
    with pytest.raises(ValueError, match=words):
        make_sources([{"sequence": sequence}])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "video,tracks,camera\na.mp4,a.txt,1\nsub/b.mp4,b.txt,\n"),
        ("list.yaml", "- {video: a.mp4, tracks: a.txt, camera: 1}\n- {video: sub/b.mp4, tracks: b.txt}\n"),
    ],
)
def test_a_file_of_sources(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    first, second = read_sources(tmp_path / name)
    assert (first.name, first.video, first.tracks) == ("a", tmp_path / "a.mp4", tmp_path / "a.txt")
    assert (first.camera, second.camera) == ("1", None)
    assert second.video == tmp_path / "sub/b.mp4"


@pytest.mark.parametrize("text", ["{", "video: a.mp4", "[a, b]", "!!python/object:os.system {}", "\x00"])
def test_yaml_of_another_form(tmp_path, text):
    (tmp_path / "list.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"list\.yaml is no "):
        read_sources(tmp_path / "list.yaml")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "There is no video to cut: say video="),
        ([{"video": "a.mp4"}], "source 1 lacks tracks: say tracks="),
        ([{"camera": 3}], "source 1 lacks video and tracks: say video=, tracks="),
        (
            [{"video": "a.mp4", "tracks": "a.txt", "cam": 1}],
            "source 1 says 'cam': choose among video, tracks",
        ),
        ([{"video": "a.mp4", "tracks": "a.txt"}] * 2, r"The video a\.mp4 is listed twice"),
        ([{"video": "a.mp4", "sequence": "MOT"}], "source 1 has a video and a sequence"),
        ([{"sequence": "MOT"}], "There is no folder MOT"),
    ],
)
def test_wrong_rows(rows, words):
    with pytest.raises(ValueError, match=words):
        make_sources(rows)


def test_names_are_safe_and_differ():
    assert folder_names(["a b", "a_b", "A-B", "..", "", "../../x", "Tür.1", "x" * 300]) == [
        "a-b", "a-b.2", "A-B.3", "-", "-.2", "-..-x", "Tür.1", "x" * 80,
    ]  # fmt: skip
