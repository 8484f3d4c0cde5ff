"""What does not change with the number of processes, in real trainings and evaluations on 1 to 3 of them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from training.ddp_problem import STEP, TEST, TRAIN, WORLDS, Small, make_data, make_module, make_trainer

Results = dict[int, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ddp")
    script = Path(__file__).with_name("ddp_problem.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, script, out],
        env=environment, timeout=570, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return out


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return {world: [torch.load(folder / f"{world}_{r}.pt") for r in range(world)] for world in WORLDS}


@pytest.mark.parametrize("world", WORLDS[1:])
@pytest.mark.parametrize("sampler", ["random", "identity"])
def test_processes_train_as_one_with_the_joined_batch(results: Results, sampler: str, world: int) -> None:
    """Identity loss and no batch statistics: the same gradient, step after step."""
    alone = results[1][0][sampler]
    assert alone["steps"] > 2
    for rank in range(world):
        shared = results[world][rank][sampler]
        assert shared["steps"] == alone["steps"]
        assert shared["gradients"].keys() == alone["gradients"].keys() != set()
        for what in ("gradients", "weights"):
            torch.testing.assert_close(shared[what], alone[what], rtol=0, atol=1e-6)
    assert max(gradient.abs().max() for gradient in alone["gradients"].values()) > 1e-3
    start = Small(8, batch_statistics=False).state_dict()
    assert (start["classifier.weight"] - alone["weights"]["classifier.weight"]).abs().max() > 0.05


@pytest.mark.parametrize("world", WORLDS[1:])
@pytest.mark.parametrize("training", ["random", "identity"])
def test_weights_are_the_same_bits_on_all_ranks(results: Results, training: str, world: int) -> None:
    first, *others = [results[world][rank] for rank in range(world)]
    for other in others:
        for name, value in first[training]["weights"].items():
            assert torch.equal(value, other[training]["weights"][name]), name
        for name, value in first["dropout"]["parameters"].items():
            assert torch.equal(value, other["dropout"]["parameters"][name]), name


@pytest.mark.parametrize("world", WORLDS[1:])
def test_dropout_differs_between_ranks_and_steps(results: Results, world: int) -> None:
    noises = [results[world][rank]["dropout"]["noises"] for rank in range(world)]
    drawn = [tuple(noise.flatten().tolist()) for steps in noises for noise in steps]
    assert {value for noise in drawn for value in noise} == {0.0, 2.0}
    assert len(noises[0]) > 4
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("world", WORLDS)
def test_validation_is_that_of_one_process_with_the_weights(
    results: Results, folder: Path, tmp_path: Path, world: int
) -> None:
    """Batch statistics of the ranks are not the same after a step; all describe with those of the first."""
    data = make_data(folder / "mars", 1, held_out_identities=2)
    module = make_module(Small(data.num_identities, batch_statistics=True))
    stored = results[world][0]["dropout"]
    module.network.load_state_dict(stored["weights"])
    make_trainer(1, tmp_path).validate(module, datamodule=data, verbose=False)
    assert module.evaluation is not None
    assert module.evaluation.scalars["queries_counted"] > 3
    for rank in range(world):
        scores = results[world][rank]["dropout"]["validation"]
        assert scores == pytest.approx(module.evaluation.scalars, abs=1e-7)


@pytest.mark.parametrize("world", WORLDS[1:])
@pytest.mark.parametrize("case", ["tested", "few"])
def test_the_test_set_has_the_numbers_of_one_process(results: Results, case: str, world: int) -> None:
    alone = results[1][0][case]
    if case == "tested":
        assert alone["clips"] % 2
        assert alone["clips"] % 3
        assert alone["clips"] > len(TEST)
        assert 0.05 < alone["scores"]["mAP"] < 0.95
        assert alone["scores"]["queries_counted"] == len(TEST)
    else:
        assert alone["clips"] == 2
        assert alone["scores"]["queries_counted"] == 1
    for rank in range(world):
        shared = results[world][rank][case]
        assert shared["scores"] == pytest.approx(alone["scores"], abs=1e-7)
        assert shared["scores"]["queries_counted"] == alone["scores"]["queries_counted"]
        torch.testing.assert_close(shared["aps"], alone["aps"], rtol=0, atol=1e-7)


def test_the_problem_leaves_some_out() -> None:
    assert len(TRAIN) % STEP
    assert len({pid for pid, *_ in TRAIN}) % STEP
