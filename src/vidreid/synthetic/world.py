"""The cameras and scenes of a seed, and any planned tracklet in them."""

from functools import lru_cache

import numpy as np

from vidreid.synthetic.camera import Camera, make_cameras
from vidreid.synthetic.plan import SPLITS, PlannedTrack, SplitPlan
from vidreid.synthetic.scene import Scene, make_scene
from vidreid.synthetic.tracks import Track, render_track


@lru_cache(maxsize=4)
def cameras_of(seed: int) -> list[Camera]:
    """Return the six cameras of a seed."""
    return make_cameras(np.random.default_rng([seed, 2]))


@lru_cache(maxsize=32)
def scene_of(seed: int, camera: int, scene: int) -> Scene:
    """Return a background of a camera."""
    return make_scene(np.random.default_rng([seed, 3, camera, scene]), cameras_of(seed)[camera - 1])


def render_planned(
    seed: int, track: PlannedTrack, plan: SplitPlan, height: int, keep_pixels: bool = False
) -> Track:
    """Render one tracklet of a plan; its randomness depends on nothing but its own name and the seed."""
    key = [seed, 4, SPLITS.index(track.split), track.pid + 1, track.camera, track.tracklet]
    return render_track(
        np.random.default_rng(key),
        cameras_of(plan.world)[track.camera - 1],
        scene_of(plan.world, track.camera, track.scene),
        plan.wardrobe,
        track.identity,
        track.frames,
        track.kind,
        track.switch_to,
        height,
        keep_pixels,
    )
