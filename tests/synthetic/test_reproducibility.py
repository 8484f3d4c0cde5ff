import hashlib
from pathlib import Path

import pytest

from vidreid.synthetic import benchmark
from vidreid.synthetic.benchmark import synthesize


def digest(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_two_workers_write_the_same_bytes_as_one(tree: Path, tmp_path: Path) -> None:
    again = synthesize(tmp_path / "two", "tiny", seed=0, workers=2, progress=False)
    assert digest(again) == digest(tree)


def test_another_seed_gives_other_pictures(tree: Path, tmp_path: Path) -> None:
    other = synthesize(tmp_path / "other", "tiny", seed=1, height=32, workers=1, progress=False)
    assert not set(digest(other).values()) & set(digest(tree).values())


def test_a_tree_that_is_there_is_left_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}

    def forbidden(*_: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr(benchmark, "_render", forbidden)
    assert synthesize(tree, "tiny", seed=0, progress=False) == tree
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


@pytest.mark.parametrize(("option", "value"), [("seed", 1), ("size", "small"), ("height", 256)])
def test_another_benchmark_in_the_same_place_is_refused(tree: Path, option: str, value: int | str) -> None:
    wanted = {"size": "tiny", "seed": 0, "height": 128, option: value}
    with pytest.raises(FileExistsError, match=rf"holds another procedural benchmark \({option}=.*remove it"):
        synthesize(tree, **wanted, progress=False)  # pyright: ignore[reportArgumentType]


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(FileExistsError, match="holds no procedural benchmark"):
        synthesize(tmp_path, "tiny", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_an_unknown_size_and_an_odd_height_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of tiny, small, full"):
        synthesize(tmp_path / "a", "huge", progress=False)
    with pytest.raises(ValueError, match="even number"):
        synthesize(tmp_path / "a", "tiny", height=129, progress=False)
    assert not (tmp_path / "a").exists()


def test_crops_of_256_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    from vidreid.synthetic.plan import SIZES, Size

    monkeypatch.setitem(SIZES, "one", Size(1, 1, (2, 2), (1.0,), 4, 4))
    root = synthesize(tmp_path / "large", "one", height=256, workers=1, progress=False)
    picture = cv2.imread(str(next(root.rglob("*.jpg"))))
    assert picture is not None
    assert picture.shape == (256, 128, 3)
