"""PoseTrack's annotations: a JSON file a video in COCO's form, with other joints and with tracks."""

from pathlib import Path

from vidreid.errors import DataError
from vidreid.keypoints.formats.coco import Dialect, open_annotations
from vidreid.keypoints.formats.listed_people import Missing
from vidreid.keypoints.poses import PoseSource

_POSETRACK = Dialect("posetrack17", scores="scores", tracks=("person_id", "track_id"))


def open_posetrack(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a folder of JSON files, one a video, or one of them.

    The joints are those that the categories name, which ``posetrack17`` is where they do not. The third
    number of a joint is 0 or 1; ``scores``, where they are not empty, are confidences. The track of a person
    is the number within the data set where there is one (PoseTrack21's ``person_id``), else that within the
    video.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no JSON file: name the folder with the annotations of the videos.")
    return open_annotations(files, missing, skeleton, _POSETRACK, str(path))
