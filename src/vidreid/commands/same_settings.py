"""Whether a run folder may be gone on with: its settings and those of now are compared."""

from typing import Any

from vidreid.training.run_folder import RunFolder

# Names and places, and what follows from the data.
_OF_NO_WEIGHT = ("name", "study", "paths", "resume", "camera_numbers")
_READ_ALIKE = ("data.pack", "data.pack_folder")


def check_same_settings(run: RunFolder, settings: dict[str, Any]) -> None:
    """Refuse to go on in the folder of a run that had other settings than its name and place."""
    before, now = (
        _flat({key: tree for key, tree in settings.items() if key not in _OF_NO_WEIGHT})
        for settings in (run.read_config(), settings)
    )
    keys = (before.keys() | now.keys()) - set(_READ_ALIKE)
    different = [key for key in keys if before.get(key) != now.get(key)]
    if different:
        key = min(different)
        raise ValueError(
            f"{run.path} is a run with other settings ({key}: {before.get(key)} there, {now.get(key)} here"
            f"{f', and {len(different) - 1} more' if len(different) > 1 else ''}): move it away or choose "
            "another folder, or go on with its own settings by resume=FOLDER."
        )


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {
        name: value
        for key, branch in tree.items()
        for name, value in _flat(branch, f"{prefix}.{key}" if prefix else str(key)).items()
    }
