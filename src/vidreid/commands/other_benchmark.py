"""Evaluating a run on another benchmark than its own."""

from pathlib import Path

import yaml
from omegaconf import DictConfig, open_dict

from vidreid.commands import config_dir

_BASE = "mars"
"""The group of ``conf/data`` that the others build on: its keys are those of every benchmark."""
_OF_THE_BENCHMARK = ("_target_", "protocol")
"""Of these keys the ones that say which benchmark it is; the rest say how clips are read."""


def use_benchmark(data: DictConfig, benchmark: str, root: str | None) -> None:
    """Put another benchmark in the place of a run's own.

    What the network is used to stays: size of frames, length and sampling of clips, joints. Keypoints do not:
    a store is of one benchmark.

    Args:
        data: The settings of a run's data; changed in place.
        benchmark: A group of ``conf/data``, such as ``manifest``.
        root: Where it lies.

    Raises:
        ValueError: If there is no such group (the sentence lists them), or no root.
    """
    folder = Path(config_dir()) / "data"
    groups = sorted(path.stem for path in folder.glob("*.yaml"))
    if benchmark not in groups:
        raise ValueError(f"There is no benchmark {benchmark!r}: choose one of {', '.join(groups)}.")
    if root is None:
        raise ValueError(
            f"Nobody says where the benchmark {benchmark} lies: give its folder by data.root=DIR."
        )
    base, own = (yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in (_BASE, benchmark))
    with open_dict(data):
        for key in set(data) - set(base):  # such as the number of a split
            del data[key]
        data.update({key: {**base, **own}[key] for key in _OF_THE_BENCHMARK})
        data.update({key: own[key] for key in set(own) - set(base) - {"defaults"}})
        data.update({"root": root, "keypoints": None, "held_out_identities": 0})
