"""Model files: plain, in their archive, downloaded."""

import hashlib
import zipfile
from pathlib import Path

import pytest
import torch

from vidreid.errors import DataError
from vidreid.keypoints.estimators.model_file import fetched, file_sha256, read_onnx


def archive(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(f"export/{name}.onnx", content)
        opened.writestr("export/pipeline.json", "{}")
    return path


def test_the_archive_of_a_model_is_read(tmp_path: Path) -> None:
    assert read_onnx(archive(tmp_path / "m.zip", end2end=b"model")) == b"model"
    with pytest.raises(DataError, match=r"holds 2 .onnx files instead of one"):
        read_onnx(archive(tmp_path / "two.zip", a=b"1", b=b"2"))
    with pytest.raises(DataError, match=r"holds 0 .onnx files"):
        read_onnx(archive(tmp_path / "none.zip"))


def test_a_damaged_archive_is_said(tmp_path: Path) -> None:
    file = archive(tmp_path / "m.zip", end2end=b"model" * 100)
    content = bytearray(file.read_bytes())
    content[60:80] = b"x" * 20
    file.write_bytes(content)
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_onnx(file)


def test_a_download_happens_once_and_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    there = tmp_path / "m.onnx"
    there.write_bytes(b"model")
    sha256 = hashlib.sha256(b"model").hexdigest()
    file = fetched(there.as_uri(), sha256)
    assert file.read_bytes() == b"model"
    assert file.name.endswith("-m.onnx")
    assert file_sha256(file) == sha256
    there.unlink()
    assert fetched(there.as_uri(), sha256) == file
    file.write_bytes(b"another")
    with pytest.raises(DataError, match="it is another file"):
        fetched(there.as_uri(), sha256)


def test_what_a_download_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    there = tmp_path / "m.onnx"
    there.write_bytes(b"model")
    wrong = "0" * 64
    with pytest.raises(DataError, match=f"instead of {wrong}"):
        fetched(there.as_uri(), wrong)
    assert not [path for path in (tmp_path / "hub").rglob("*") if path.is_file()]
    with pytest.raises(ValueError, match=r"estimator.url needs estimator.sha256"):
        fetched(there.as_uri(), None)
    with pytest.raises(ConnectionError, match="cannot be downloaded"):
        fetched((tmp_path / "gone.onnx").as_uri(), wrong)
    with pytest.raises(ConnectionError, match="cannot be downloaded"):
        fetched("no url", wrong)
