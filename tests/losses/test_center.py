import pytest
import torch

from vidreid.losses.center import CenterLoss


def test_by_hand() -> None:
    loss = CenterLoss(2, 2, 1)
    with torch.no_grad():
        loss.global_centers.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
        loss.part_centers.copy_(torch.tensor([[2.0], [4.0]]))
    embeddings = {
        "global": torch.tensor([[3.0, 4.0], [1.0, 3.0]]),
        "head": torch.tensor([[3.0], [4.0]]),
        "legs": torch.tensor([[2.0], [7.0]]),
    }
    result = loss({}, embeddings, torch.tensor([0, 1]))
    assert {n: v.item() for n, v in result.details.items()} == {
        "global": pytest.approx((25 + 4) / 2),
        "head": pytest.approx(0.5),
        "legs": pytest.approx(4.5),
    }
    assert result.value.item() == pytest.approx(0.75 * 14.5 + 0.25 * 2.5)
    result.value.backward()
    # Twice the way from the clip to the centre, over two clips; both parts pull at the one table.
    torch.testing.assert_close(loss.global_centers.grad, 0.75 * torch.tensor([[-3.0, -4.0], [0.0, -2.0]]))
    torch.testing.assert_close(loss.part_centers.grad, 0.25 / 2 * torch.tensor([[-1.0], [-3.0]]))


def test_distances_are_clamped() -> None:
    loss = CenterLoss(1, 1, 0)
    with torch.no_grad():
        loss.global_centers.zero_()
    rows = torch.tensor([[0.0], [1e7]], requires_grad=True)
    value = loss({}, {"global": rows}, torch.tensor([0, 0])).value
    value.backward()
    assert value.item() == pytest.approx((1e-12 + 1e12) / 2)
    assert torch.equal(rows.grad, torch.zeros(2, 1))


def test_centers_are_drawn_from_a_normal_distribution() -> None:
    torch.manual_seed(0)
    loss = CenterLoss(100, 200, 300)
    for centers, size in ((loss.global_centers, 200), (loss.part_centers, 300)):
        assert centers.shape == (100, size)
        assert centers.mean().item() == pytest.approx(0, abs=0.03)
        assert centers.std().item() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("trained", ["both", "global"])
def test_which_tables_learn(trained) -> None:
    """Those of the parts move only if they are trained, and are saved in any case."""
    torch.manual_seed(0)
    loss = CenterLoss(3, 2, 4, trained=trained)
    assert set(loss.state_dict()) == {"global_centers", "part_centers"}
    before = {name: centers.clone() for name, centers in loss.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in loss.parameters() if p.requires_grad], lr=0.5)
    embeddings = {"global": torch.randn(3, 2), "head": torch.randn(3, 4, requires_grad=True)}
    loss({}, embeddings, torch.arange(3)).value.backward()
    optimizer.step()
    assert not torch.equal(loss.state_dict()["global_centers"], before["global_centers"])
    assert torch.equal(loss.state_dict()["part_centers"], before["part_centers"]) == (trained == "global")
    assert embeddings["head"].grad.any(), "parts are pulled in any case"


def test_a_table_of_size_0_leaves_its_heads_out() -> None:
    embeddings = {"global": torch.randn(2, 3), "head": torch.randn(2, 4)}
    pids = torch.tensor([0, 1])
    for sizes, head in (((3, 0), "global"), ((0, 4), "head")):
        loss = CenterLoss(2, *sizes)
        assert len(loss.state_dict()) == 1
        result = loss({}, embeddings, pids)
        assert set(result.details) == {head}
        torch.testing.assert_close(result.value.detach(), result.details[head])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="choose both or global"):
        CenterLoss(2, 3, 4, trained="none")
    with pytest.raises(ValueError, match="give global_size, part_size or both"):
        CenterLoss(2, 0, 0)
    pids = torch.tensor([0, 1])
    with pytest.raises(
        ValueError, match=r"'head' has the shape \(2, 3\), its centres \(2, 4\): set part_size"
    ):
        CenterLoss(2, 3, 4)({}, {"head": torch.zeros(2, 3)}, pids)
    with pytest.raises(ValueError, match="gives head; set global_size"):
        CenterLoss(2, 3, 0)({}, {"head": torch.zeros(2, 3)}, pids)
