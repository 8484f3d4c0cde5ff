"""Which videos are cut, with whose boxes, from which cameras."""

import configparser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from vidreid.data.tracks.names import folder_names
from vidreid.data.tracks.text_table import read_text_table
from vidreid.errors import DataError, MissingDataError

KEYS = ("video", "tracks", "camera", "sequence")


@dataclass(frozen=True)
class Source:
    """A video and its boxes.

    Attributes:
        name: What its tracklets are called after; unique among the sources that are cut together.
        video: A file, or a folder of frames.
        tracks: The boxes: see ``read_tracks``.
        camera: Name or number; ``None``: what the boxes say, or the source's name.
    """

    name: str
    video: Path
    tracks: Path
    camera: str | None

    def names_of_video(self) -> tuple[str, ...]:
        """Return how a file of boxes may name the video."""
        return (_plain_name(self.video), self.video.name, str(self.video))


def make_sources(rows: Sequence[Mapping[str, object]], folder: Path | None = None) -> list[Source]:
    """Turn rows of paths into sources; nothing is opened but the description of a sequence.

    Args:
        rows: Each with ``video`` and ``tracks``, or with ``sequence``, a folder of MOTChallenge (``img1``,
            ``gt/gt.txt`` or ``det/det.txt``, ``seqinfo.ini``), whose ``tracks`` may be given too; and perhaps
            ``camera``.
        folder: What relative paths start from.

    Raises:
        ValueError: If a row says too little, too much or the same as another.
        MissingDataError: If a sequence's folder is not there.
        DataError: If its description is damaged.
    """
    if not rows:
        raise ValueError("There is no video to cut: say video= and tracks=, or sequence=, or sources=.")
    sources = [_source(row, f"source {place}", folder or Path()) for place, row in enumerate(rows, start=1)]
    seen: set[Path] = set()
    for source in sources:
        # Its people would be cut twice.
        if source.video.resolve() in seen:
            raise ValueError(f"The video {source.video} is listed twice: remove one of its sources.")
        seen.add(source.video.resolve())
    names = folder_names([source.name for source in sources])
    return [
        Source(name, source.video, source.tracks, source.camera)
        for name, source in zip(names, sources, strict=True)
    ]


def read_sources(path: Path) -> list[Source]:
    """Read the sources that a file lists, whose relative paths start from its folder.

    Args:
        path: A YAML file (``.yaml``, ``.yml``) with a list of mappings, or a CSV file, of the keys that
            ``make_sources`` takes.

    Raises:
        ValueError: As ``make_sources``.
        MissingDataError: If there is no such file.
        DataError: If it is damaged.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        table = read_text_table(path)
        # An empty cell says nothing.
        rows = [
            {name: cell for name, cell in zip(table.header, row, strict=True) if cell} for row in table.rows
        ]
        return make_sources(rows, path.parent)
    try:
        listed = yaml.safe_load(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingDataError(f"There is no file {path}: check sources=.") from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path} is no readable YAML: correct it.") from error
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise DataError(
            f"{path} is no list of sources: write lines such as - {{video: a.mp4, tracks: a.txt}}."
        )
    return make_sources(listed, path.parent)


def _source(row: Mapping[str, object], where: str, folder: Path) -> Source:
    said = {key: str(value) for key, value in row.items() if value is not None}
    unknown = sorted(set(said) - set(KEYS))
    if unknown:
        raise ValueError(f"{where} says {unknown[0]!r}: choose among {', '.join(KEYS)}.")
    camera = said.get("camera") or None
    if "sequence" in said:
        if "video" in said:
            raise ValueError(
                f"{where} has a video and a sequence: a sequence brings its own video, drop one."
            )
        sequence = folder / said["sequence"]
        video = _frames_of(sequence)
        tracks = folder / said["tracks"] if "tracks" in said else _boxes_of(sequence)
        return Source(sequence.resolve().name, video, tracks, camera)
    lacking = [key for key in ("video", "tracks") if not said.get(key)]
    if lacking:
        raise ValueError(f"{where} lacks {' and '.join(lacking)}: say {', '.join(f'{k}=' for k in lacking)}.")
    video = folder / said["video"]
    return Source(_plain_name(video), video, folder / said["tracks"], camera)


def _plain_name(video: Path) -> str:
    """Return the name of a file without its ending, or of the folder above a folder ``img1``."""
    video = video.resolve()
    if video.is_dir():
        return video.parent.name if video.name == "img1" else video.name
    return video.stem


def _frames_of(sequence: Path) -> Path:
    if not sequence.is_dir():
        raise MissingDataError(
            f"There is no folder {sequence}: give the folder of a sequence, with img1 in it."
        )
    name = "img1"
    about = sequence / "seqinfo.ini"
    if about.is_file():
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(about.read_bytes().decode("utf-8-sig"))
            name = parser.get("Sequence", "imDir", fallback=name)
        except (configparser.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"{about} is damaged: copy it again, or remove it if the frames are in img1."
            ) from error
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
            raise DataError(
                f"{about} says imDir={name!r}, which is no folder below the sequence: correct it."
            )
    if not (sequence / name).is_dir():
        raise MissingDataError(f"{sequence} has no folder {name} with frames: unpack the images there.")
    return sequence / name


def _boxes_of(sequence: Path) -> Path:
    for name in ("gt/gt.txt", "det/det.txt"):
        if (sequence / name).is_file():
            return sequence / name
    raise MissingDataError(f"{sequence} has neither gt/gt.txt nor det/det.txt: say tracks=FILE.")
