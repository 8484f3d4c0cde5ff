"""What an inspection finds, in words and as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Most important first. With an error training or evaluation would be wrong."""

_EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """One thing that somebody who wants to train should know.

    Attributes:
        code: Short and stable, for programs.
        severity: ``error``, ``warning`` or ``note``.
        what: What was found, without a full stop.
        cure: What to do about it, without a full stop; empty if there is nothing to do.
        where: All places, such as paths of frames.
    """

    code: str
    severity: Severity
    what: str
    cure: str = ""
    where: Sequence[str] = ()

    @property
    def sentence(self) -> str:
        """The finding in one sentence with the first few places."""
        more = ", …" if len(self.where) > _EXAMPLES else ""
        places = f" ({', '.join(self.where[:_EXAMPLES])}{more})" if self.where else ""
        cure = f": {self.cure}" if self.cure else ""
        return f"{self.what}{places}{cure}."

    def as_json(self) -> dict[str, Any]:
        """Return plain values; ``where`` is whole."""
        return {
            "code": self.code,
            "severity": self.severity,
            "sentence": self.sentence,
            "where": list(self.where),
        }


def most_important_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by severity; findings of the same severity keep their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def number(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: ``1 frame``, ``1,200 frames``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share in per cent, without decimals from 10 on: ``0.3 %``, ``12 %``."""
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"
