"""``synthesize``: render the procedural benchmark and, if asked, print its calibration."""

import json
from pathlib import Path

import hydra
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.synthetic.benchmark import synthesize
from vidreid.synthetic.plan import SIZES
from vidreid.synthetic.tree import DESCRIPTION


def run_synthesize(config: DictConfig) -> Path:
    """Render and report.

    Args:
        config: As in ``conf/synthesize.yaml``.

    Returns:
        The root of the tree.
    """
    root = Path(config.root)
    there = (root / DESCRIPTION).is_file()
    synthesize(root, config.size, config.seed, config.height, config.workers, shifted=config.shifted)
    counts = json.loads((root / DESCRIPTION).read_text())
    print(f"{'already there' if there else 'rendered'}: {root} ({config.size}, seed {config.seed})")
    for split in ("train", "test"):
        part = counts[split]
        numbers = f"{part['identities']} identities, {part['tracklets']} tracklets, {part['frames']} crops"
        print(f"  {split:<6}{numbers}")
    if config.report:
        # Imported late: rendering alone needs no torch.
        from vidreid.synthetic.calibration import calibrate

        print(calibrate(root, learned=config.learned, passes=config.passes))
    return root


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="synthesize")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    if config.size not in SIZES:
        raise ValueError(
            f"Unknown size {config.size!r} of the procedural benchmark: choose one of {', '.join(SIZES)}."
        )
    run_synthesize(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
