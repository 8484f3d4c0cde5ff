"""Bodies as tapered capsules with elliptical cross-sections, projected into a camera."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.synthetic.body import POINT, Build
from vidreid.synthetic.camera import Camera

Floats = NDArray[np.float64]


# Part, upper point, lower point, half widths across at both ends, half depths, height of the end caps as a
# share of the radius. Radii in m for girth 1.
_PARTS = (
    ("head", "crown", "chin", 0.078, 0.060, 0.098, 0.082, 0.65, 0.5),
    ("neck", "chin", "neck", 0.055, 0.060, 0.055, 0.060, 1.0, 1.0),
    ("chest", "chest_top", "waist", 0.175, 0.150, 0.105, 0.110, 0.32, 0.3),
    ("pelvis", "waist", "crotch", 0.150, 0.165, 0.110, 0.120, 0.4, 0.5),
    ("upper_arm", "left_shoulder", "left_elbow", 0.056, 0.044, 0.056, 0.044, 1.0, 1.0),
    ("upper_arm", "right_shoulder", "right_elbow", 0.056, 0.044, 0.056, 0.044, 1.0, 1.0),
    ("forearm", "left_elbow", "left_wrist", 0.043, 0.032, 0.043, 0.032, 1.0, 1.0),
    ("forearm", "right_elbow", "right_wrist", 0.043, 0.032, 0.043, 0.032, 1.0, 1.0),
    ("hand", "left_wrist", "left_hand", 0.032, 0.028, 0.032, 0.028, 1.0, 1.0),
    ("hand", "right_wrist", "right_hand", 0.032, 0.028, 0.032, 0.028, 1.0, 1.0),
    ("thigh", "left_hip", "left_knee", 0.088, 0.060, 0.090, 0.062, 1.0, 1.0),
    ("thigh", "right_hip", "right_knee", 0.088, 0.060, 0.090, 0.062, 1.0, 1.0),
    ("shin", "left_knee", "left_ankle", 0.060, 0.042, 0.062, 0.042, 1.0, 1.0),
    ("shin", "right_knee", "right_ankle", 0.060, 0.042, 0.062, 0.042, 1.0, 1.0),
    ("foot", "left_heel", "left_toe", 0.045, 0.040, 0.045, 0.036, 1.0, 1.0),
    ("foot", "right_heel", "right_toe", 0.045, 0.040, 0.045, 0.036, 1.0, 1.0),
)
_HAIR = ("hair", "chin", "nape", 0.085, 0.075, 0.045, 0.040, 1.0, 0.6)
_SKIRT = ("skirt", "waist", "hem", 0.150, 0.235, 0.115, 0.225, 0.3, 0.15)
_PACK = ("bag", "pack_top", "pack_bottom", 0.135, 0.155, 0.085, 0.100, 0.5, 0.5)
_LEFT_BAG = ("bag", "left_bag_top", "left_bag", 0.070, 0.080, 0.115, 0.125, 0.5, 0.5)
_RIGHT_BAG = ("bag", "right_bag_top", "right_bag", 0.070, 0.080, 0.115, 0.125, 0.5, 0.5)

Part = tuple[str, str, str, float, float, float, float, float, float]


def parts_of(hair_long: bool, skirt: bool, bag: str) -> tuple[Part, ...]:
    """List the parts of a body with what hangs on it."""
    parts: tuple[Part, ...] = _PARTS
    if hair_long:
        parts += (_HAIR,)
    if skirt:
        parts += (_SKIRT,)
    if bag != "none":
        parts += ({"backpack": _PACK, "left": _LEFT_BAG, "right": _RIGHT_BAG}[bag],)
    return parts


@dataclass(frozen=True)
class Capsules:
    """All parts of a walker in all frames, projected into the camera's frame.

    Shapes are ``(F, P, ...)``: ``ends`` (2 points, x and y in pixels), ``depth`` (2, in m), ``radius`` (2, in
    pixels), ``bulge`` (in m), ``azimuth`` and ``turn``: texture angle = azimuth + turn * arccos(offset),
    ``normal`` (2) the unit vector in the image along which the offset grows.
    """

    parts: tuple[Part, ...]
    ends: Floats
    depth: Floats
    radius: Floats
    bulge: Floats
    azimuth: Floats
    turn: Floats
    normal: Floats


def project_walker(
    parts: tuple[Part, ...], points: Floats, headings: Floats, build: Build, camera: Camera
) -> Capsules:
    """Project the parts of a walker.

    An elliptical cross-section with half axes a (across) and b (forwards) is seen at the angle beta with the
    half width R = sqrt(a^2 cos^2 beta + b^2 sin^2 beta); a surface point at the lateral offset s R has the
    ellipse parameter t0 +- arccos(s) with t0 = atan2(b sin beta, a cos beta).

    Args:
        parts: The parts, ``P`` of them.
        points: ``(F, n, 3)`` skeleton in the world.
        headings: ``(F,)`` walking directions in rad.
        build: Girth and shoulders.
        camera: Where to project.
    """
    upper = points[:, [POINT[p[1]] for p in parts]]
    lower = points[:, [POINT[p[2]] for p in parts]]
    sizes = np.array([p[3:7] for p in parts])
    factors = np.array([_factor(p[0], build) for p in parts])[:, None]
    across, deep = sizes[:, :2] * factors, sizes[:, 2:] * factors

    axis = lower - upper
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True) + 1e-9
    left = np.stack([-np.sin(headings), np.cos(headings), np.zeros_like(headings)], -1)[:, None]
    left = left - (left * axis).sum(-1, keepdims=True) * axis
    left /= np.linalg.norm(left, axis=-1, keepdims=True) + 1e-9
    front = np.cross(axis, left)
    view = camera.position - (upper + lower) / 2
    view /= np.linalg.norm(view, axis=-1, keepdims=True)
    side = np.cross(axis, view)
    side /= np.linalg.norm(side, axis=-1, keepdims=True) + 1e-9
    cos, sin = (side * left).sum(-1), (side * front).sum(-1)
    radius = np.sqrt((across * cos[..., None]) ** 2 + (deep * sin[..., None]) ** 2)
    a, b = across.mean(1), deep.mean(1)
    azimuth = np.arctan2(b * sin, a * cos)
    quarter = azimuth + np.pi / 2
    facing = np.cos(quarter) * a * (view * left).sum(-1) + np.sin(quarter) * b * (view * front).sum(-1)
    turn = np.where(facing > 0, 1.0, -1.0)
    bulge = np.sqrt((a * sin) ** 2 + (b * cos) ** 2)

    first, first_depth = camera.project(upper)
    last, last_depth = camera.project(lower)
    along = last - first
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9
    normal = np.stack([-along[..., 1], along[..., 0]], -1)
    middle, _ = camera.project((upper + lower) / 2)
    beside, _ = camera.project((upper + lower) / 2 + 0.05 * side)
    normal *= np.where(((beside - middle) * normal).sum(-1) < 0, -1.0, 1.0)[..., None]
    depth = np.stack([first_depth, last_depth], -1)
    return Capsules(
        parts=parts,
        ends=np.stack([first, last], 2),
        depth=depth,
        radius=radius * camera.focal / depth,
        bulge=bulge,
        azimuth=azimuth,
        turn=turn,
        normal=normal,
    )


def _factor(part: str, build: Build) -> float:
    if part in ("head", "hair", "foot", "hand"):
        return build.height / 1.75
    if part == "bag":
        return 1.0
    return build.girth * build.height / 1.75 * (build.shoulders if part == "chest" else 1.0)
