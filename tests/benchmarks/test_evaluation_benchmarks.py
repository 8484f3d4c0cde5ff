"""The benchmarks of evaluation in tiny sizes: what they report and what they say."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

from support.benchmarks import load_benchmark
from vidreid.metrics.ranking import rank


@pytest.fixture(scope="module")
def scale(repo_root: Path) -> ModuleType:
    return load_benchmark(repo_root, "evaluation_scale")


@pytest.fixture(scope="module")
def on_gpu(repo_root: Path) -> ModuleType:
    return load_benchmark(repo_root, "evaluation_accelerator")


def test_the_problem_is_neither_easy_nor_hopeless(scale: ModuleType) -> None:
    arguments = scale.problem(300, 3000)
    assert [len(x) for x in arguments] == [300, 3000] * 3
    result = rank(*arguments)
    assert 0.1 < result.mean_ap < 0.9
    assert result.queries_counted > 290


@pytest.mark.slow
def test_sizes_run_in_processes_of_their_own(scale: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    scale.main(["60x500", "100x500"])
    result = json.loads(capsys.readouterr().out)
    first, second = (result["sizes"][size] for size in ("60 x 500", "100 x 500"))
    assert first["minutes"] * 60 == pytest.approx(first["seconds_per_billion_pairs"] * 60 * 500 / 1e9)
    rates = [figures["seconds_per_billion_pairs"] for figures in (first, second)]
    assert result["slowest_over_fastest_pair"] == pytest.approx(max(rates) / min(rates))
    assert first["mAP"] == pytest.approx(rank(*scale.problem(60, 500)).mean_ap, abs=1e-12)
    assert first["peak_mb"] > first["peak_mb_beside_features"] >= 0


def test_tiny_run(on_gpu: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_gpu.main(["--tiny"]) == 0
    result = json.loads(capsys.readouterr().out)
    parts, size = result["parts"], on_gpu.TINY
    assert parts.keys() == {"mars", "streamed"}
    assert parts["mars"]["target_ms"] == 50
    assert parts["mars"]["best_ms"] <= parts["mars"]["median_ms"]
    streamed = parts["streamed"]
    assert streamed["gallery_gb"] == pytest.approx(size.streamed * size.width * 4 / 1e9)
    assert streamed["gb_per_second"] == pytest.approx(streamed["gallery_gb"] / streamed["best_ms"] * 1e3)
    assert (parts["mars"]["gpu_peak_mib"] is None) == (not torch.cuda.is_available())


def test_different_rankings_are_an_error(on_gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def nearly(*arguments: torch.Tensor, device: object = None):
        return rank(arguments[0] + (0.5 if device is not None else 0), *arguments[1:])

    monkeypatch.setattr(on_gpu, "rank", nearly)
    with pytest.raises(AssertionError, match="rank differently"):
        on_gpu.run(on_gpu.TINY)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(on_gpu: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_gpu.main([]) == 1
    assert capsys.readouterr().err == (
        "This benchmark needs a GPU and torch sees none: use --tiny to try it out.\n"
    )
