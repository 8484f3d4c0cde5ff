"""One tracklet: a walk through a scene, seen through a drifting box."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vidreid.synthetic.body import build_of
from vidreid.synthetic.boxes import observed_boxes, part_boxes, true_boxes
from vidreid.synthetic.camera import Camera, develop, draw_light
from vidreid.synthetic.identity import Identity
from vidreid.synthetic.observation import detect
from vidreid.synthetic.painter import Canvas, paint_occluder, paint_walker, view_background
from vidreid.synthetic.scene import Scene, occluder_box
from vidreid.synthetic.visibility import seen_joints, share_inside
from vidreid.synthetic.walks import draw_companion, draw_walk, make_walker
from vidreid.synthetic.wardrobe import Wardrobe

SUPERSAMPLING = 1.5


class Track(NamedTuple):
    """A rendered tracklet.

    Attributes:
        images: JPEG files.
        true: ``(F, 17, 3)`` float32 exact joints in pixels of the crop; confidence 1 seen, 0.5 hidden by the
            own body, 0 hidden by something else or outside.
        detector: ``(F, 17, 3)`` float32 joints as an estimator would give them.
        visible: ``(F,)`` float32 share of the body that is inside the crop and not covered.
        person: ``(F, H, W)`` bool pixels of the target, or ``None`` if not asked for.
        pixels: ``(F, H, W, 3)`` uint8 BGR before compression, or ``None`` if not asked for.
    """

    images: list[bytes]
    true: NDArray[np.float32]
    detector: NDArray[np.float32]
    visible: NDArray[np.float32]
    person: NDArray[np.bool_] | None
    pixels: NDArray[np.uint8] | None


def render_track(
    rng: Generator,
    camera: Camera,
    scene: Scene,
    wardrobe: Wardrobe,
    identity: Identity,
    frames: int,
    kind: str = "person",
    switch_to: Identity | None = None,
    height: int = 128,
    keep_pixels: bool = False,
) -> Track:
    """Render a tracklet.

    Args:
        rng: Source of all randomness of this tracklet.
        camera: Who looks.
        scene: Where.
        wardrobe: The clothes that identities point to.
        identity: Who walks.
        frames: Number of frames.
        kind: ``person``; ``partial`` for a box that holds a part of the body only; ``false`` for a box
            without anybody.
        switch_to: Who takes the track over half-way (an identity switch of the tracker).
        height: Rows of the crops; they are half as wide.
        keep_pixels: Also return the uncompressed pixels and the mask of the target.
    """
    width = height // 2
    light = draw_light(rng)
    build = build_of(identity)
    walk = draw_walk(rng, camera, scene, build, frames)
    target = make_walker(rng, camera, wardrobe, identity, build, walk)
    people = [(target, 1)]
    companion = draw_companion(rng, camera, wardrobe, walk, build, frames)
    if companion is not None:
        people.append((companion, 2))
    second = None
    if switch_to is not None:
        second = make_walker(rng, camera, wardrobe, switch_to, build_of(switch_to), walk)
    boxes = observed_boxes(rng, true_boxes(target.points), half_body=0.12)
    if kind == "partial":
        boxes = part_boxes(rng, boxes)
    elif kind == "false":
        boxes[:, :2] += rng.uniform((-3.0, -0.6), (3.0, 0.2)) * boxes[:, 2:]
        people = people[1:]
    things = [(*occluder_box(o, camera), o.texture) for o in scene.occluders]

    images, masks, raw = [], [], []
    true, other = np.zeros((frames, 17, 3)), np.zeros((frames, 17, 3))
    visible, overlap = np.zeros(frames), np.zeros(frames)
    for f in range(frames):
        if second is not None and f == frames // 2:
            target = second
            people[0] = (second, 1)
        rows = round(SUPERSAMPLING * height)
        scale = rows / boxes[f, 3]
        columns = max(round(boxes[f, 2] * scale), 8)
        origin = boxes[f, :2]
        canvas = Canvas(view_background(scene, origin, scale, rows, columns))
        alone = 0
        for walker, owner in people:
            paint_walker(canvas, walker.capsules, f, walker.textures, origin, scale, light.direction, owner)
            if owner == 1:
                alone = int((canvas.owner == 1).sum())
        for box, depth, texture in things:
            paint_occluder(canvas, (box - np.tile(origin, 2)) * scale, depth, texture)
        left = int((canvas.owner == 1).sum())
        others = int((canvas.owner == 2).sum())
        visible[f] = left / max(alone, 1) * share_inside(target.points[f], boxes[f])
        overlap[f] = others / max(others + left, 1)
        size = np.array([width / boxes[f, 2], height / boxes[f, 3]])
        if kind != "false":
            true[f] = seen_joints(canvas, target, f, origin, scale, size, owner=1)
        if companion is not None:
            other[f] = seen_joints(canvas, companion, f, origin, scale, size, owner=2)
        small = cv2.resize(canvas.pixels, (width, height), interpolation=cv2.INTER_AREA)
        sigma = camera.blur * height / 128 * max(1.0, 0.7 * height / boxes[f, 3])
        picture = cv2.GaussianBlur(small, (0, 0), sigma).astype(np.float32, copy=False)
        picture = develop(picture, camera, light, f / max(frames - 1, 1), origin + boxes[f, 2:] / 2, rng)
        _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, camera.quality))
        images.append(data.tobytes())
        if keep_pixels:
            masks.append(cv2.resize((canvas.owner == 1).astype(np.float32), (width, height)) > 0.5)
            raw.append(picture)
    return Track(
        images=images,
        true=true.astype(np.float32),
        detector=detect(rng, true, other if companion is not None else None, overlap, height, width),
        visible=visible.astype(np.float32),
        person=np.stack(masks) if keep_pixels else None,
        pixels=np.stack(raw) if keep_pixels else None,
    )
