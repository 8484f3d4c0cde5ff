"""Tiny writers of pose tools' formats, each from the format's description, and poses to write."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidreid.keypoints.poses import Pose
from vidreid.keypoints.skeleton import COCO17
from vidreid.keypoints.tool_skeletons import ALL_SKELETONS

SIZE = (256, 128)
"""Height and width of every image."""

Images = dict[str, list[Pose]]


def some_poses(
    joints: int = 17, box: bool = True, score: bool = True, track: bool = False, confidence: bool = True
) -> st.SearchStrategy[Pose]:
    """People with at least one joint there; coordinates in hundredths, confidences in 16ths."""
    hundredths = st.integers(0, 12_800).map(lambda number: number / 100)
    sixteenths = st.integers(0, 16).map(lambda number: number / 16) if confidence else st.sampled_from([0, 1])

    def build(numbers, marks, where, how_sure, who):
        keypoints = np.concatenate([numbers, marks[:, None]], axis=1)
        if not marks.any():
            keypoints[0] = 3.5, 4.25, 1
        keypoints[keypoints[:, 2] == 0] = 0
        return Pose(keypoints, box=where, score=how_sure, track=who)

    side = st.integers(1, 12_800).map(lambda number: number / 100)
    return st.builds(
        build,
        hnp.arrays(np.float64, (joints, 2), elements=hundredths.map(lambda number: number + 0.01)),
        hnp.arrays(np.float64, joints, elements=sixteenths),
        st.tuples(hundredths, hundredths, side, side) if box else st.none(),
        st.integers(0, 48).map(lambda number: number / 16) if score else st.none(),
        st.integers(0, 2**40) if track else st.none(),
    )


def some_images(poses: st.SearchStrategy[Pose], fewest: int = 0, most: int = 3) -> st.SearchStrategy[Images]:
    """One to four images in two folders, with people."""
    names = st.sampled_from(
        [
            "0001/0001C1T0001F001.jpg",
            "0001/0001C1T0001F002.jpg",
            "0002/0002C1T0001F001.jpg",
            "0002/x.y.png",
        ]
    )
    return st.dictionaries(names, st.lists(poses, min_size=fewest, max_size=most), min_size=1, max_size=4)


def flat(pose: Pose) -> list[float]:
    return pose.keypoints.reshape(-1).tolist()


def write_alphapose(folder: Path, images: Images) -> Path:
    entries = [
        {"image_id": name, "category_id": 1, "keypoints": flat(pose), "score": pose.score, "box": pose.box,
         "idx": [pose.track]}
        for name, people in images.items() for pose in people
    ]  # fmt: skip
    return _json(folder / "alphapose-results.json", entries)


def write_alphapose_grouped(folder: Path, images: Images, group: str, key: str) -> Path:
    grouped = {
        name: {"version": "x", group: [{key: flat(pose)} for pose in people]}
        for name, people in images.items()
        if people
    }
    return _json(folder / "alphapose-results.json", grouped)


def write_coco_results(folder: Path, images: Images) -> Path:
    """The list and the ground truth with its images, in one folder."""
    truth = {"images": [{"id": n, "file_name": name} for n, name in enumerate(images)], "annotations": []}
    _json(folder / "truth.json", truth)
    entries = [
        {"image_id": n, "category_id": 1, "keypoints": flat(pose), "score": pose.score, "bbox": pose.box}
        for n, people in enumerate(images.values())
        for pose in people
    ]
    return _json(folder / "results.json", entries).parent


def write_posetrack(folder: Path, images: Images) -> Path:
    """One file for each folder of images, as if it were a video."""
    names = ["head_bottom" if name == "neck" else name for name in ALL_SKELETONS["posetrack17"].names]
    for video in {name.split("/")[0] for name in images}:
        own = {name: people for name, people in images.items() if name.startswith(video)}
        content = {
            "images": [{"id": n, "file_name": f"images/val/{name}"} for n, name in enumerate(own)],
            "annotations": [
                {"image_id": n, "keypoints": flat(pose), "bbox": pose.box, "scores": [], "track_id": 7,
                 "person_id": pose.track, "category_id": 1}
                for n, people in enumerate(own.values()) for pose in people
            ],
            "categories": [{"id": 1, "name": "person", "keypoints": names}],
        }  # fmt: skip
        _json(folder / f"{video}.json", content)
    return folder


def write_mmpose(folder: Path, images: Images) -> Path:
    for name, people in images.items():
        content = {
            "meta_info": {"keypoint_id2name": dict(enumerate(COCO17.names))},
            "instance_info": [mmpose_instance(pose) for pose in people],
        }
        _json(folder / name.rpartition("/")[0] / f"results_{Path(name).stem}.json", content)
    return folder


def mmpose_instance(pose: Pose) -> dict:
    x, y, width, height = pose.box
    return {
        "keypoints": pose.keypoints[:, :2].tolist(),
        "keypoint_scores": pose.keypoints[:, 2].tolist(),
        "bbox": [[x, y, x + width, y + height]],
        "bbox_score": pose.score,
    }


def write_ultralytics(folder: Path, images: Images) -> Path:
    height, width = SIZE
    for name, people in images.items():
        lines = []
        for pose in people:
            x, y, w, h = pose.box
            joints = (pose.keypoints / [width, height, 1]).reshape(-1).tolist()
            box = [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]
            lines.append(" ".join(map(repr, [0, *box, *joints, pose.score / 4, pose.track])))
        file = folder / name.rpartition("/")[0] / f"{Path(name).stem}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines))
    return folder


def write_kpr(folder: Path, images: Images) -> Path:
    for name, people in images.items():
        skeletons = [
            {"keypoints": pose.keypoints.tolist(), "is_target": n == 0} for n, pose in enumerate(people)
        ]
        _json(folder / name.rpartition("/")[0] / f"{Path(name).stem}.json", skeletons)
    return folder


def write_pose_text(folder: Path, images: Images) -> Path:
    for name, people in images.items():
        file = folder / name.rpartition("/")[0] / f"{Path(name).stem}.pose"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(people[0].keypoints.tolist()))
    return folder


def write_csv(folder: Path, images: Images) -> Path:
    path = folder / "poses.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", *(f"{axis}{joint}" for joint in range(17) for axis in "xyc")])
        for name, people in images.items():
            rows.writerows([name, *flat(pose)] for pose in people)
    return path


WRITERS: dict[str, Callable[[Path, Images], Path]] = {
    "alphapose": write_alphapose,
    "coco_results": write_coco_results,
    "posetrack": write_posetrack,
    "mmpose": write_mmpose,
    "ultralytics": write_ultralytics,
    "kpr": write_kpr,
    "pose": write_pose_text,
    "csv": write_csv,
}


def _json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
