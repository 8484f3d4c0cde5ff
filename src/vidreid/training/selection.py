"""Which checkpoint is the result: the last one, or the best on held-out training identities."""

from lightning.pytorch.callbacks import ModelCheckpoint

from vidreid.training.run_folder import RunFolder

MONITOR = "val/mAP"


def checkpoint_callbacks(run: RunFolder, select: str, held_out_identities: float) -> list[ModelCheckpoint]:
    """Return the callbacks that keep ``last.ckpt`` and, where it is asked for, ``best.ckpt``.

    Args:
        run: Whose checkpoints are kept.
        select: ``last`` or ``best``.
        held_out_identities: How many training identities are held out; 0 for none.

    Raises:
        ValueError: If ``best`` is asked for without held-out identities, or for another word.
    """
    if select not in ("last", "best"):
        raise ValueError(f"select={select} is unknown: choose last or best.")
    if select == "best" and not held_out_identities:
        raise ValueError(
            "select=best needs identities that are held out of training to choose on (choosing on the test "
            "set would be cheating): set data.held_out_identities, for example to 0.1."
        )
    last = ModelCheckpoint(
        run.checkpoints,
        filename="last",
        save_top_k=1,
        monitor=None,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    if select == "last":
        return [last]
    best = ModelCheckpoint(
        run.checkpoints,
        filename="best",
        save_top_k=1,
        monitor=MONITOR,
        mode="max",
        enable_version_counter=False,
    )
    return [best, last]
