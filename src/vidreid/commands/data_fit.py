"""What a network needs of the data, asked before an epoch is spent."""

from vidreid.data.datamodule import ReidDataModule
from vidreid.models.network import ReidNetwork
from vidreid.training.checkpoint import method_name


def check_people(data: ReidDataModule) -> None:
    """Refuse data without people to tell apart.

    Args:
        data: The data of a run.

    Raises:
        ValueError: If fewer than two are left to train on.
    """
    if data.num_identities < 2:
        raise ValueError(
            f"{data.benchmark.name} in {data.root} has {data.num_identities} people to train on: to tell "
            "people apart takes at least two; such data can be evaluated on (src/eval.py, benchmark=)."
        )


def check_data_fit(network: ReidNetwork, data: ReidDataModule) -> None:
    """Refuse data that the network could train with and not be evaluated on.

    Args:
        network: The network.
        data: The data of its run.

    Raises:
        ValueError: If descriptors need keypoints that the data do not hand out at test, or clips are of
            another length than the network was built for.
    """
    name = method_name(network)
    if network.describes_with_keypoints and data.keypoints is None:
        raise ValueError(
            f"{name} reads keypoints and data.keypoints is null: name a source (detector, pose_files or a "
            "folder), or use a method that needs none."
        )
    if network.describes_with_keypoints and not data.test_keypoints:
        raise ValueError(f"{name} describes with keypoints: set data.test_keypoints=true.")
    if network.clip_frames not in (None, data.test_clip_length):
        raise ValueError(
            f"{name} was built for clips of {network.clip_frames} frames and data.test_clip_length is "
            f"{data.test_clip_length}: make them the same."
        )
