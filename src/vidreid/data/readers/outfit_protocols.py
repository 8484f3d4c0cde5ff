"""The three ways of evaluating a benchmark in which people change clothes."""

from dataclasses import replace

from vidreid.data.protocols import Protocol


def outfit_protocols(plain: Protocol) -> dict[str, Protocol]:
    """Return a protocol and its two questions about outfits, by name.

    Queries and gallery stay the same; what differs is which items of the query's identity count.

    Args:
        plain: Under which all outfits are answers.
    """
    variants = (
        plain,
        replace(
            plain,
            name="same_clothes",
            summary=f"As {plain.name}, but only the query's own outfit is an answer; the identity's others "
            "are ignored.",
            answers="same_outfit",
        ),
        replace(
            plain,
            name="clothes_changing",
            summary=f"As {plain.name}, but only another outfit than the query's is an answer; the identity's "
            "tracklets in the same one are ignored.",
            answers="other_outfit",
        ),
    )
    return {protocol.name: protocol for protocol in variants}
