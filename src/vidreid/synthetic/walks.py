"""Who walks where: the target's path, and now and then somebody else's."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vidreid.synthetic.body import Build, build_of, place, pose
from vidreid.synthetic.camera import FRAME_SECONDS, FRAME_WIDTH, Camera
from vidreid.synthetic.capsules import Capsules, parts_of, project_walker
from vidreid.synthetic.clothes import Textures, dress
from vidreid.synthetic.identity import BAGS, HAIR_STYLES, HEMS, Identity, draw_identity
from vidreid.synthetic.scene import Scene
from vidreid.synthetic.wardrobe import Wardrobe

Floats = NDArray[np.float64]


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


def draw_walk(rng: Generator, camera: Camera, scene: Scene, build: Build, frames: int) -> Walk:
    """Draw a path: anywhere in the walking zone, or behind one of the things that stand there."""
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


def draw_companion(
    rng: Generator, camera: Camera, wardrobe: Wardrobe, walk: Walk, build: Build, frames: int
) -> Walker | None:
    """Draw somebody who walks along or crosses, or nobody."""
    draw = rng.random()
    if draw > 0.34:
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
    return make_walker(rng, camera, wardrobe, identity, body, other)


def make_walker(
    rng: Generator, camera: Camera, wardrobe: Wardrobe, identity: Identity, build: Build, walk: Walk
) -> Walker:
    """Dress somebody, let him walk and project him."""
    step = 2 * np.pi * build.frequency * FRAME_SECONDS
    phase = rng.uniform(0, 2 * np.pi) + step * np.arange(len(walk.headings), dtype=np.float64)
    world = place(pose(build, phase), walk.positions, walk.headings)
    parts = parts_of(
        HAIR_STYLES[identity.hair_style] == "long", HEMS[identity.hem] == "skirt", BAGS[identity.bag]
    )
    capsules = project_walker(parts, world, walk.headings, build, camera)
    points, depth = camera.project(world)
    return Walker(capsules, points, depth, dress(identity, wardrobe, rng))
