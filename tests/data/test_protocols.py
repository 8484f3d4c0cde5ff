import pandas as pd
import pytest

from vidreid.data.protocols import PROTOCOLS, find_protocol

TEST = pd.DataFrame(
    {"pid": [-1, 0, 3, 3, 6], "camera": [1, 1, 1, 2, 1], "is_query": [False, False, True, False, True]}
)


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("official", [0, 2, 3, 2, 3]),
        ("junk_as_wrong", [2, 2, 3, 2, 3]),
        ("queries_removed", [0, 2, 1, 2, 1]),
        ("no_distractors", [0, 0, 1, 2, 1]),
        ("legacy_unfiltered", [0, 2, 1, 2, 1]),
    ],
)
def test_roles_by_hand(name, roles):
    protocol = find_protocol(name)
    assert protocol.roles(TEST).tolist() == roles
    assert protocol.roles(TEST).dtype == "int64"
    assert protocol.name == name
    assert protocol.junk == ("wrong" if name == "junk_as_wrong" else "ignored")


def test_an_unknown_name_is_answered_with_the_choices():
    with pytest.raises(
        ValueError, match="'offical': choose one of official, junk_as_wrong, queries_removed, no_distractors"
    ):
        find_protocol("offical")
    assert next(iter(PROTOCOLS)) == "official"


def test_only_the_legacy_protocol_is_wrong_and_says_so():
    for name, protocol in PROTOCOLS.items():
        wrong = name == "legacy_unfiltered"
        assert protocol.cameras == ("legacy_frames" if wrong else "tracklets")
        assert (protocol.warning is not None) == wrong
        assert protocol.summary.startswith("Wrong") == wrong
    assert "are wrong" in PROTOCOLS["legacy_unfiltered"].warning
