"""What a keypoint store says about how its keypoints were made."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidreid.keypoints.estimators.model_file import file_sha256

_WHERE = "device"
"""Where a network runs is no part of what it is."""


def describe_source(estimator: DictConfig, choose: str) -> str:
    """Return the settings of an estimator in a line, such as ``RTMPose(model=m.onnx 0f3a..., padding=1.25)``.

    A file is named without its folder and with the start of its SHA-256, so that it may move but not change.

    Args:
        estimator: Its settings, with ``_target_``.
        choose: Rule by which one of several people is taken.
    """
    name = str(estimator["_target_"]).rpartition(".")[2]
    told = [
        f"{key}={_told(value)}"
        for key, value in estimator.items()
        if key not in ("_target_", _WHERE) and value is not None
    ]
    return f"{name}({', '.join([*told, f'choose={choose}'])})"


def _told(value: Any) -> str:
    path = Path(str(value))
    if not isinstance(value, str) or not path.is_file():
        return str(value)
    return f"{path.name} {file_sha256(path)[:16]}"
