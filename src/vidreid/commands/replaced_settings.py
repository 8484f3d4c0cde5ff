"""Settings of a command over those that a run was made with."""

from omegaconf import DictConfig, open_dict


def replace_settings(stored: DictConfig, given: DictConfig) -> dict[str, object]:
    """Put the given settings that are not null over the stored ones.

    Args:
        stored: A group of a run's configuration; changed in place.
        given: The same group of a command.

    Returns:
        What is new.
    """
    changed: dict[str, object] = {}
    for key, value in given.items():
        # On the command line the keypoints called "true" are read as a truth value.
        value = "true" if key == "keypoints" and value is True else value
        before = stored.get(key)
        # 1 and 1.0 are equal, and yet one batch and all of them.
        if value is None or (before == value and type(before) is type(value)):
            continue
        with open_dict(stored):
            stored[key] = value
        changed[str(key)] = value
    return changed
