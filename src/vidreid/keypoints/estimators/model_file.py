"""The file of a pose network: local, or downloaded once and checked."""

import hashlib
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import torch

from vidreid.errors import DataError, MissingDataError
from vidreid.files import write_whole


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_onnx(path: str | Path) -> bytes:
    """Return an ONNX model, from its own file or from an archive that holds one, as RTMPose's are.

    Args:
        path: ``.onnx``, or a ``.zip`` with one ``.onnx`` somewhere in it.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it cannot be read, or an archive holds no or several models.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(
            f"There is no model file {path}: fetch the ONNX archive of a network of 17 body joints, such as "
            "RTMPose-m 256x192 (Body8), from the model zoo of the RTMPose project in MMPose, and set "
            "estimator.model to it or to the end2end.onnx inside."
        )
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as archive:
            models = [name for name in archive.namelist() if name.endswith(".onnx")]
            if len(models) != 1:
                raise DataError(
                    f"{path} holds {len(models)} .onnx files instead of one: unpack it and name the model."
                )
            return archive.read(models[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise DataError(f"{path} cannot be unpacked ({error}): fetch it anew.") from error


def fetched(url: str, sha256: str | None) -> Path:
    """Return a file from the cache of torch.hub, downloaded if it is not there yet.

    Args:
        url: Where it is.
        sha256: Its checksum, all 64 digits.

    Raises:
        ValueError: If the checksum is missing or no checksum.
        ConnectionError: If the file cannot be had.
        DataError: If what came, or what lies in the cache, is another file.
    """
    if sha256 is None or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(
            "estimator.url needs estimator.sha256, the 64 digits of the file's SHA-256 checksum: without it "
            "nobody knows what was downloaded."
        )
    name = Path(unquote(urlsplit(url).path)).name or "model"
    file = Path(torch.hub.get_dir()) / "vidreid" / f"{sha256[:16]}-{name}"
    if not file.is_file():
        try:
            with write_whole(file) as temporary:
                torch.hub.download_url_to_file(url, str(temporary))
                _check(temporary, sha256, url)
        except DataError:
            raise
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"{url} cannot be downloaded ({error}): fetch it by hand and set estimator.model to the file."
            ) from error
    _check(file, sha256, str(file))
    return file


def _check(file: Path, sha256: str, source: str) -> None:
    found = file_sha256(file)
    if found != sha256:
        raise DataError(f"{source} has the SHA-256 checksum {found} instead of {sha256}: it is another file.")
