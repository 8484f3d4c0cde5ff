"""The real metadata of MARS as a tree without images: names follow from the tracklets."""

from pathlib import Path

from vidreid.data.mars_format import frame_name, read_info, write_info


def write_real_mars(folder: Path, shared_data: Path) -> None:
    """Write the ``info`` folder of MARS, with the name lists that it is distributed without."""
    info = read_info(shared_data / "mars_info")
    train, test = _names(info.train_rows), _names(info.test_rows)
    write_info(folder, train, test, info.train_rows, info.test_rows, info.query + 1)


def _names(rows):
    """Tracklet numbers restart for each person; frames count from 1."""
    names, numbers = [], {}
    for first, last, pid, camera in rows.tolist():
        number = numbers[pid] = numbers.get(pid, 0) + 1
        stem = frame_name(pid, camera, number, 0)[:12]
        names += [f"{stem}{frame:03d}.jpg" for frame in range(1, last - first + 2)]
    return names
