"""Float32 products that are float32, whatever the training asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch reduced-precision products and autocast off for the block, then restore them.

    Training often allows TF32 (GPU) or bfloat16 (CPU) inside float32 products, which moves distances in the
    third digit: enough to reorder a ranking. A published number must not depend on such a switch.

    Args:
        device: Where the products run.
    """
    # The per-backend switches, not `set_float32_matmul_precision`: reading that one raises as soon as a user
    # has touched any of these.
    cpu = torch.backends.mkldnn.matmul  # pyright: ignore[reportAttributeAccessIssue]
    backends = (torch.backends.cuda.matmul, cpu)
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.fp32_precision = value
