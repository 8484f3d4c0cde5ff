"""Long lists are read entry by entry, wherever a piece of the file ends."""

import json
import tracemalloc

import pytest

from vidreid.errors import DataError
from vidreid.keypoints.formats import json_files
from vidreid.keypoints.formats.json_files import json_entries

ENTRIES = [{"a": [1.25, -3e-5, "é]},{"], "b": {}}, {}, {"long": "x" * 50, "c": [[[]]]}, {"last": None}]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("indent", [None, 2])
def test_entries_are_those_of_the_whole_file(tmp_path, monkeypatch, piece, indent):
    monkeypatch.setattr(json_files, "_PIECE", piece)
    file = tmp_path / "list.json"
    file.write_text(json.dumps(ENTRIES, indent=indent, ensure_ascii=False) + " \n", encoding="utf-8")
    # A single blank piece may come first.
    assert list(json_entries(file)) == ENTRIES
    file.write_text(" [ ] ")
    if piece > 2:
        assert list(json_entries(file)) == []


@pytest.mark.parametrize(
    "text", ["[{},]", "[,{}]", "[{} {}]", "[{},,{}]", "[1]", "[{}]]", "[{}", "[{}, {", "", "{}"]
)
def test_what_is_no_list_of_objects_is_refused(tmp_path, text):
    file = tmp_path / "list.json"
    file.write_text(text)
    with pytest.raises(DataError, match=r"list\.json is not readable as JSON"):
        list(json_entries(file))


def test_the_file_is_never_in_memory_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "_PIECE", 1 << 14)
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"keypoints": [1.5] * 51}] * 10_000))
    size = file.stat().st_size
    tracemalloc.start()
    count = sum(1 for _ in json_entries(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert peak < size / 10


def test_an_entry_without_end_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "_PIECE", 16)
    monkeypatch.setattr(json_files, "_LONGEST", 64)
    file = tmp_path / "list.json"
    file.write_text('[{"a": "' + "x" * 1000 + '"}]')
    with pytest.raises(DataError, match="not readable as JSON"):
        list(json_entries(file))
