"""Who is seen where and for how long: the list of tracklets of a benchmark, before a pixel is painted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID, TEST_FOLDER, TRAIN_FOLDER
from vidreid.synthetic.identity import Identity, draw_identities, draw_identity
from vidreid.synthetic.wardrobe import Wardrobe, make_wardrobe

SPLITS = ("train", "test")
FOLDERS = {"train": TRAIN_FOLDER, "test": TEST_FOLDER}
CAMERAS = 6
SCENES = {"train": (0, 1), "test": (1, 2)}
"""Backgrounds of each camera: one is seen in both splits, one in training and one in the test only."""


@dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        train_ids: Training identities.
        test_ids: Test identities.
        cameras: Range of the number of cameras that see an identity.
        tracklets: Probabilities of 1, 2, 3 … tracklets of an identity in a camera.
        median: Median length in frames.
        longest: Longest tracklet in frames.
    """

    train_ids: int
    test_ids: int
    cameras: tuple[int, int]
    tracklets: tuple[float, ...]
    median: float
    longest: int


SIZES = {
    "tiny": Size(6, 6, (2, 3), (0.7, 0.3), 5, 10),
    "small": Size(150, 60, (4, 6), (0.8, 0.2), 6, 30),
    "full": Size(240, 160, (2, 6), (0.5, 0.3, 0.2), 11, 60),
}

SHORTEST = 4
DISTRACTOR_SHARE, JUNK_SHARE = 0.25, 0.07
"""Shares of the test tracklets, close to MARS's 3248 and 870 of 12180."""


@dataclass(frozen=True)
class PlannedTrack:
    """One tracklet to render; the names are those of a MARS file name."""

    split: str
    pid: int
    camera: int
    tracklet: int
    frames: int
    scene: int
    identity: Identity
    kind: str = "person"
    switch_to: Identity | None = None


@dataclass(frozen=True)
class SplitPlan:
    """The tracklets of a split in the order of MARS (by name), with who is who.

    Attributes:
        tracks: The tracklets.
        identities: By identity number.
        families: Number of the look-alike family of each identity.
        wardrobe: The split's colours and patterns.
        world: Seed of the cameras and backgrounds.
    """

    tracks: list[PlannedTrack]
    identities: dict[int, Identity]
    families: dict[int, int]
    wardrobe: Wardrobe
    world: int


def plan_split(seed: int, split: str, size: Size, world: int | None = None) -> SplitPlan:
    """Plan a split.

    Args:
        seed: Of the benchmark.
        split: ``train`` or ``test``: they share neither identities nor wardrobe.
        size: How much.
        world: Seed of the cameras and backgrounds; by default the seed of the benchmark.
    """
    code = SPLITS.index(split)
    rng = np.random.default_rng([seed, 1, code])
    wardrobe = make_wardrobe(rng, variants=3 - code, patterns=24 - 8 * code)
    count = size.train_ids if split == "train" else size.test_ids
    drawn, families = draw_identities(rng, wardrobe, count)
    # As in MARS, training and test numbers are mixed; families must not be neighbours in number.
    numbers = 2 * (1 + rng.permutation(count)) - 1 + code
    identities = {
        int(n): who for n, who in sorted(zip(numbers.tolist(), drawn, strict=True), key=lambda p: p[0])
    }
    tracks: list[PlannedTrack] = []
    for pid, who in identities.items():
        tracks += _tracks_of(rng, split, pid, who, size)
    if split == "test":
        per_share = len(tracks) / (1 - DISTRACTOR_SHARE - JUNK_SHARE)
        distractors = _distractors(rng, wardrobe, round(per_share * DISTRACTOR_SHARE), size)
        tracks = [*_junk(rng, identities, round(per_share * JUNK_SHARE), size), *distractors, *tracks]
    family_of = {int(n): family for n, family in zip(numbers, families, strict=True)}
    places = seed if world is None else world
    return SplitPlan(tracks, identities, dict(sorted(family_of.items())), wardrobe, places)


def draw_queries(rng: Generator, tracks: Sequence[PlannedTrack]) -> list[int]:
    """Draw one query for each (identity, camera) pair, as MARS does.

    Returns:
        Sorted rows (0-based) of ``tracks``.
    """
    rows = defaultdict(list)
    for row, track in enumerate(tracks):
        if track.pid > 0:
            rows[track.pid, track.camera].append(row)
    return sorted(int(rng.choice(candidates)) for candidates in rows.values())


def _length(rng: Generator, size: Size) -> int:
    """Draw a long-tailed length."""
    return int(np.clip(round(size.median * np.exp(0.65 * rng.standard_normal())), SHORTEST, size.longest))


def _tracks_of(rng: Generator, split: str, pid: int, who: Identity, size: Size) -> list[PlannedTrack]:
    cameras = rng.choice(CAMERAS, int(rng.integers(size.cameras[0], size.cameras[1] + 1)), replace=False) + 1
    tracks: list[PlannedTrack] = []
    for camera in sorted(cameras.tolist()):
        for _ in range(1 + int(rng.choice(len(size.tracklets), p=size.tracklets))):
            tracks.append(_track(rng, split, pid, camera, len(tracks) + 1, size, who))
    return tracks


def _track(
    rng: Generator,
    split: str,
    pid: int,
    camera: int,
    number: int,
    size: Size,
    who: Identity,
    kind: str = "person",
    switch_to: Identity | None = None,
) -> PlannedTrack:
    scene = int(rng.choice(SCENES[split]))
    return PlannedTrack(split, pid, camera, number, _length(rng, size), scene, who, kind, switch_to)


def _junk(rng: Generator, identities: dict[int, Identity], count: int, size: Size) -> list[PlannedTrack]:
    """Identity switches and boxes that hold too little of somebody searched for."""
    people = list(identities.values())
    tracks = []
    for number, camera in enumerate(_cameras(rng, count), start=1):
        first, second = rng.choice(len(people), 2, replace=False)
        switch = rng.random() < 0.5
        tracks.append(
            _track(
                rng, "test", JUNK_PID, camera, number, size, people[first],
                "person" if switch else "partial", people[second] if switch else None,
            )
        )  # fmt: skip
    return tracks


def _distractors(rng: Generator, wardrobe: Wardrobe, count: int, size: Size) -> list[PlannedTrack]:
    """People whom nobody searches for, parts of them, and boxes without anybody."""
    tracks = []
    for number, camera in enumerate(_cameras(rng, count), start=1):
        kind = str(rng.choice(("person", "partial", "false"), p=(0.55, 0.25, 0.2)))
        who = draw_identity(rng, wardrobe)
        tracks.append(_track(rng, "test", DISTRACTOR_PID, camera, number, size, who, kind))
    return tracks


def _cameras(rng: Generator, count: int) -> list[int]:
    return sorted((rng.integers(CAMERAS, size=count) + 1).tolist())
