"""The report of an inspection in plain words and as JSON."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from vidreid.data.inspection.findings import SEVERITIES
from vidreid.data.inspection.inspect import Inspection
from vidreid.data.inspection.keypoint_findings import keypoint_table
from vidreid.data.inspection.tables import asked, cameras_per_identity, counts_of, distractors

_WIDTH = 110
_INDENT = 9
_COLUMNS = ("tracklets", "identities", "frames", "cameras")
_LENGTHS = ("min", "mean", "median", "max")


def as_json(found: Inspection, pictures: Sequence[str]) -> dict[str, Any]:
    """Return everything as plain values.

    Args:
        found: The inspection.
        pictures: Names of the files beside the report.
    """
    data, benchmark = found.data, found.data.benchmark
    return {
        "benchmark": benchmark.name,
        "root": str(data.root),
        "protocol": data.protocol,
        "ready": found.ready,
        "frames": {"all": found.uses.total, "looked_at": len(found.uses.looked_at)},
        "counts": _counts(found),
        "distractors": distractors(benchmark, data.protocol),
        "cameras_per_identity": _cameras(found),
        "keypoints": {split: keypoint_table(counts) for split, counts in found.keypoints.items()},
        "findings": [finding.as_json() for finding in found.findings],
        "pictures": list(pictures),
    }


def refused(root: str, sentence: str) -> dict[str, Any]:
    """Return the report of data that their reader refuses."""
    finding = {"code": "refused", "severity": "error", "sentence": sentence, "where": []}
    return {"root": root, "ready": False, "findings": [finding], "pictures": []}


def as_text(found: Inspection) -> str:
    """Return the report in plain words: what was found, most important first, then counts."""
    data = found.data
    lines = [f"{data.benchmark.name} in {data.root}, protocol {data.protocol}", ""]
    for severity in SEVERITIES:
        for finding in found.findings:
            if finding.severity == severity:
                lines.append(
                    textwrap.fill(
                        finding.sentence,
                        _WIDTH,
                        initial_indent=f"{severity:<{_INDENT}}",
                        subsequent_indent=" " * _INDENT,
                        break_long_words=False,
                        break_on_hyphens=False,
                    )
                )
    if found.findings:
        lines.append("")
    lines += _count_lines(_counts(found))
    lines.append(f"distractors in the gallery: {distractors(data.benchmark, data.protocol):,} tracklets")
    lines += ["", *_camera_lines(_cameras(found))]
    for split, counts in found.keypoints.items():
        lines += ["", *_keypoint_lines(split, str(data.keypoints), keypoint_table(counts))]
    return "\n".join(lines)


def _counts(found: Inspection) -> dict[str, dict[str, Any]]:
    data, benchmark = found.data, found.data.benchmark
    return {
        "train": counts_of(benchmark.train, data.clip_length),
        "query": counts_of(benchmark.query(data.protocol), data.test_clip_length),
        "gallery": counts_of(benchmark.gallery(data.protocol), data.test_clip_length),
    }


def _cameras(found: Inspection) -> dict[str, dict[int, int]]:
    benchmark = found.data.benchmark
    return {
        "train": cameras_per_identity(benchmark.train),
        "test": cameras_per_identity(asked(benchmark, found.data.protocol)),
    }


def _count_lines(counts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    head = f"{'':<9}" + "".join(f"{name:>12}" for name in _COLUMNS) + "   length: "
    head += " ".join(f"{name:>6}" for name in _LENGTHS) + "   shorter than a clip"
    lines = [head]
    for split, own in counts.items():
        line = f"{split:<9}" + "".join(f"{own[name]:>12,}" for name in _COLUMNS) + " " * 11
        line += " ".join(f"{_plain(own['length'][name]):>6}" for name in _LENGTHS)
        lines.append(f"{line}   {own['shorter_than_clip']:,} (of {own['clip_length']} frames)")
    return lines


def _camera_lines(cameras: Mapping[str, Mapping[int, int]]) -> list[str]:
    columns = sorted({number for own in cameras.values() for number in own})
    lines = ["identities by the number of cameras that see them (test: those whom a query asks for)"]
    lines.append(f"{'':<9}" + "".join(f"{number:>8}" for number in columns))
    for split, own in cameras.items():
        lines.append(f"{split:<9}" + "".join(f"{own.get(number, 0):>8,}" for number in columns))
    return lines


def _keypoint_lines(split: str, source: str, table: Mapping[str, Any]) -> list[str]:
    lines = [f"keypoints {source!r} of {split}: {_share(table['frames_with_joints'])} of frames have joints"]
    shares = [(f"{name} missing", share) for name, share in table["missing"].items()]
    shares += [
        ("outside the crop", table["outside"]),
        ("upright in the crop", table["plausible"]["as stored"]),
        ("left/right exchanged", table["left_right_swapped"]),
        ("frozen", table["frozen"]),
    ]
    cells = [f"{name:<23}{_share(share):>7}" for name, share in shares]
    lines += ["  " + "    ".join(cells[start : start + 3]) for start in range(0, len(cells), 3)]
    return lines


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
