import pytest
import torch

from vidreid.models.layers.camera_embedding import CameraEmbedding


@pytest.fixture
def embedding() -> CameraEmbedding:
    made = CameraEmbedding([5, 2, 9], width=2, weight=3.0)
    with torch.no_grad():
        made.table.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [5.0, 2.0]]))  # of cameras 2, 5, 9
    return made


def test_cameras_are_known_by_their_numbers(embedding: CameraEmbedding) -> None:
    found = embedding(torch.tensor([9, 2, 5, 2]), 4)
    torch.testing.assert_close(found, 3 * torch.tensor([[5.0, 2.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))


def test_others_get_the_mean(embedding: CameraEmbedding) -> None:
    mean = torch.tensor([6.0, 3.0])
    for stranger in (1, 3, 10, -1, 10**6):
        torch.testing.assert_close(embedding(torch.tensor([stranger]), 1)[0], mean)
    torch.testing.assert_close(embedding(None, 2), mean.expand(2, 2))


def test_the_mean_teaches_all_cameras(embedding: CameraEmbedding) -> None:
    embedding(torch.tensor([77]), 1).sum().backward()
    assert embedding.table.grad is not None
    torch.testing.assert_close(embedding.table.grad, torch.ones(3, 2))


def test_without_numbers_there_is_nothing_to_know() -> None:
    with pytest.raises(ValueError, match="needs the numbers of the cameras"):
        CameraEmbedding([], 4)
