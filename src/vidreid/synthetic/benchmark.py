"""Render the procedural benchmark into a tree that is MARS to the byte of its formats."""

import json
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidreid.data.mars_format import folder_of
from vidreid.files import build_folder_whole
from vidreid.synthetic.crew import Observed, render_all
from vidreid.synthetic.plan import FOLDERS, SIZES, SPLITS, SplitPlan, plan_split
from vidreid.synthetic.tree import DESCRIPTION, describe, write_info_of, write_observed

VERSION = 2
"""Of the generator: raised whenever the same seed gives other bytes."""


ELSEWHERE = 1_000_003
"""Distance in seed of the world of a shifted test set."""


def synthesize(
    root: str | Path,
    size: str = "small",
    seed: int = 0,
    height: int = 128,
    workers: int = 2,
    progress: bool = True,
    shifted: bool = False,
) -> Path:
    """Render the benchmark, or find it already there.

    The tree holds ``bbox_train``, ``bbox_test``, ``info`` (as MARS), ``keypoints/true`` and
    ``keypoints/detector`` (17 joints, rows in name-list order), ``visible/bbox_train.npy`` and
    ``bbox_test.npy`` (share of the body that is seen, float16 per frame) and ``synthetic.json`` (seed, size,
    version, attributes of every identity). The same seed, size and height give the same bytes with any number
    of workers. An interrupted run leaves nothing under ``root``.

    Args:
        root: Folder of the tree.
        size: ``tiny`` (tests), ``small`` (demonstration) or ``full`` (studies).
        seed: Of everything.
        height: Rows of the crops; they are half as wide.
        workers: Processes.
        progress: Show a bar.
        shifted: Watch the test identities with six other cameras in other places, which no training picture
            shows: to read how far a method generalises.

    Returns:
        ``root``.

    Raises:
        ValueError: For an unknown size or an odd height.
        FileExistsError: If ``root`` holds something else.
    """
    root = Path(root)
    if size not in SIZES:
        raise ValueError(
            f"Unknown size {size!r} of the procedural benchmark: choose one of {', '.join(SIZES)}."
        )
    if height < 32 or height % 2:
        raise ValueError(f"The height of the crops is {height}: choose an even number of at least 32.")
    identity: dict[str, str | int] = {
        "generator": "vidreid.synthetic",
        "version": VERSION,
        "size": size,
        "seed": seed,
        "height": height,
    }
    if shifted:
        identity["shifted"] = True
    if is_there(root, identity):
        return root
    worlds = {"train": seed, "test": seed + ELSEWHERE if shifted else seed}
    plans = {split: plan_split(seed, split, SIZES[size], worlds[split]) for split in SPLITS}
    with build_folder_whole(root) as folder:
        _render(folder, plans, seed, height, workers, progress)
        describe(folder, plans, identity)
    return root


def is_there(root: Path, identity: dict[str, str | int]) -> bool:
    """Tell whether ``root`` is this very benchmark.

    Raises:
        FileExistsError: If ``root`` is not empty and holds something else.
    """
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    description = root / DESCRIPTION
    if not description.is_file():
        raise FileExistsError(
            f"{root} is not empty and holds no procedural benchmark: choose another root or empty it."
        )
    found = json.loads(description.read_text())
    keys = [key for key in (*identity, "shifted") if found.get(key) != identity.get(key)]
    different = [f"{key}={found.get(key)!r}" for key in dict.fromkeys(keys)]
    if different:
        wanted = ", ".join(f"{key}={identity.get(key)!r}" for key in dict.fromkeys(keys))
        raise FileExistsError(
            f"{root} holds another procedural benchmark ({', '.join(different)} instead of {wanted}): "
            "choose another root or remove it."
        )
    return True


def _render(
    folder: Path, plans: dict[str, SplitPlan], seed: int, height: int, workers: int, progress: bool
) -> None:
    for split, plan in plans.items():
        for pid in {track.pid for track in plan.tracks}:
            (folder / FOLDERS[split] / folder_of(pid)).mkdir(parents=True, exist_ok=True)
    jobs = [
        (str(folder), seed, split, row, height) for split in plans for row in range(len(plans[split].tracks))
    ]
    frames = [track.frames for plan in plans.values() for track in plan.tracks]
    observed: list[Observed] = []
    columns = (
        TextColumn("rendering"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("crops"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not progress) as bar:
        task = bar.add_task("rendering", total=sum(frames))
        for result, count in zip(render_all(jobs, plans, workers), frames, strict=True):
            observed.append(result)
            bar.advance(task, count)
    start = 0
    for split, plan in plans.items():
        part = observed[start : start + len(plan.tracks)]
        start += len(plan.tracks)
        write_observed(folder, split, plan, part)
    write_info_of(folder, plans, seed)
