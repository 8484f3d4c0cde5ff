"""Lightning's advice that does not apply to this house, by its exact words."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Each line names one message and why it is left out; nothing else is hidden.
MESSAGES = (
    r".*does not have many workers which may be a bottleneck.*",  # the number of workers is a setting
    r".*The number of training batches .* is smaller than the logging interval.*",  # epochs are logged too
    r".*Checkpoint directory .* exists and is not empty.*",  # a resumed run goes on in its folder
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",  # from inside Lightning
)


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out the messages above and Lightning's banners about devices and tips."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in MESSAGES:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
