import numpy as np
import pytest
from PIL import Image

from vidreid.visualize.palette import font, shorten
from vidreid.visualize.save import save_png


def test_what_is_saved_is_read(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path = save_png(picture, tmp_path / "new" / "picture.png")
    assert np.array_equal(np.asarray(Image.open(path)), picture)
    assert [file.name for file in path.parent.iterdir()] == ["picture.png"]


@pytest.mark.parametrize(
    "picture", [np.zeros((5, 7, 3)), np.zeros((5, 7), np.uint8), np.zeros((5, 7, 4), np.uint8)]
)
def test_no_picture_leaves_no_file(tmp_path, picture):
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        save_png(picture, tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


def test_shorten():
    assert shorten("short", 200, 11) == "short"
    cut = shorten("much too long a text", 60, 11)
    assert cut.endswith("…")
    assert font(11).getlength(cut) <= 60
