"""The calibration of the procedural benchmark: baselines, shortcuts and leaks in one table."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vidreid.synthetic import baselines, leaks
from vidreid.synthetic.entropy import entropy_table
from vidreid.synthetic.scores import Scores, SplitReader, chance, score
from vidreid.synthetic.tree import DESCRIPTION

Row = tuple[str, Scores]


def calibrate(root: str | Path, learned: bool = False, passes: int = 20_000) -> str:
    """Measure a procedural tree.

    Args:
        root: The tree.
        learned: Also train the two small networks (minutes).
        passes: Training frames for each of them.

    Returns:
        Markdown: the baselines, the shortcut through the camera, the leak checks, the attributes' entropies.
    """
    root = Path(root)
    split = SplitReader(root)
    floor = chance(split)
    rows = [("chance", floor), *baseline_rows(split)]
    if learned:
        rows[4:4] = learned_rows(split, passes)
    raw = score(np.stack([baselines.mean_colour(split.images(r)) for r in range(len(split))]), split)
    visible = np.load(root / "visible" / "bbox_test.npy").astype(float)
    own = np.concatenate(
        [np.arange(a, b) for a, b, p in zip(split.starts, split.stops, split.pids, strict=True) if p > 0]
    )
    return "\n".join(
        [
            *table("baseline", rows),
            "",
            f"Nearest neighbours of the raw mean colour from the same camera: {raw.same_camera:.0f} % "
            f"(by chance {floor.same_camera:.0f} %); rank-1 of the raw mean colour: {raw.rank1:.1f} %.",
            f"Frames less than 60 % visible: {100 * float(np.mean(visible[own] < 0.6)):.0f} %.",
            "",
            *table("leak check: not above chance", leak_rows(split), floor),
            "",
            *entropy_table(root / DESCRIPTION),
        ]
    )


def colour_row(root: str | Path) -> dict[str, float]:
    """Score the mean colour: ``rank1``, ``rank5``, ``mAP`` and ``mINP`` in [0, 1], official protocol.

    The descriptor is the mean colour of six stripes of the middle of the crops over all frames, standardised
    within each camera.
    """
    split = SplitReader(Path(root))
    scores = _score_stripes(split)
    return {
        "rank1": scores.rank1 / 100,
        "rank5": scores.rank5 / 100,
        "mAP": scores.mean_ap / 100,
        "mINP": scores.mean_inp / 100,
    }


def _score_stripes(split: SplitReader) -> Scores:
    features = np.stack([baselines.stripe_colours(split.images(row)) for row in range(len(split))])
    return score(baselines.standardise(features, split.cameras), split)


def baseline_rows(split: SplitReader) -> list[Row]:
    """Score what needs no training, from weak to strong."""
    true, detector = split.keypoints("true"), split.keypoints("detector")
    gait, shuffled, parts, seen = [], [], [], []
    order = np.random.default_rng(0)
    for row in range(len(split)):
        frames = slice(int(split.starts[row]), int(split.stops[row]))
        images = split.images(row)
        gait.append(baselines.gait(true[frames]))
        # The control of every claim about time: what is left of the gait without the order of the frames.
        shuffled.append(baselines.gait(order.permutation(true[frames])))
        parts.append(baselines.part_colours(images, true[frames].astype(np.float64)))
        seen.append(baselines.part_colours(images, detector[frames].astype(np.float64)))

    def scaled(features: list[baselines.Floats]) -> Scores:
        return score(baselines.standardise(np.stack(features), split.cameras), split)

    return [
        ("gait, frames shuffled", scaled(shuffled)),
        ("gait only (true joints)", scaled(gait)),
        ("mean colour", _score_stripes(split)),
        ("part colours, detected joints", scaled(seen)),
        ("part colours, true joints", scaled(parts)),
        ("oracle: the attributes", score(baselines.oracle(split), split)),
    ]


def learned_rows(split: SplitReader, passes: int) -> list[Row]:
    """Train and score the two small networks."""
    # Imported late: everything else here needs no torch.
    from vidreid.synthetic.learned import Budget, learned_descriptors

    budget = Budget(passes=passes)
    names = {False: "small CNN, stripes", True: "small CNN, parts at detected joints"}
    return [
        (name, score(learned_descriptors(split.root, use, budget), split, "cosine"))
        for use, name in names.items()
    ]


def leak_rows(split: SplitReader) -> list[Row]:
    """Score what must tell nothing."""
    features = {
        "background only": leaks.background_features(split.root),
        **leaks.file_features(split),
        "identities permuted": leaks.permuted_features(split.root),
    }
    return [(name, score(baselines.standardise(f, split.cameras), split)) for name, f in features.items()]


def table(title: str, rows: Iterable[Row], floor: Scores | None = None) -> list[str]:
    """Lay out scores as a Markdown table; with ``floor`` a last column says whether they are above chance."""
    rows = list(rows)
    width = max(len(title), *(len(name) for name, _ in rows))
    verdict = "" if floor is None else " verdict |"
    lines = [
        f"| {title:<{width}} | rank-1 | 95 % interval |  mAP | mINP |{verdict}",
        f"|{'-' * (width + 2)}|-------:|--------------:|-----:|-----:|"
        + ("" if floor is None else "---------|"),
    ]
    for name, s in rows:
        interval = f"{s.low:.1f} to {s.high:.1f}"
        line = f"| {name:<{width}} | {s.rank1:6.1f} | {interval:>13} | {s.mean_ap:4.1f} | {s.mean_inp:4.1f} |"
        if floor is not None:
            line += " ok      |" if s.low <= floor.rank1 else " LEAK    |"
        lines.append(line)
    return lines
