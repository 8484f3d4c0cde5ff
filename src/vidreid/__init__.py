"""vidreid: video person re-identification with keypoints, on PyTorch Lightning and Hydra."""

import os

# albumentations asks its package registry for a newer version at import unless told otherwise.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

__version__ = "0.1.0"
