"""Whether a run folder may be gone on with: its settings and those of now are compared."""

from collections.abc import Mapping
from typing import Any

from vidreid.training.run_folder import RunFolder

# Names and places, and what follows from the data.
OF_NO_WEIGHT = ("name", "study", "hparams_search", "paths", "resume", "camera_numbers")
_READ_ALIKE = ("data.pack", "data.pack_folder")


def check_same_settings(run: RunFolder, settings: dict[str, Any]) -> None:
    """Refuse to go on in the folder of a run that had other settings than its name and place."""
    # Runs of earlier versions all evaluated the test set.
    different = different_settings({"test": True, **run.read_config()}, settings)
    if different:
        raise ValueError(
            f"{run.path} is a run with other settings ({different[0]}"
            f"{f', and {len(different) - 1} more' if len(different) > 1 else ''}): move it away or choose "
            "another folder, or go on with its own settings by resume=FOLDER."
        )


def different_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return ``KEY: VALUE there, VALUE here`` of the settings that differ, apart from names and places.

    Args:
        before: Plain settings, nested.
        now: The same of now.
    """
    there, here = (
        _flat({key: tree for key, tree in settings.items() if key not in OF_NO_WEIGHT})
        for settings in (before, now)
    )
    keys = (there.keys() | here.keys()) - set(_READ_ALIKE)
    return [
        f"{key}: {there.get(key)} there, {here.get(key)} here"
        for key in sorted(keys)
        if there.get(key) != here.get(key)
    ]


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {
        name: value
        for key, branch in tree.items()
        for name, value in _flat(branch, f"{prefix}.{key}" if prefix else str(key)).items()
    }
