"""One folder a run: where its files lie."""

import os
from pathlib import Path
from typing import Any

import yaml

from vidreid.errors import DataError, first_line
from vidreid.files import read_json, write_json, write_whole

_LOST_CONFIG = "put back a copy (the run's checkpoints hold the settings too), or begin the run anew"


class RunFolder:
    """Names the files of a run and reads and writes the small ones.

    ``config.yaml`` (resolved), ``environment.json`` and ``uncommitted.patch`` (what numbers depend on
    besides), ``metrics.json``, ``csv/metrics.csv``, ``checkpoints/{last,best}.ckpt``, ``pictures/``,
    ``wandb/``, ``visual_stage/`` (the first stage of a two-stage training, a run folder too).

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.yaml"
        self.environment_file = self.path / "environment.json"
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
        """Return the resolved configuration as plain containers.

        Raises:
            DataError: If the file cannot be read or is torn.
        """
        file = self.config_file
        try:
            text = file.read_text(encoding="utf-8")
            config = yaml.safe_load(text)
        except OSError as error:
            raise DataError(f"{file} cannot be read ({error.strerror}): {_LOST_CONFIG}.") from error
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise DataError(f"{file} is no readable YAML ({first_line(error)}): {_LOST_CONFIG}.") from error
        # Half a YAML file is often YAML too, so ours say where they end; those of earlier versions do not.
        if not isinstance(config, dict) or (text.startswith("---") and not text.rstrip().endswith("\n...")):
            raise DataError(f"{file} is torn: {_LOST_CONFIG}.")
        return config

    def write_config(self, config: dict[str, Any]) -> None:
        """Write the resolved configuration."""
        text = yaml.safe_dump(config, sort_keys=False, explicit_start=True, explicit_end=True)
        with write_whole(self.config_file) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def read_metrics(self) -> dict[str, Any]:
        """Return what the evaluation wrote.

        Raises:
            FileNotFoundError: If the run has not been evaluated.
            DataError: If the file is torn.
        """
        if not self.metrics_file.is_file():
            raise FileNotFoundError(
                f"{self.path} has no metrics.json: the run is not finished, "
                f"go on with train.py resume={self.path}."
            )
        anew = f"delete it, and train.py resume={self.path} makes it anew."
        try:
            metrics = read_json(self.metrics_file)
        except DataError as error:
            raise DataError(f"{error} Or {anew}") from error
        if not isinstance(metrics, dict):
            raise DataError(f"{self.metrics_file} holds no numbers of an evaluation: {anew}")
        return metrics

    def write_metrics(self, metrics: dict[str, Any], name: str = "metrics.json") -> Path:
        """Write numbers of an evaluation as JSON and return the file."""
        file = self.path / name
        write_json(file, metrics)
        return file
