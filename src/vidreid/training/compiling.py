"""``torch.compile`` of a network's training pass."""

import torch

from vidreid.models.network import ReidNetwork


def compile_training_pass(network: ReidNetwork, how: bool | str) -> None:
    """Compile ``forward`` in place: not the LightningModule around it, which logs, and not ``describe``.

    Names in checkpoints stay the same. Training batches are all of one size (``micro_batch``: of two), so
    there are one or two graphs. Evaluation is left as it is: its last batch is smaller, its clips may have
    another length, and each would be a graph of its own for a pass without gradients.

    Args:
        network: Changed in place.
        how: ``False``: not at all; ``True``: by torch's own compiler; or the name of another backend.

    Raises:
        ValueError: If there is no such backend.
    """
    if isinstance(how, bool):
        if how:
            network.compile()
        return
    if how not in torch.compiler.list_backends(exclude_tags=()):
        usual = ", ".join(torch.compiler.list_backends())
        raise ValueError(
            f"compile={how} is unknown: choose false, true, or a backend such as {usual}, or aot_eager, "
            "which only traces."
        )
    network.compile(backend=how)
