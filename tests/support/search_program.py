"""A search of its own process, whose trials train nothing: killed, called again and called twice by tests.

A trial writes the numbers of its epochs into its run folder, and waits in epoch 1 while the file ``wait``
beside the run folders names it.
"""

import time
from typing import Any

import hydra
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.sweeps.trial import run_trial, stop_if_pruned, trial_callbacks, trial_folder


def train(config: DictConfig) -> dict[str, Any]:
    folder = trial_folder(config)
    folder.mkdir(parents=True, exist_ok=True)
    (reports,) = trial_callbacks(config)
    epochs = folder / "epochs"
    for epoch in range(len(epochs.read_text()) if epochs.is_file() else 0, 3):
        wait = folder.parent / "wait"
        while epoch == 1 and wait.is_file() and wait.read_text() == folder.name:
            time.sleep(0.02)
        with epochs.open("a") as file:
            file.write(str(epoch))
        reports.report(epoch, config.optimizer.lr, epoch < 2)  # type: ignore[attr-defined]
        stop_if_pruned(config)
    return {"held_out": {"mAP": config.optimizer.lr}}


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="train")
def main(config: DictConfig) -> float | None:
    return run_trial(config, train)


if __name__ == "__main__":
    main()
