import threading

import pytest
import torch

from vidreid.metrics import gallery_blocks as module
from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.gallery_blocks import GalleryBlocks

CPU = torch.device("cpu")


def gallery(items=23):
    make = torch.Generator().manual_seed(0)
    return Descriptors(torch.randn(items, 4, generator=make), torch.rand(items, 2, generator=make) < 0.5)


def joined(blocks):
    blocks = list(blocks)
    starts = [start for start, _ in blocks]
    parts = [part for _, part in blocks]
    return starts, torch.cat([p.features for p in parts]), torch.cat([p.visible for p in parts])


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize(("items", "width"), [(23, 5), (20, 5), (3, 10), (1, 1)])
def test_blocks_make_the_gallery(here, items, width, monkeypatch):
    monkeypatch.setattr(GalleryBlocks, "_lies_here", lambda self: here)
    side = gallery(items)
    starts, features, visible = joined(GalleryBlocks(side, width, CPU))
    assert starts == list(range(0, items, width))
    assert torch.equal(features, side.features)
    assert torch.equal(visible, side.visible)


def test_an_empty_gallery_has_no_blocks(monkeypatch):
    side = Descriptors(torch.empty(0, 4))
    assert list(GalleryBlocks(side, 5, CPU)) == []
    monkeypatch.setattr(GalleryBlocks, "_lies_here", lambda self: False)
    assert list(GalleryBlocks(side, 5, CPU)) == []


def test_what_lies_here_is_not_copied():
    side = gallery()
    for start, block in GalleryBlocks(side, 5, CPU):
        assert block.features.data_ptr() == side.features[start].data_ptr()


def test_the_next_block_is_sent_while_one_is_worked_on(monkeypatch):
    """A transfer that takes as long as the work on the block before it: only a second thread gets through."""
    monkeypatch.setattr(GalleryBlocks, "_lies_here", lambda self: False)
    working = threading.Semaphore(1)
    send = module._Sender.send

    def slow_send(self, side, rows):
        assert working.acquire(timeout=60)
        return send(self, side, rows)

    monkeypatch.setattr(module._Sender, "send", slow_send)
    for _ in GalleryBlocks(gallery(), 5, CPU):
        working.release()  # only now may the next transfer end


def test_an_error_of_a_transfer_arrives(monkeypatch):
    monkeypatch.setattr(GalleryBlocks, "_lies_here", lambda self: False)

    def broken(self, side, rows):
        raise OSError("the disk is gone")

    monkeypatch.setattr(module._Sender, "send", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        list(GalleryBlocks(gallery(), 5, CPU))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_blocks_on_a_gpu(kind):
    side = gallery(5000)
    side = Descriptors(side.features.to(kind), side.visible)
    starts, features, visible = joined(GalleryBlocks(side, 64, torch.device("cuda", 0)))
    assert starts == list(range(0, 5000, 64))
    assert features.device.type == "cuda"
    assert torch.equal(features.cpu(), side.features.float())
    assert torch.equal(visible.cpu(), side.visible)
