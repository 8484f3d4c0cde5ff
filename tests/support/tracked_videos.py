"""Small videos with one box of a known colour for each track and frame, and the MOT text that says where."""

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 120
GREY = 60

Row = tuple[int, int, int, int, int, int]
"""Frame, track, left, top, width, height."""


def rows_of(frames: int = 40) -> list[Row]:
    """Track 3 goes right along the top, track 11 left along the bottom but for the frames 10 to 14."""
    rows = [(frame, 3, 2 + 3 * frame % 120, 5, 20, 45) for frame in range(1, frames + 1)]
    return rows + [
        (frame, 11, 130 - 3 * frame % 120, 60, 25, 50)
        for frame in range(1, frames + 1)
        if not 10 <= frame < 15
    ]


def colour(frame: int, track: int) -> tuple[int, int, int]:
    """The blue, green and red of a box: different in every frame."""
    return (40 + 4 * frame, 230 - 5 * frame, 40 if track == 3 else 220)


def picture(rows: list[Row], frame: int) -> NDArray[np.uint8]:
    """Paint a frame."""
    image = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    for number, track, left, top, width, height in rows:
        if number == frame:
            image[top : top + height, left : left + width] = colour(frame, track)
    return image


def write_frames(folder: Path, rows: list[Row], frames: int = 40, first: int = 1) -> Path:
    """Write a folder of PNG files: exactly what was painted."""
    folder.mkdir(parents=True)
    for frame in range(1, frames + 1):
        cv2.imwrite(str(folder / f"{frame - 1 + first:06d}.png"), picture(rows, frame))
    return folder


def write_video(file: Path, rows: list[Row], frames: int = 40, codec: str = "mp4v") -> Path:
    """Write a video; with mp4v most frames are differences to the one before."""
    writer = cv2.VideoWriter(str(file), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 25, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for frame in range(1, frames + 1):
        writer.write(picture(rows, frame))
    writer.release()
    return file


def delay(file: Path, frame: int, milliseconds: int) -> None:
    """Show a frame of a Matroska file of MJPG, and those after it, later: a varying frame rate."""
    data = bytearray(file.read_bytes())
    # A block of a track: its length, the track's number, its time as 16 bits, its flags, and a JPEG.
    blocks = [
        match.start(1)
        for match in re.finditer(
            rb"\xa3(?:[\x80-\xff]|[\x40-\x7f].|[\x20-\x3f]..)\x81(..)\x80\xff\xd8", data, re.S
        )
    ]
    for place in blocks[frame - 1 :]:
        time = int.from_bytes(data[place : place + 2], "big") + milliseconds
        data[place : place + 2] = time.to_bytes(2, "big")
    file.write_bytes(data)


def write_mot(file: Path, rows: list[Row], ending: str = "1,-1,-1,-1") -> Path:
    """Write the rows as a tracker does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{','.join(map(str, row))},{ending}\n" for row in rows))
    return file


SOURCES: list[dict[str, object]] = [
    {"video": "street/img1", "tracks": "tracks.txt", "camera": 1},
    {"video": "yard.mp4", "tracks": "tracks.txt", "camera": "back yard"},
]
"""Of the next function, whose folder their paths start from."""


def write_street_and_yard(root: Path) -> Path:
    """Write a folder of frames and a video file with the same boxes."""
    write_frames(root / "street" / "img1", rows_of())
    write_video(root / "yard.mp4", rows_of())
    write_mot(root / "tracks.txt", rows_of())
    return root


def tree_of(folder: Path) -> dict[str, bytes]:
    """Return all files, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
