"""Trainings as a user runs them: results, evaluation again, interruption and resuming, sweeps, bad input."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.errors import ConfigCompositionException

from support.runs import NARROW, SMALL, call, compose_training, start
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.train import train

KMPNET = (
    "experiment=kmpnet_pcb_synthetic",
    *SMALL,
    *NARROW,
    "model.graph.layers=[1,1,1,1]",
    "model.graph.width=16",
)
NUMBERS = ("rank1", "rank5", "mAP", "mINP", "queries_counted", "queries_dropped", "gallery", "cmc")


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def numbers(run: Path) -> dict[str, Any]:
    metrics = json.loads((run / "metrics.json").read_text())
    return {name: metrics[name] for name in NUMBERS}


@pytest.fixture(scope="module")
def pcb_run(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "pcb"
    train(
        compose_training(tiny_root, run, "experiment=pcb_synthetic", *SMALL, *NARROW, "trainer.max_epochs=2")
    )
    return run


def eval_config(repo_root: Path, run: Path, *overrides: str) -> Any:
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(repo_root / "conf"), version_base="1.3"):
        return compose("eval", [f"run={run}", *overrides])


def test_evaluating_again_repeats_the_numbers(
    pcb_run: Path, repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = evaluate_run(eval_config(repo_root, pcb_run))
    assert {name: again[name] for name in NUMBERS} == numbers(pcb_run)
    assert "the same numbers as in the run's metrics.json" in capsys.readouterr().out


def test_another_protocol_has_its_own_file(pcb_run: Path, repo_root: Path) -> None:
    before = (pcb_run / "metrics.json").read_bytes()
    other = evaluate_run(eval_config(repo_root, pcb_run, "data.protocol=no_distractors"))
    stored = json.loads((pcb_run / "eval_protocol-no_distractors_last.json").read_text())
    assert stored["protocol"] == "no_distractors"
    assert other["gallery"] < json.loads(before)["gallery"]
    assert (pcb_run / "metrics.json").read_bytes() == before


def test_the_legacy_evaluation_prints_its_number_and_a_warning(
    pcb_run: Path, repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = evaluate_run(eval_config(repo_root, pcb_run, "data.protocol=queries_removed"))
    assert "warning" not in right
    assert "warning" not in capsys.readouterr().out
    wrong = evaluate_run(eval_config(repo_root, pcb_run, "data.protocol=legacy_unfiltered"))
    stored = json.loads((pcb_run / "eval_protocol-legacy_unfiltered_last.json").read_text())
    assert stored["warning"] == wrong["warning"]
    assert wrong["gallery"] == right["gallery"]
    assert wrong["queries_counted"] != right["queries_counted"]
    printed = capsys.readouterr().out
    assert f"protocol legacy_unfiltered:  rank1 {100 * wrong['rank1']:.2f}" in printed
    assert f"warning: {wrong['warning']}" in printed
    assert "These numbers are wrong" in printed


@pytest.mark.slow
def test_a_killed_run_ends_as_an_uninterrupted_one(tiny_root: Path, tmp_path: Path, repo_root: Path) -> None:
    """kill -9 in stage 2, Ctrl-C in stage 1: the resumed run ends with the same weights and numbers."""
    epochs = ("trainer.max_epochs=4", "stages.visual.trainer.max_epochs=3")
    whole = tmp_path / "whole"
    train(compose_training(tiny_root, whole, *KMPNET, *epochs))

    torn = tmp_path / "torn"
    command = (*KMPNET, *epochs, f"data.root={tiny_root}", f"hydra.run.dir={torn}")
    process = start(repo_root, "train.py", *command, cwd=tmp_path)
    _wait_for(torn / "visual_stage" / "checkpoints" / "last.ckpt", process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) != 0
    assert not (torn / "metrics.json").exists()
    _no_half_files(torn)

    process = start(repo_root, "train.py", f"resume={torn}", cwd=tmp_path)
    _wait_for(torn / "checkpoints" / "last.ckpt", process)
    process.kill()
    process.wait(timeout=60)
    assert not (torn / "metrics.json").exists()

    status, output = call(repo_root, "train.py", f"resume={torn}", cwd=tmp_path)
    assert status == 0, output
    assert "going on after epoch" in output
    for key, value in weights(whole).items():
        assert torch.equal(value, weights(torn)[key]), key
    assert numbers(torn) == numbers(whole)
    assert numbers(torn / "visual_stage") == numbers(whole / "visual_stage")


def _wait_for(file: Path, process: Any) -> None:
    for _ in range(1200):
        if file.is_file():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    pytest.fail(f"{file} did not appear")


def _no_half_files(run: Path) -> None:
    assert not list(run.rglob("*partial*"))


@pytest.mark.slow
def test_resume_takes_no_other_settings(pcb_run: Path, repo_root: Path, tmp_path: Path) -> None:
    status, output = call(repo_root, "train.py", f"resume={pcb_run}", "optimizer.lr=1", cwd=tmp_path)
    assert status == 1
    assert (
        "error: resume goes on with the settings that the run was started with: leave out optimizer.lr=1"
        in output
    )


@pytest.mark.slow
def test_a_sweep_has_a_folder_for_each_job(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    status, output = call(
        repo_root,
        "train.py",
        "-m",
        "experiment=pcb_synthetic",
        *SMALL,
        *NARROW,
        "trainer.max_epochs=1",
        "optimizer.lr=0.001,0.002",
        f"data.root={tiny_root}",
        cwd=tmp_path,
    )
    assert status == 0, output
    files = sorted(tmp_path.glob("runs/pcb_synthetic/sweep_*/*/metrics.json"))
    assert [file.parent.name for file in files] == ["0", "1"]
    rates = [
        __import__("yaml").safe_load((f.parent / "config.yaml").read_text())["optimizer"]["lr"] for f in files
    ]
    assert rates == [0.001, 0.002]


def test_best_is_chosen_on_held_out_identities(tiny_root: Path, tmp_path: Path) -> None:
    config = compose_training(
        tiny_root, tmp_path, "experiment=pcb_synthetic", *SMALL, *NARROW,
        "select=best", "data.held_out_identities=2", "trainer.max_epochs=2",
    )  # fmt: skip
    metrics = train(config)
    assert metrics["checkpoint"] == "checkpoints/best.ckpt"
    assert (tmp_path / "checkpoints" / "last.ckpt").is_file()


def test_a_graph_that_does_not_fit_is_said_before_the_first_stage(tiny_root: Path, tmp_path: Path) -> None:
    config = compose_training(tiny_root, tmp_path / "run", *KMPNET, "model.graph.layers=[1,1]")
    with pytest.raises(Exception, match="gives 5 maps, and 2 groups of graph layers need 3"):
        train(config)
    assert not (tmp_path / "run" / "visual_stage").exists()


def test_a_folder_with_other_settings_is_not_gone_on_with(pcb_run: Path, tiny_root: Path) -> None:
    """The same call again finds the finished run; another one is refused and leaves it as it is."""
    again = ("experiment=pcb_synthetic", *SMALL, *NARROW)
    before = (pcb_run / "metrics.json").read_bytes()
    metrics = train(compose_training(tiny_root, pcb_run, *again, "trainer.max_epochs=2"))
    assert metrics == json.loads(before)
    with pytest.raises(ValueError, match=r"run with other settings \(trainer.max_epochs: 2 there, 3 here\)"):
        train(compose_training(tiny_root, pcb_run, *again, "trainer.max_epochs=3"))
    assert (pcb_run / "metrics.json").read_bytes() == before


def test_an_override_that_does_not_exist_is_named(tiny_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigCompositionException) as error:
        compose_training(tiny_root, tmp_path, "trainer.epochs=3")
    assert "trainer.epochs" in str(error.value)


def test_a_missing_root_is_one_sentence(repo_root: Path, tmp_path: Path) -> None:
    status, output = call(
        repo_root, "train.py", "experiment=pcb_synthetic", f"data.root={tmp_path}/none", cwd=tmp_path
    )
    assert status == 1
    assert "Traceback" not in output
    assert "error: " in output
    assert f"{tmp_path}/none" in output


@pytest.mark.slow
@pytest.mark.parametrize("script", ["eval.py", "export.py"])
def test_a_misspelt_run_leaves_nothing_behind(script: str, repo_root: Path, tmp_path: Path) -> None:
    status, output = call(repo_root, script, "run=nowhere", cwd=tmp_path)
    assert status == 1
    assert output.startswith("error: nowhere is not a run folder")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_identity_count_is_refused(
    tiny_root: Path, pcb_run: Path, tmp_path: Path
) -> None:
    config = compose_training(
        tiny_root, tmp_path / "run", *KMPNET,
        "data.held_out_identities=2", f"visual_checkpoint={pcb_run}/checkpoints/last.ckpt",
    )  # fmt: skip
    with pytest.raises(ValueError, match="is of another network"):
        train(config)


def test_a_visual_checkpoint_skips_stage_one(tiny_root: Path, pcb_run: Path, tmp_path: Path) -> None:
    """With no further epochs of training the visual branch of stage 2 is that of the checkpoint."""
    config = compose_training(
        tiny_root, tmp_path / "run", *KMPNET, "trainer.max_epochs=1", "optimizer.lr=0.0",
        f"visual_checkpoint={pcb_run}/checkpoints/last.ckpt",
    )  # fmt: skip
    train(config)
    assert not (tmp_path / "run" / "visual_stage").exists()
    before, after = weights(pcb_run), weights(tmp_path / "run")
    kernels = [key for key in before if key.endswith("conv1.weight")]
    assert kernels
    assert all(torch.equal(before[key], after[key]) for key in kernels)


@pytest.mark.slow
def test_a_refused_training_leaves_no_folder(repo_root: Path, tmp_path: Path) -> None:
    settings = ("experiment=pcb_synthetic", f"data.root={tmp_path / 'nowhere'}")
    for more in ((), ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")):
        status, output = call(repo_root, "train.py", *settings, *more, cwd=tmp_path)
        assert status == 1
        assert "There is no folder" in output
        assert list((tmp_path / "runs" / "pcb_synthetic").iterdir()) == []


@pytest.mark.slow
def test_two_processes_share_a_run_and_its_numbers(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    """Two ranks write one folder, and one process evaluates the checkpoint to the same numbers."""
    run = tmp_path / "run"
    status, output = call(
        repo_root,
        "train.py",
        "experiment=kmpnet_pcb_synthetic",
        *SMALL,
        *NARROW,
        "model.graph.layers=[1,1,1,1]",
        "data.batch_size=2",
        "stages.visual.data.batch_size=2",
        "stages.visual.trainer.max_epochs=1",
        "trainer.max_epochs=1",
        "trainer.devices=2",
        "trainer.strategy=ddp",
        f"data.root={tiny_root}",
        f"hydra.run.dir={run}",
        cwd=tmp_path,
    )
    assert status == 0, output
    assert not (tmp_path / "runs").exists(), "the second rank has no folder of its own"
    alone = evaluate_run(eval_config(repo_root, run, "trainer.devices=1", "trainer.strategy=auto"))
    together = numbers(run)
    assert alone["queries_counted"] == together["queries_counted"] > 0
    for name in ("rank1", "rank5", "mAP", "mINP"):
        assert alone[name] == pytest.approx(together[name], abs=1e-7)


@pytest.mark.slow
def test_weights_and_biases_gets_everything_offline(tiny_root: Path, tmp_path: Path) -> None:
    """Config with parameter counts, curves and pictures lie in the offline run, ready to be synced."""
    config = compose_training(
        tiny_root, tmp_path, "experiment=pcb_synthetic", *SMALL, *NARROW,
        "data.keypoints=detector", "logger.wandb.mode=offline", "trainer.max_epochs=1",
    )  # fmt: skip
    train(config)
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    pictures = folder / "files" / "media" / "images" / "pictures"
    media = {path.name.split("_")[0] for path in pictures.iterdir()}
    assert media == {"skeletons", "ranked", "cmc"}
    (log,) = folder.glob("*.wandb")
    content = log.read_bytes()
    for word in ("train/identity/stripe_1", "lr-Adam", "train/frames_per_second", "test/mAP", "trainable"):
        assert word.encode() in content, word
    assert (tmp_path / "wandb" / "run_id").read_text() in folder.name


def test_missing_imagenet_weights_name_the_two_ways_out(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> Any:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    monkeypatch.setattr("vidreid.models.backbones.weights.try_to_load_from_cache", lambda *args: None)
    config = compose_training(tiny_root, tmp_path, "experiment=kmpnet_pcb_mars", *SMALL)
    with pytest.raises(SystemExit):
        plain_errors(train)(config)
    sentence = capsys.readouterr().err
    assert "`model.visual.weights=FILE`" in sentence
    assert "`model.visual.pretrained=false`" in sentence
    assert "Traceback" not in sentence


@pytest.mark.slow
def test_a_study_goes_on_where_it_stopped_and_makes_its_table(
    tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    """Rows of a seed share the first stage, nothing runs twice, and the last row has three descriptors."""
    small = (
        *SMALL, *NARROW, "model.graph.layers=[1,1,1,1]", "model.graph.width=8", "callbacks.pictures=null",
        "stages.visual.trainer.max_epochs=1", "trainer.max_epochs=1", "stages.visual.data.batch_size=4",
        f"data.root={tiny_root}", "seed=0",
    )  # fmt: skip
    status, output = call(
        repo_root, "train.py", "-m", "study=kmpnet_ablation", *small, "arm=both,visual", cwd=tmp_path
    )
    assert status == 0, output
    folder = tmp_path / "runs" / "studies" / "kmpnet_ablation"
    first = folder / "visual" / "seed_0"
    written = (first / "checkpoints" / "last.ckpt").stat().st_mtime_ns
    assert not (folder / "both" / "seed_0" / "visual_stage").exists()

    status, output = call(
        repo_root,
        "train.py",
        "-m",
        "study=kmpnet_ablation",
        *small,
        "arm=visual,visual_twice,both",
        cwd=tmp_path,
    )
    assert status == 0, output
    assert output.count("finished before:") == 2
    assert (first / "checkpoints" / "last.ckpt").stat().st_mtime_ns == written

    status, output = call(repo_root, "collect.py", f"folder={folder}", cwd=tmp_path)
    assert status == 0, output
    rows = [line.split("|")[1].strip() for line in (folder / "table.md").read_text().splitlines()[4:]]
    assert rows == [
        "PCB baseline", "+ fine-tune", "+ both (KMPNet)", "the graph's embedding x_g", "both embeddings",
    ]  # fmt: skip
    runs = (folder / "runs.csv").read_text().splitlines()
    assert len(runs) == 6
    graph = json.loads((folder / "both" / "seed_0" / "eval_descriptor-graph_last.json").read_text())
    assert graph["descriptor"] == "graph"
    assert graph["mAP"] != json.loads((folder / "both" / "seed_0" / "metrics.json").read_text())["mAP"]
