"""How much each attribute tells."""

import json
from pathlib import Path

import numpy as np


def entropies(attributes: list[dict[str, int]]) -> dict[str, float]:
    """Return the empirical entropy of every attribute in bits."""
    result = {}
    for name in attributes[0]:
        _, counts = np.unique([who[name] for who in attributes], return_counts=True)
        share = counts / counts.sum()
        result[name] = float(-(share * np.log2(share)).sum())
    return result


def entropy_table(description: Path) -> list[str]:
    """Lay out the entropies of the test identities as a Markdown table.

    Args:
        description: ``synthetic.json`` of a tree.
    """
    told = list(json.loads(description.read_text())["test"]["attributes"].values())
    lines = [
        f"Attributes of {len(told)} test identities (log2 of their number is {np.log2(len(told)):.1f} bits):",
        "",
        "| attribute   | values | entropy, bits |",
        "|-------------|-------:|--------------:|",
    ]
    for name, bits in entropies(told).items():
        lines.append(f"| {name:<11} | {len({who[name] for who in told}):6d} | {bits:13.2f} |")
    return lines
