"""The gallery block by block, on the device that ranks it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from vidreid.metrics.descriptors import Descriptors


class GalleryBlocks:
    """Walks through a gallery that need not lie, as a whole, where it is ranked.

    Where it does, blocks are views and nothing is copied. Otherwise a thread reads the next block, from
    memory or from a mapped file, and sends it while the one before is worked on; on a GPU through two
    page-locked buffers and a stream of its own.

    Args:
        gallery: The gallery, anywhere.
        width: Items of a block; the last may be shorter.
        device: Where the blocks are wanted.
    """

    def __init__(self, gallery: Descriptors, width: int, device: torch.device) -> None:
        self._gallery = gallery
        self._width = width
        self._device = device

    def __iter__(self) -> Iterator[tuple[int, Descriptors]]:
        """Yield the first row of each block and its descriptors, float32 on the device."""
        starts = range(0, len(self._gallery), self._width)
        if self._lies_here():
            for start in starts:
                yield start, self._gallery.take(self._rows(start), self._device)
            return
        sender = _PinnedSender(self._device) if self._device.type == "cuda" else _Sender(self._device)
        with ThreadPoolExecutor(1) as thread:
            ahead = [thread.submit(sender.send, self._gallery, self._rows(start)) for start in starts[:1]]
            for number, start in enumerate(starts):
                sent = ahead.pop().result()
                if number + 1 < len(starts):
                    ahead.append(thread.submit(sender.send, self._gallery, self._rows(starts[number + 1])))
                yield start, sender.receive(sent)

    def _lies_here(self) -> bool:
        return self._gallery.features.device == self._device

    def _rows(self, start: int) -> slice:
        return slice(start, min(start + self._width, len(self._gallery)))


class _Sender:
    """Sends blocks by plain copies."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def send(self, gallery: Descriptors, rows: slice) -> tuple[Descriptors, "torch.cuda.Event | None"]:
        return gallery.take(rows, self._device), None

    def receive(self, sent: tuple[Descriptors, "torch.cuda.Event | None"]) -> Descriptors:
        return sent[0]


class _PinnedSender(_Sender):
    """Sends blocks to a GPU through page-locked memory, beside what the GPU is doing."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self._stream = torch.cuda.Stream(device)
        self._buffers: list[Tensor | None] = [None, None]
        self._left: list[torch.cuda.Event | None] = [None, None]
        self._next = 0

    def send(self, gallery: Descriptors, rows: slice) -> tuple[Descriptors, "torch.cuda.Event | None"]:
        number, self._next = self._next, 1 - self._next
        left = self._left[number]
        if left is not None:
            left.synchronize()  # the buffer's last block has gone
        source = gallery.features[rows]
        buffer = self._buffers[number]
        if buffer is None or len(buffer) < len(source):
            buffer = self._buffers[number] = torch.empty(
                source.shape, dtype=source.dtype, device="cpu", pin_memory=True
            )
        staged = buffer[: len(source)].copy_(source)
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            features = staged.to(self._device, non_blocking=True).float()
            visible = None if gallery.visible is None else gallery.visible[rows].to(self._device)
            event = torch.cuda.Event()
            event.record(self._stream)
        self._left[number] = event
        return Descriptors(features, visible), event

    def receive(self, sent: tuple[Descriptors, "torch.cuda.Event | None"]) -> Descriptors:
        block, event = sent
        stream = torch.cuda.current_stream(self._device)
        if event is not None:
            stream.wait_event(event)
        # The allocator must not hand the memory out again while this stream still reads it.
        for tensor in (block.features, block.visible):
            if tensor is not None:
                tensor.record_stream(stream)
        return block
