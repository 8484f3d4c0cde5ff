"""The benchmark of packed frames in its tiny size."""

from pathlib import Path

import pytest

from support.benchmarks import load_benchmark


def test_tiny_run(repo_root: Path, tiny_root: Path) -> None:
    benchmark = load_benchmark(repo_root, "packed_frames")
    result = benchmark.run(tiny_root, rounds=1)
    for kind in ("clips_cold", "clips_warm", "in_order_cold", "in_order_warm"):
        times = {name.removesuffix("_us"): us for name, us in result[kind].items() if name.endswith("_us")}
        sums = [times[f"{source}_bytes"] + times[f"{source}_decode"] for source in ("folders", "pack")]
        assert result[kind]["ratio"] == pytest.approx(sums[0] / sums[1])
        assert min(times.values()) > 0
    assert 0 <= result["resident_share_when_cold"] <= 1
    assert not (tiny_root / "packed").exists()


def test_what_is_in_memory_is_seen(repo_root: Path, tmp_path: Path) -> None:
    benchmark = load_benchmark(repo_root, "packed_frames")
    (file := tmp_path / "file").write_bytes(b"x" * 100_000)
    assert benchmark._resident_share([str(file)]) == 1
