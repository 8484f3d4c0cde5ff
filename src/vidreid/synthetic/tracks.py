"""One tracklet: a walk through a scene, seen through a drifting box."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vidreid.synthetic.body import Build, build_of, place, pose
from vidreid.synthetic.boxes import observed_boxes, true_boxes
from vidreid.synthetic.camera import FRAME_HEIGHT, FRAME_SECONDS, FRAME_WIDTH, Camera, develop, draw_light
from vidreid.synthetic.clothes import Textures, dress
from vidreid.synthetic.identity import BAGS, HAIR_STYLES, HEMS, Identity, draw_identity
from vidreid.synthetic.observation import ABSENT, SELF_HIDDEN, VISIBLE, detect
from vidreid.synthetic.render import Canvas, Capsules, paint_walker, parts_of, project_walker
from vidreid.synthetic.scene import Scene, occluder_box
from vidreid.synthetic.wardrobe import Wardrobe

Floats = NDArray[np.float64]

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


@dataclass(frozen=True)
class Walk:
    """Where somebody walks: ``(F, 2)`` positions in m and ``(F,)`` headings in rad."""

    positions: Floats
    headings: Floats


@dataclass(frozen=True)
class Walker:
    """Somebody ready to be painted."""

    capsules: Capsules
    points: Floats
    depth: Floats
    textures: Textures


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
    walk = _draw_walk(rng, camera, scene, build, frames)
    target = _walker(rng, camera, wardrobe, identity, build, walk)
    people = [(target, 1)]
    companion = _draw_companion(rng, camera, wardrobe, walk, build, frames)
    if companion is not None:
        people.append((companion, 2))
    second = None
    if switch_to is not None:
        second = _walker(rng, camera, wardrobe, switch_to, build_of(switch_to), walk)
    boxes = observed_boxes(rng, true_boxes(target.points), half_body=0.12)
    if kind == "partial":
        boxes = _part_boxes(rng, boxes)
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
        canvas = Canvas(_background(scene, origin, scale, rows, columns))
        alone = 0
        for walker, owner in people:
            paint_walker(canvas, walker.capsules, f, walker.textures, origin, scale, light.direction, owner)
            if owner == 1:
                alone = int((canvas.owner == 1).sum())
        for box, depth, texture in things:
            _paint_occluder(canvas, (box - np.tile(origin, 2)) * scale, depth, texture)
        left = int((canvas.owner == 1).sum())
        others = int((canvas.owner == 2).sum())
        visible[f] = left / max(alone, 1) * _inside(target.points[f], boxes[f])
        overlap[f] = others / max(others + left, 1)
        size = np.array([width / boxes[f, 2], height / boxes[f, 3]])
        if kind != "false":
            true[f] = _joints(canvas, target, f, origin, scale, size, owner=1)
        if companion is not None:
            other[f] = _joints(canvas, companion, f, origin, scale, size, owner=2)
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


def _draw_walk(rng: Generator, camera: Camera, scene: Scene, build: Build, frames: int) -> Walk:
    heading = float(rng.choice(camera.headings)) + camera.spread * rng.standard_normal()
    turn = 0.12 * rng.standard_normal()
    time = FRAME_SECONDS * (np.arange(frames) - (frames - 1) / 2)
    headings = (heading + turn * time).astype(np.float64)
    step = build.speed * FRAME_SECONDS * np.stack([np.cos(headings), np.sin(headings)], 1)
    path = np.cumsum(step, 0)
    path -= path[frames // 2]
    y = rng.uniform(camera.near, camera.far)
    half = 0.75 * y * FRAME_WIDTH / 2 / camera.focal
    x = rng.uniform(-half, half)
    if rng.random() < 0.35 and scene.occluders:
        thing = scene.occluders[int(rng.integers(len(scene.occluders)))]
        y = thing.y + rng.uniform(0.6, 2.5)
        # Behind what is wide and low anywhere, behind what is narrow and high at its edge.
        beside = rng.choice((-1, 1)) * (rng.uniform(0, 0.5) if thing.width > 1 else rng.uniform(0.35, 1.1))
        x = (thing.x + thing.width * beside) * y / thing.y
    positions = path + np.array([x, y])
    positions[:, 1] += max(0.0, 4.8 - positions[:, 1].min())
    limit = 0.8 * positions[:, 1].mean() * FRAME_WIDTH / 2 / camera.focal
    centre = positions[:, 0].mean()
    positions[:, 0] += np.clip(centre, -limit, limit) - centre
    return Walk(positions, headings)


def _draw_companion(
    rng: Generator, camera: Camera, wardrobe: Wardrobe, walk: Walk, build: Build, frames: int
) -> Walker | None:
    draw = rng.random()
    if draw > 0.45:
        return None
    identity = draw_identity(rng, wardrobe)
    body = build_of(identity)
    middle = walk.positions[frames // 2]
    if draw < 0.15:
        # Walks along, half a metre beside.
        side = rng.choice((-1, 1)) * rng.uniform(0.35, 0.7)
        offset = side * np.stack([-np.sin(walk.headings), np.cos(walk.headings)], 1)
        offset = offset + rng.uniform(-0.3, 0.3) * np.stack([np.cos(walk.headings), np.sin(walk.headings)], 1)
        body = replace(body, frequency=build.speed / body.stride)
        other = Walk(walk.positions + offset, walk.headings)
    else:
        # Crosses the line of sight, mostly in front.
        heading = rng.choice((0.0, np.pi)) + 0.5 * rng.standard_normal()
        time = FRAME_SECONDS * (np.arange(frames) - frames * rng.uniform(0.15, 0.85))
        y = middle[1] + rng.choice((-1, -1, 1)) * rng.uniform(0.5, 1.6)
        x = middle[0] * y / middle[1]
        way = body.speed * time[:, None] * np.array([[np.cos(heading), np.sin(heading)]])
        positions = way + np.array([x, max(y, 3.5)])
        positions[:, 1] = np.maximum(positions[:, 1], 3.2)
        other = Walk(positions.astype(np.float64), np.full(frames, heading, np.float64))
    return _walker(rng, camera, wardrobe, identity, body, other)


def _walker(
    rng: Generator, camera: Camera, wardrobe: Wardrobe, identity: Identity, build: Build, walk: Walk
) -> Walker:
    step = 2 * np.pi * build.frequency * FRAME_SECONDS
    phase = rng.uniform(0, 2 * np.pi) + step * np.arange(len(walk.headings), dtype=np.float64)
    world = place(pose(build, phase), walk.positions, walk.headings)
    parts = parts_of(
        HAIR_STYLES[identity.hair_style] == "long", HEMS[identity.hem] == "skirt", BAGS[identity.bag]
    )
    capsules = project_walker(parts, world, walk.headings, build, camera)
    points, depth = camera.project(world)
    return Walker(capsules, points, depth, dress(identity, wardrobe, rng))


def _part_boxes(rng: Generator, boxes: Floats) -> Floats:
    """Shrink boxes to a part of the body."""
    share = rng.uniform(0.28, 0.5)
    where = rng.uniform(-0.45, 0.45, 2)
    centre = boxes[:, :2] + boxes[:, 2:] / 2 + where * boxes[:, 2:]
    size = share * boxes[:, 2:]
    return np.concatenate([centre - size / 2, size], 1)


def _background(scene: Scene, origin: Floats, scale: float, rows: int, columns: int) -> NDArray[np.float32]:
    matrix = np.array(
        [[1 / scale, 0, origin[0] - 0.5 + 0.5 / scale], [0, 1 / scale, origin[1] - 0.5 + 0.5 / scale]]
    )
    return cv2.warpAffine(
        scene.background,
        matrix,
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    ).astype(np.float32)


def _paint_occluder(canvas: Canvas, box: Floats, depth: float, texture: NDArray[np.float32]) -> None:
    height, width = canvas.depth.shape
    left, top, right, bottom = box
    x0, x1 = max(int(np.ceil(left)), 0), min(int(np.floor(right)), width)
    y0, y1 = max(int(np.ceil(top)), 0), min(int(np.floor(bottom)), height)
    if x0 >= x1 or y0 >= y1:
        return
    columns = ((np.arange(x0, x1) + 0.5 - left) / (right - left) * texture.shape[1]).astype(int)
    rows = ((np.arange(y0, y1) + 0.5 - top) / (bottom - top) * texture.shape[0]).astype(int)
    columns, rows = columns.clip(0, texture.shape[1] - 1), rows.clip(0, texture.shape[0] - 1)
    patch = texture[rows[:, None], columns[None, :]]
    window = (slice(y0, y1), slice(x0, x1))
    cover = (canvas.depth[window] > depth) & (patch[..., 3] > 0.5)
    canvas.pixels[window][cover] = patch[..., :3][cover]
    canvas.depth[window][cover] = depth
    canvas.owner[window][cover] = 3


def _inside(points: Floats, box: Floats) -> float:
    """Return the share of the body's points that lie in the box and in the camera's frame."""
    low, high = box[:2], box[:2] + box[2:]
    inside = ((points >= low) & (points <= high)).all(-1)
    inside &= (points[:, 0] >= 0) & (points[:, 0] <= FRAME_WIDTH)
    inside &= (points[:, 1] >= 0) & (points[:, 1] <= FRAME_HEIGHT)
    return float(inside.mean())


def _joints(
    canvas: Canvas, walker: Walker, frame: int, origin: Floats, scale: float, size: Floats, owner: int
) -> Floats:
    """Return ``(17, 3)`` joints in pixels of the crop with their visibility."""
    points = walker.points[frame, :17]
    depth = walker.depth[frame, :17]
    place = np.floor((points - origin) * scale).astype(int)
    height, width = canvas.depth.shape
    inside = (place >= 0).all(-1) & (place[:, 0] < width) & (place[:, 1] < height)
    column, row = place[:, 0].clip(0, width - 1), place[:, 1].clip(0, height - 1)
    front = depth - canvas.depth[row, column]
    # A joint lies inside its limb: it is seen if nothing is much nearer than the limb's own surface.
    tolerance = np.array(
        [0.10] * 5 + [0.16, 0.16, 0.11, 0.11, 0.10, 0.10, 0.20, 0.20, 0.13, 0.13, 0.11, 0.11]
    )
    mine = inside & (canvas.owner[row, column] == owner)
    confidence = np.where(mine, np.where(front < tolerance, VISIBLE, SELF_HIDDEN), ABSENT)
    return np.concatenate([(points - origin) * size, confidence[:, None]], 1)
