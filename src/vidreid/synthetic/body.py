"""The articulated walker: body proportions, gait and the points of the skeleton in the world.

Body axes: forward, left and up, right-handed. Lengths are in metres, angles in radians. Proportions follow
the usual tables of segment lengths as fractions of stature.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.synthetic.identity import LEVELS, Identity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Build:
    """Body and gait of a walker in physical units.

    Attributes:
        height: Stature in m.
        girth: Factor on all radii.
        shoulders: Factor on the width of the shoulders.
        legs: Factor on the length of the legs; the trunk takes up the rest.
        frequency: Gait cycles (two steps) per second.
        stride: Length of a gait cycle in m.
        swing: Amplitude of the arm swing in rad.
        lean: Forward lean of the trunk in rad.
    """

    height: float
    girth: float
    shoulders: float
    legs: float
    frequency: float
    stride: float
    swing: float
    lean: float

    @property
    def speed(self) -> float:
        """Walking speed in m/s."""
        return self.frequency * self.stride


_RANGES = {
    "height": (1.54, 1.93),
    "girth": (0.82, 1.28),
    "shoulders": (0.9, 1.12),
    "legs": (0.96, 1.04),
    "frequency": (0.78, 1.12),
    "stride": (1.15, 1.5),
    "swing": (0.15, 0.6),
    "lean": (-0.04, 0.2),
}


def build_of(identity: Identity) -> Build:
    """Turn the levels of an identity's body and gait into physical units."""

    def value(name: str) -> float:
        low, high = _RANGES[name]
        return low + (high - low) * getattr(identity, name) / (LEVELS[name] - 1)

    return Build(**{name: value(name) for name in _RANGES})


POINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "crown", "chin", "neck", "waist", "crotch", "left_hand", "right_hand", "left_toe", "right_toe",
    "left_heel", "right_heel", "nape", "pack_top", "pack_bottom", "left_bag", "right_bag", "hem",
    "left_bag_top", "right_bag_top", "chest_top",
)  # fmt: skip
"""Names of the skeleton's points; the first 17 are COCO's joints."""

POINT = {name: number for number, name in enumerate(POINTS)}


def pose(build: Build, phase: Floats) -> Floats:
    """Return the skeleton in body axes at the given gait phases.

    Args:
        build: Body and gait.
        phase: ``(F,)`` phase of the left leg in rad.

    Returns:
        ``(F, len(POINTS), 3)`` forward, left, up in m; the lower foot stands on the ground (up = 0).
    """
    h = build.height
    leg = 0.485 * h * build.legs
    trunk = 0.785 * h - leg
    thigh, shin, foot = 0.51 * leg, 0.49 * leg, 0.04 * h
    upper, fore = 0.172 * h, 0.15 * h
    amplitude = np.arcsin(np.clip(build.stride / 4 / leg, 0, 0.7))
    points = np.zeros((len(phase), len(POINTS), 3))

    def put(name: str, base: Floats, *offsets: Floats) -> Floats:
        position = base + sum(offsets) if offsets else base
        points[:, POINT[name]] = position
        return position

    def vector(forward: Floats | float, left: Floats | float, up: Floats | float) -> Floats:
        parts = np.broadcast_arrays(forward, left, up, phase)[:3]
        return np.stack(parts, -1).astype(float)

    # Pelvis and shoulders turn against each other.
    turn = 0.10 * np.sin(phase)
    lean = build.lean + 0.02 * np.cos(2 * phase)
    up_axis = vector(np.sin(lean), 0.0, np.cos(lean))
    front_axis = vector(np.cos(lean), 0.0, -np.sin(lean))
    pelvis = vector(0.0, 0.0, 0.0)
    hip_axis = vector(-np.sin(turn), np.cos(turn), 0.0)
    shoulder_turn = -1.2 * turn * (0.5 + build.swing)
    shoulder_axis = vector(-np.sin(shoulder_turn), np.cos(shoulder_turn), 0.0)

    for side, sign, ph in (("left", 1.0, phase), ("right", -1.0, phase + np.pi)):
        hip = put(f"{side}_hip", pelvis, sign * 0.055 * h * hip_axis)
        bend = 0.12 + 0.85 * np.clip(np.cos(ph + 0.45), 0, None) ** 2
        swing = amplitude * np.sin(ph)
        knee = put(
            f"{side}_knee", hip, thigh * vector(np.sin(swing + 0.4 * bend), 0, -np.cos(swing + 0.4 * bend))
        )
        low = swing - 0.6 * bend
        ankle = put(f"{side}_ankle", knee, shin * vector(np.sin(low), 0, -np.cos(low)))
        pitch = np.clip(low, -0.9, 0.25)
        sole = vector(np.cos(pitch), sign * 0.12, np.sin(pitch))
        put(f"{side}_heel", ankle, vector(0, 0, -0.55 * foot), -0.035 * sole)
        put(f"{side}_toe", ankle, vector(0, 0, -0.55 * foot), 0.095 * h * sole)

    chest_top = put("chest_top", pelvis, trunk * up_axis)
    put("waist", pelvis, 0.28 * trunk * up_axis)
    put("crotch", pelvis, vector(0, 0, -0.035 * h))
    put("hem", pelvis, vector(0, 0, -0.9 * thigh))
    neck = put("neck", chest_top, 0.035 * h * up_axis, 0.01 * front_axis)
    chin = put("chin", neck, 0.028 * h * up_axis, 0.02 * front_axis)
    crown = put("crown", chin, 0.100 * h * up_axis)
    middle = (chin + crown) / 2
    put("nape", neck, -0.09 * front_axis, -0.03 * h * up_axis)
    put("nose", middle, 0.115 * front_axis, vector(0, 0, -0.012))
    pack = pelvis - (0.11 + 0.10 * build.girth) * front_axis
    put("pack_top", pack, 0.88 * trunk * up_axis)
    put("pack_bottom", pack, 0.30 * trunk * up_axis)
    for side, sign, ph in (("left", 1.0, phase), ("right", -1.0, phase + np.pi)):
        put(f"{side}_eye", middle, 0.10 * front_axis, vector(0, sign * 0.035, 0.02))
        put(f"{side}_ear", middle, vector(0, sign * 0.088, 0.0))
        shoulder = put(
            f"{side}_shoulder",
            chest_top,
            sign * 0.115 * h * build.shoulders * shoulder_axis,
            -0.012 * h * up_axis,
        )
        back = -build.swing * np.sin(ph) + 0.5 * lean
        out = sign * (0.10 + 0.10 * (build.girth - 0.8))
        elbow = put(f"{side}_elbow", shoulder, upper * vector(np.sin(back), out, -np.cos(back)))
        flex = back + 0.18 + 0.6 * build.swing * (1 - np.sin(ph)) / 2
        wrist = put(f"{side}_wrist", elbow, fore * vector(np.sin(flex), 0.0, -np.cos(flex)))
        put(f"{side}_hand", wrist, 0.05 * h * vector(np.sin(flex), 0.0, -np.cos(flex)))
        bag = vector(-0.03, sign * (0.10 + 0.09 * build.girth), 0.0)
        put(f"{side}_bag_top", pelvis, bag, vector(0, 0, 0.05))
        put(f"{side}_bag", pelvis, bag, vector(0, 0, -0.16))

    soles = points[:, [POINT[n] for n in ("left_heel", "right_heel", "left_toe", "right_toe")], 2]
    points[..., 2] -= (soles.min(1) - 0.45 * foot)[:, None]
    return points


def place(points: Floats, positions: Floats, headings: Floats) -> Floats:
    """Put skeletons into the world.

    Args:
        points: ``(F, n, 3)`` in body axes.
        positions: ``(F, 2)`` position on the ground: x to the camera's right, y away from it.
        headings: ``(F,)`` walking direction in rad; 0 is +x, a quarter turn is +y.

    Returns:
        ``(F, n, 3)`` x, y, z in m.
    """
    cos, sin = np.cos(headings)[:, None], np.sin(headings)[:, None]
    forward, left = points[..., 0], points[..., 1]
    x = positions[:, :1] + forward * cos - left * sin
    y = positions[:, 1:] + forward * sin + left * cos
    return np.stack([x, y, points[..., 2]], -1)
