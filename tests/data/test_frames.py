import cv2
import numpy as np
import pytest

from vidreid.data.frames import FrameError, read_image


@pytest.fixture
def picture():
    picture = np.zeros((64, 32, 3), dtype=np.uint8)
    picture[:32] = (250, 20, 10)  # red in RGB
    picture[32:] = (10, 20, 250)
    return picture


@pytest.fixture
def jpeg(tmp_path, picture):
    path = tmp_path / "0001C1T0001F001.jpg"
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


def test_pixels_are_rgb_rows_first(jpeg, picture):
    image = read_image(jpeg)
    assert image.shape == (64, 32, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - picture).mean() < 5
    assert image.flags.c_contiguous


def test_png_is_exact(tmp_path, picture):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    np.testing.assert_array_equal(read_image(path), picture)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_off_jpeg_is_named(jpeg, share):
    data = jpeg.read_bytes()
    jpeg.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FrameError, match=r"0001C1T0001F001\.jpg is cut off"):
        read_image(jpeg)


def test_the_decoder_alone_would_not_notice(jpeg):
    # Why the end marker is looked at: when this fails, the check can go.
    data = jpeg.read_bytes()
    jpeg.write_bytes(data[:-10])
    assert cv2.imread(str(jpeg)) is not None


def test_a_cut_off_png_is_named(tmp_path, picture):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), picture)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FrameError, match=r"a\.png is cut off"):
        read_image(path)


def test_bytes_behind_the_end_do_no_harm(jpeg, picture):
    jpeg.write_bytes(jpeg.read_bytes() + b"\0" * 40)
    assert read_image(jpeg).shape == picture.shape


def test_the_end_of_a_thumbnail_is_not_the_end(jpeg):
    data = jpeg.read_bytes()
    thumbnail = b"\xff\xd8\xff\xda\x00\xff\xd9"
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    jpeg.write_bytes(data[:2] + segment + data[2:])
    assert read_image(jpeg).shape == (64, 32, 3)
    jpeg.write_bytes((data[:2] + segment + data[2:])[:-30])
    with pytest.raises(FrameError, match="cut off"):
        read_image(jpeg)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff\xd9"])
def test_what_is_no_image_is_named(tmp_path, content):
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(FrameError, match=r"x\.jpg is not a readable image"):
        read_image(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FrameError, match=r"nobody\.jpg cannot be read"):
        read_image(tmp_path / "nobody.jpg")
