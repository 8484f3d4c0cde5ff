"""The GPU benchmark in its tiny size: what it counts and what it says."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from support.benchmarks import load_benchmark


@pytest.fixture(scope="module")
def accelerator(repo_root: Path) -> ModuleType:
    return load_benchmark(repo_root, "accelerator")


def counted_by_hand(network: nn.Module, images: torch.Tensor) -> int:
    """Operations of a training step of convolutions and linear layers, from their shapes.

    Forward, gradient of the weights and gradient of the input take the same number; nobody asks for the
    gradient of the images.
    """
    forward: list[int] = []

    def count(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            assert module.groups == 1
            forward.append(2 * output.numel() * module.in_channels * module.kernel_size[0] ** 2)
        elif isinstance(module, nn.Linear):
            forward.append(2 * output.numel() * module.in_features)

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    network(images)
    for hook in hooks:
        hook.remove()
    return 3 * sum(forward) - forward[0]


def test_tiny_run(accelerator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert accelerator.main(["--tiny", "--modes", "eager", "--peak-tflops", "100"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["variants"].keys() == {"pcb_eager", "kmpnet_eager"}
    assert result["setting"]["peak_is"] == "as given"
    size = accelerator.TINY
    for variant in result["variants"].values():
        seconds = variant["step_ms"] / 1e3
        assert variant["frames_per_second"] == pytest.approx(size.clips * size.frames / seconds)
        assert variant["tflops"] == pytest.approx(variant["gflop_a_step"] / 1e3 / seconds)
    steps = {name: variant["step_ms"] for name, variant in result["variants"].items()}
    assert result["overhead_ratio"] == {"eager": pytest.approx(steps["kmpnet_eager"] / steps["pcb_eager"])}

    network = accelerator.make_networks(size)["pcb"].train()
    images = torch.randn(size.clips, size.frames, 3, *size.frame)
    assert result["variants"]["pcb_eager"]["gflop_a_step"] * 1e9 == counted_by_hand(network, images)


def test_tiny_run_of_transformers(accelerator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert accelerator.main(["--method", "key_reid", "--tiny", "--modes", "eager"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["variants"].keys() == {"vid_trans_reid_eager", "key_reid_eager"}
    size = accelerator.TINY_SIZES["key_reid"]
    for variant in result["variants"].values():
        assert variant["clips_per_second"] == pytest.approx(size.clips / (variant["step_ms"] / 1e3))
        assert variant["gflop_a_step"] > 0
    steps = [variant["step_ms"] for variant in result["variants"].values()]
    assert result["overhead_ratio"] == {"eager": pytest.approx(steps[1] / steps[0])}


@pytest.mark.slow
def test_compiled_steps_take_the_count_of_the_eager_ones(accelerator: ModuleType) -> None:
    result = accelerator.run(accelerator.TINY, ["compiled"], backend="eager")
    assert result["variants"].keys() == {"pcb_compiled", "kmpnet_compiled"}
    counts = [variant["gflop_a_step"] for variant in result["variants"].values()]
    assert 0 < counts[0] < counts[1]
    assert result["overhead_ratio"].keys() == {"compiled"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(accelerator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert accelerator.main([]) == 1
    assert capsys.readouterr().err == (
        "This benchmark needs a GPU and torch sees none: use --tiny to try it out.\n"
    )
