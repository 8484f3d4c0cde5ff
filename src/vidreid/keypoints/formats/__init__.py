"""Files of pose tools: a reader a format, each a ``PoseSource``, and two writers."""

from vidreid.keypoints.formats.opening import FORMATS, open_pose_files

__all__ = ["FORMATS", "open_pose_files"]
