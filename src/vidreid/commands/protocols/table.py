"""The table of the protocols, as text and as numbers."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from vidreid.commands.protocols.scores import ProtocolScores
from vidreid.commands.table import aligned, spread
from vidreid.files import write_json, write_whole

_HEAD = ("protocol", "gallery", "counted", "dropped", "rank-1", "mAP", "trapezoid", "dropped as 0", "mINP")
_SHARES = ("rank1", "mean_ap", "trapezoid", "mean_ap_of_all", "mean_inp")


def markdown(draws: Sequence[Mapping[str, ProtocolScores]]) -> str:
    """Return one line a protocol, per cent, mean ± standard deviation over draws.

    ``trapezoid`` and ``dropped as 0`` are the mAP under the two other conventions.

    Args:
        draws: Scores by protocol, the same protocols in each.
    """
    lines: list[Sequence[str]] = [_HEAD]
    for name, first in draws[0].items():
        own = [scores[name] for scores in draws]
        cells = [name + (" (wrong)" if first.wrong else ""), f"{first.gallery:,}"]
        cells += [_counts([score.counted for score in own]), _counts([score.dropped for score in own])]
        for key in _SHARES:
            values = [getattr(score, key) for score in own]
            cells.append("none" if any(math.isnan(value) for value in values) else spread(values))
        lines.append(cells)
    return aligned(lines)


def write_table(folder: Path, told: str, table: str, draws: Sequence[Mapping[str, ProtocolScores]]) -> Path:
    """Write ``protocols.md`` and ``protocols.json`` and return the first.

    Args:
        folder: Where to.
        told: The sentence above the table.
        table: The Markdown table.
        draws: The scores.
    """
    numbers = [
        {
            name: {key: None if value != value else value for key, value in asdict(scores).items()}
            for name, scores in one.items()
        }
        for one in draws
    ]
    write_json(folder / "protocols.json", {"about": told, "draws": numbers})
    with write_whole(folder / "protocols.md") as temporary:
        temporary.write_text(f"{told}\n\n{table}\n")
    return folder / "protocols.md"


def _counts(values: Sequence[int]) -> str:
    return f"{round(statistics.fmean(values)):,}"
