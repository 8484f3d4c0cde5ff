"""One folder a run: where its files lie."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from vidreid.files import write_whole


class RunFolder:
    """Names the files of a run and reads and writes the small ones.

    ``config.yaml`` (resolved), ``metrics.json``, ``csv/metrics.csv``, ``checkpoints/{last,best}.ckpt``,
    ``pictures/``, ``wandb/``, ``visual_stage/`` (the first stage of a two-stage training, a run folder too).

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.yaml"
        self.metrics_file = self.path / "metrics.json"
        self.csv_file = self.path / "csv" / "metrics.csv"
        self.checkpoints = self.path / "checkpoints"
        self.pictures = self.path / "pictures"

    @classmethod
    def existing(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Return the folder of a run that was started before.

        Args:
            path: The folder.

        Raises:
            FileNotFoundError: If it is not a run folder.
        """
        run = cls(path)
        if not run.config_file.is_file():
            raise FileNotFoundError(
                f"{run.path} is not a run folder (it has no config.yaml): "
                "give the folder that train.py named at its start."
            )
        return run

    @property
    def visual_stage(self) -> "RunFolder":
        """The first stage of a two-stage training."""
        return RunFolder(self.path / "visual_stage")

    def checkpoint(self, which: str) -> Path:
        """Return the path of the checkpoint ``last`` or ``best``."""
        return self.checkpoints / f"{which}.ckpt"

    def read_config(self) -> dict[str, Any]:
        """Return the resolved configuration as plain containers."""
        return yaml.safe_load(self.config_file.read_text())

    def write_config(self, config: dict[str, Any]) -> None:
        """Write the resolved configuration."""
        with write_whole(self.config_file) as temporary:
            temporary.write_text(yaml.safe_dump(config, sort_keys=False))

    def read_metrics(self) -> dict[str, Any]:
        """Return what the evaluation wrote.

        Raises:
            FileNotFoundError: If the run has not been evaluated.
        """
        if not self.metrics_file.is_file():
            raise FileNotFoundError(
                f"{self.path} has no metrics.json: the run is not finished, "
                f"go on with train.py resume={self.path}."
            )
        return json.loads(self.metrics_file.read_text())

    def write_metrics(self, metrics: dict[str, Any], name: str = "metrics.json") -> Path:
        """Write numbers of an evaluation as JSON and return the file."""
        file = self.path / name
        with write_whole(file) as temporary:
            temporary.write_text(json.dumps(metrics, indent=2) + "\n")
        return file
