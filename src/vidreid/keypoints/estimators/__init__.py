"""Networks that find people's joints: each is a ``PoseEstimator``."""
