import pytest
import torch

from vidreid.keypoints.skeleton import BODY12, COCO17
from vidreid.models.layers.neighbours import clip_neighbours


@pytest.mark.parametrize("skeleton", [BODY12, COCO17], ids=["body12", "coco17"])
@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize("kind", ["both", "spatial", "temporal"])
def test_the_tables_say_what_two_joints_make_an_edge(skeleton, frames, kind) -> None:
    joints = len(skeleton)
    limbs = {frozenset(edge) for edge in skeleton.edges}

    def is_edge(a: int, b: int) -> bool:
        (ta, ja), (tb, jb) = divmod(a, joints), divmod(b, joints)
        spatial = ta == tb and frozenset((ja, jb)) in limbs
        temporal = ja == jb and abs(ta - tb) == 1
        return (spatial and kind != "temporal") or (temporal and kind != "spatial")

    nodes = range(frames * joints)
    expected = [(a, b) for a in nodes for b in nodes if is_edge(a, b)]
    neighbours = clip_neighbours(skeleton, frames, kind)
    assert [tuple(edge) for edge in neighbours.edges.T.tolist()] == expected

    for node in nodes:
        if neighbours.connected is not None and not neighbours.connected[node]:
            assert node not in {b for _, b in expected}
            continue
        used = (neighbours.penalty[node, :, 0] == 0).tolist()
        in_table = [u for u, use in zip(neighbours.table[node].tolist(), used, strict=True) if use]
        assert in_table == [a for a, b in expected if b == node]
    unused = neighbours.penalty[neighbours.penalty != 0]
    assert torch.isneginf(unused).all()
    if neighbours.adjacency is not None:
        assert {(a, b) for b, a in neighbours.adjacency.nonzero().tolist()} == set(expected)
        assert set(neighbours.adjacency.unique().tolist()) <= {0.0, 1.0}
    assert torch.softmax(neighbours.penalty, 1).isfinite().all()
    assert (neighbours.connected is None) == ({b for _, b in expected} == set(nodes))


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="choose both, spatial or temporal"):
        clip_neighbours(BODY12, 2, "all")
