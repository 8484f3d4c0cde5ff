"""How much of the people a keypoint store covers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.layouts import Layout, select_joints
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.keypoints.store import KeypointStore

_AT_ONCE = 65536


def own_joints(layout: Layout) -> str:
    """Return the name of the skeleton that has the joints of a layout, and no others."""
    return "coco17" if layout == "coco17" else "posetrack15"


@dataclass(frozen=True)
class Coverage:
    """What of a store is there.

    Attributes:
        joints: ``(N,)`` joints found in each frame.
        found: Share of the frames with any joint.
        confidence: Mean over the joints that were found, 0 where none was.
        missing: Share of the frames with somebody in which a joint is missing, by the joint's name.
    """

    joints: NDArray[np.int64]
    found: float
    confidence: float
    missing: dict[str, float]

    @classmethod
    def of(cls, store: KeypointStore) -> "Coverage":
        """Read a store through, a block at a time."""
        skeleton = SKELETONS[name := own_joints(store.layout)]
        joints, there, total = np.zeros(len(store), np.int64), np.zeros(len(skeleton), np.int64), 0.0
        for start in range(0, len(store), _AT_ONCE):
            block = select_joints(store[start : start + _AT_ONCE], name, store.layout)
            confidence = block[..., 2].astype(np.float64)
            joints[start : start + _AT_ONCE] = (confidence > 0).sum(axis=1)
            there += (confidence > 0).sum(axis=0)
            total += float(confidence.sum())
        people = int((joints > 0).sum())
        missing = 1 - there / max(people, 1) if people else np.ones(len(skeleton))
        return cls(
            joints,
            found=people / max(len(store), 1),
            confidence=total / max(int(there.sum()), 1),
            missing=dict(zip(skeleton.names, missing.tolist(), strict=True)),
        )

    def sentence(self) -> str:
        """Return frames, people, confidence and missing joints in a line."""
        worst = max(self.missing, key=lambda name: self.missing[name])
        mean = sum(self.missing.values()) / len(self.missing)
        return (
            f"{len(self.joints):,} frames, somebody found in {self.found:.1%}, mean confidence "
            f"{self.confidence:.2f}, joints missing {mean:.1%} (most: {worst}, {self.missing[worst]:.1%})"
        )
