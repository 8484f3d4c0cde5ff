"""Who is on a track."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vidreid.data.tracks.text_table import read_text_table
from vidreid.errors import DataError

TRACKS = "tracks"
"""The setting that takes the track's id for the person."""

_Key = tuple[str, str | None, str]


@dataclass
class Persons:
    """What tells the person of a track: nothing, its id, or a file.

    Attributes:
        by_track: Whether the id is the person, which is right only where ids are the same in all videos.
        listed: Person by camera, video (or ``None``) and track.
        path: The file of ``listed``.
    """

    by_track: bool = False
    listed: Mapping[_Key, str] = field(default_factory=dict)
    path: Path | None = None
    _used: set[_Key] = field(default_factory=set)

    def of(self, camera: str, video: str, track: str, told: str) -> str:
        """Return the person of a track.

        Args:
            camera: Where it was seen.
            video: The source's name.
            track: Its id.
            told: What the file of boxes says.

        Returns:
            Text, empty for unknown.
        """
        if self.by_track:
            return track
        for key in ((camera, video, track), (camera, None, track)):
            if key in self.listed:
                self._used.add(key)
                return self.listed[key]
        return told

    def unused(self) -> str | None:
        """Return a sentence about the rows of the file that no track has needed, or ``None``.

        Raises:
            DataError: If no row has been.
        """
        rest = [key for key in self.listed if key not in self._used]
        if not rest:
            return None
        camera, _, track = rest[0]
        if not self._used:
            raise DataError(
                f"No row of {self.path} is of a track that is there; the first is camera {camera}, track "
                f"{track}: correct the columns camera and track."
            )
        return (
            f"{len(rest)} rows of {self.path} are of no track that is there; the first is camera {camera}, "
            f"track {track}."
        )


def read_persons(persons: str | None) -> Persons:
    """Understand the setting ``persons``.

    Args:
        persons: ``None``: what the boxes say, or unknown. ``tracks``: the id. Otherwise a CSV file with the
            columns ``camera``, ``track``, ``person`` and perhaps ``video``, where cameras have several.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is damaged or tells two people of one track.
    """
    if persons is None:
        return Persons()
    if persons == TRACKS:
        return Persons(by_track=True)
    path = Path(persons)
    if not path.is_file() and not path.suffix:
        raise ValueError(f"persons={persons!r} is unknown: choose null, {TRACKS} or a CSV file.")
    table = read_text_table(path)
    lacking = [name for name in ("camera", "track", "person") if not table.has(name)]
    if lacking:
        raise DataError(
            f"{path} has no column {', no column '.join(lacking)}: name its columns camera,track,person."
        )
    videos = [text or None for text in table.texts("video")] if table.has("video") else [None] * len(table)
    listed: dict[_Key, str] = {}
    keys = zip(table.texts("camera"), videos, table.texts("track"), strict=True)
    for row, (key, person) in enumerate(zip(keys, table.texts("person"), strict=True)):
        if listed.setdefault(key, person) != person:
            raise DataError(
                f"{table.where(row)} says that track {key[2]} of camera {key[0]} is {person!r}, an earlier "
                f"line {listed[key]!r}: remove one."
            )
    return Persons(listed=listed, path=path)
