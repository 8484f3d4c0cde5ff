"""Trainings on several processes: who starts them, one folder, one voice, one end."""

import fcntl
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import OmegaConf

from support.fake_slurm import make_fake_slurm
from support.ports import free_port
from support.runs import NARROW, SMALL, compose_training, start
from vidreid.commands import config_dir
from vidreid.commands.launching import folders, gpus
from vidreid.commands.launching.everywhere import everywhere, wanted_processes
from vidreid.commands.launching.folders import alone_in, new_run_folder
from vidreid.commands.launching.local_processes import settled
from vidreid.commands.launching.place import Place

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none", "RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4",
    "GROUP_RANK": "1",
}  # fmt: skip
SRUN = {
    "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4",
    "SLURM_NNODES": "2", "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_NODEID": "1",
    "SLURM_JOB_NAME": "train",
}  # fmt: skip

PCB = (
    "experiment=pcb_synthetic", *SMALL, *NARROW, "data.batch_size=2", "trainer.max_epochs=1",
    "callbacks.pictures=null",
)  # fmt: skip
KMPNET = (
    "experiment=kmpnet_pcb_synthetic", *SMALL, *NARROW, "model.graph.layers=[1,1,1,1]",
    "model.graph.width=16", "data.batch_size=2", "stages.visual.data.batch_size=2",
    "stages.visual.trainer.max_epochs=1", "trainer.max_epochs=1", "callbacks.pictures=null",
)  # fmt: skip
TRANSFORMER = (
    "experiment=key_reid_synthetic", *SMALL, "data.identities_per_batch=2", "data.tracklets_per_identity=2",
    "data.height=64", "data.width=32", "model.backbone.embedding=16", "model.backbone.depth=3",
    "model.backbone.heads=2", "trainer.max_epochs=2", "callbacks.pictures=null",
)  # fmt: skip
TWO = ("trainer=ddp", "trainer.devices=2")
NUMBERS = ("rank1", "rank5", "rank10", "mAP", "mINP", "cmc", "queries_counted", "queries_dropped", "gallery")


@pytest.fixture(autouse=True)
def own_rank() -> Iterator[None]:
    """A trainer built as if by torchrun leaves its rank in Lightning, and later tests would be silent."""
    before = getattr(rank_zero_only, "rank", None)
    yield
    rank_zero_only.rank = before


@pytest.fixture(autouse=True)
def no_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*TORCHRUN, *SRUN):
        monkeypatch.delenv(name, raising=False)


def started_by(monkeypatch: pytest.MonkeyPatch, env: dict[str, str], **changes: str) -> None:
    for name, value in {**env, **changes}.items():
        monkeypatch.setenv(name, value)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def numbers(run: Path) -> dict[str, Any]:
    metrics = json.loads((run / "metrics.json").read_text())
    return {name: metrics[name] for name in NUMBERS}


def same_weights(one: Path, other: Path) -> None:
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    assert [key for key in a if not torch.equal(a[key], b[key])] == []


def files_named(name: str, folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder).parent) for path in folder.rglob(name))


def call(repo_root: Path, cwd: Path, *words: str, script: str = "train.py", **env: str) -> tuple[int, str]:
    process = subprocess.run(
        [sys.executable, str(repo_root / "src" / script), *words],
        cwd=cwd, capture_output=True, text=True, timeout=580,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(repo_root / "src"), **env},
    )  # fmt: skip
    return process.returncode, process.stdout + process.stderr


def torchrun(repo_root: Path, cwd: Path, *words: str) -> list[tuple[int, str]]:
    """Run ``torchrun`` as two machines on loopback; return exit status and words of the training on each.

    What torchrun itself says is kept apart, and returned with a status other than 0 only: the machine that
    keeps its store may end first, and the other then warns of a lost connection behind its last barrier.
    """
    port, said = free_port(), cwd / "said"
    processes = [
        subprocess.Popen(
            [
                sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", str(machine),
                "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", str(port),
                "--log-dir", str(said / str(machine)), "--redirects", "3",
                str(repo_root / "src" / "train.py"), *words,
            ],
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for machine in (0, 1)
    ]  # fmt: skip
    answers = []
    for machine, process in enumerate(processes):
        starter = process.communicate(timeout=580)[0]
        logs = sorted((said / str(machine)).rglob("std*.log"))
        assert [log.name for log in logs] == ["stderr.log", "stdout.log"], starter
        words_of_training = "".join(log.read_text() for log in logs)
        answers.append((process.returncode, words_of_training + (starter if process.returncode else "")))
    return answers


def test_a_plain_call_is_alone() -> None:
    assert Place.here() == Place("nobody", rank=0, processes=1, machines=1, machine=0)


def test_torchrun_and_srun_say_which_process_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    started_by(monkeypatch, SRUN)
    assert Place.here() == Place("srun", rank=5, processes=8, machines=2, machine=1)
    started_by(monkeypatch, TORCHRUN)  # within a job of SLURM
    assert Place.here() == Place("torchrun", rank=5, processes=8, machines=2, machine=1)
    assert Place.here().on_machine == 4


def test_a_plain_call_within_a_job_of_slurm_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a shell of srun, in a batch script, and as the only task, the command starts its own processes."""
    started_by(monkeypatch, SRUN, SLURM_JOB_NAME="bash")
    assert Place.here().starter == "nobody"
    started_by(monkeypatch, SRUN, SLURM_NTASKS="1")
    assert Place.here().starter == "nobody"
    started_by(monkeypatch, SRUN)
    monkeypatch.delenv("SLURM_STEP_ID")
    assert Place.here().starter == "nobody"


def test_launches_of_one_second_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Noon(folders.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2026, 11, 20, 12, 0, 0)

    monkeypatch.setattr(folders, "datetime", Noon)
    made = [new_run_folder(str(tmp_path), "pcb") for _ in range(3)]
    names = ["2026-11-20_12-00-00", "2026-11-20_12-00-00_2", "2026-11-20_12-00-00_3"]
    assert made == [str(tmp_path / "pcb" / name) for name in names]
    assert all(Path(folder).is_dir() for folder in made)


def test_a_job_that_slurm_starts_again_finds_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_by(monkeypatch, SRUN)
    assert new_run_folder(str(tmp_path), "pcb") == str(tmp_path / "pcb" / "slurm_77.0")
    assert new_run_folder(str(tmp_path), "pcb") == str(tmp_path / "pcb" / "slurm_77.0")


def test_a_launch_waits_for_the_one_in_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = []

    def second() -> None:
        with alone_in(tmp_path):
            order.append("second")

    with alone_in(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        for _ in range(600):
            if "another process trains in" in capsys.readouterr().out:
                break
            time.sleep(0.05)
        else:
            pytest.fail("nobody waits")
        order.append("first")
    thread.join(timeout=60)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_is_sent_looks_up_nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "here")
    config = OmegaConf.create(
        {
            "place": "${oc.env:WHERE}/runs",
            "list": [{"deep": "${oc.env:WHERE}"}, "${filled_in_later}"],
            "filled_in_later": None,
            "reference": "${filled_in_later}",
        }
    )
    OmegaConf.set_struct(config, True)
    sent = pickle.loads(pickle.dumps(settled(config)))
    monkeypatch.setenv("WHERE", "there")
    assert sent.place == "here/runs"
    assert sent.list[0].deep == "here"
    sent.filled_in_later = 3
    assert sent.reference == sent.list[1] == 3
    assert OmegaConf.is_struct(sent)
    assert config.place == "there/runs"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("trainer=default",), (1, 1, False)),
        (("trainer=ddp", "trainer.devices=2"), (2, 1, True)),
        (("trainer=sharded", "trainer.devices=2", "trainer.num_nodes=3"), (2, 3, True)),
        (("trainer.devices=2",), (2, 1, True)),
        (("trainer.devices=2", "trainer.strategy=ddp_spawn"), (2, 1, False)),
    ],
)
def test_settings_say_how_many_processes(words: tuple[str, ...], wanted: Any, tmp_path: Path) -> None:
    config = compose_training(tmp_path, tmp_path, *words, "trainer.accelerator=cpu")
    assert wanted_processes(config.trainer) == wanted


def test_other_processes_than_asked_for_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_by(monkeypatch, TORCHRUN)
    config = compose_training(tmp_path, tmp_path, "trainer.accelerator=cpu")
    with pytest.raises(ValueError, match=r"torchrun started 8 .*4 on each of 2 .* ask for 1: add ") as error:
        everywhere(lambda config: {}, config)
    assert str(error.value).endswith("add trainer.devices=4 trainer.num_nodes=2.")


def test_several_machines_need_a_starter(tmp_path: Path) -> None:
    config = compose_training(tmp_path, tmp_path, *TWO, "trainer.num_nodes=2", "trainer.accelerator=cpu")
    with pytest.raises(ValueError, match="needs this command on 2 machines: start it with torchrun"):
        everywhere(lambda config: {}, config)


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_sweep_of_its_own_on_each_process_is_refused(
    launcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_by(monkeypatch, TORCHRUN)
    with initialize_config_dir(config_dir(), version_base="1.3"):
        config = compose(
            "train",
            [
                *TWO, "trainer.devices=4", "trainer.num_nodes=2", "trainer.accelerator=cpu",
                f"hydra/launcher={launcher}", "hydra.mode=MULTIRUN",
            ],
            return_hydra_config=True,
        )  # fmt: skip
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    HydraConfig.instance().set_config(config)
    with pytest.raises(ValueError, match="leave torchrun out, then each job starts its own processes"):
        everywhere(lambda config: {}, config)


def test_each_process_of_a_sweep_takes_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's number says where to look first; what is taken is passed over, and freed with its process."""
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert gpus.visible_gpus() == ["3", "5"]
    assert gpus.jobs_at_once("1") == 2
    assert gpus.jobs_at_once(2) == 4
    taken = [gpus._lock_one(["3", "5"], 2, first) for first in (1, 1, 1, 1)]
    assert [name for name, _ in taken] == ["5", "3", "5", "3"]
    taken[2][1].close()
    assert gpus._lock_one(["3", "5"], 2, 0)[0] == "5"


def test_a_process_keeps_its_gpu_for_later_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(gpus, "_taken", None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    gpus.take_a_gpu()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,5", "only the launcher asks for that"
    monkeypatch.setenv(gpus.SETTING, "1")
    for _ in range(2):
        gpus.take_a_gpu()
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
    place = tmp_path / f"vidreid-gpus-{os.getuid()}" / "3.0"
    with place.open("w") as again, pytest.raises(BlockingIOError):
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_without_gpus_half_the_cores_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(gpus.os, "cpu_count", lambda: 9)
    assert gpus.jobs_at_once(2) == 4


@pytest.mark.slow
def test_a_dry_run_shows_what_sbatch_would_get(repo_root: Path, tmp_path: Path) -> None:
    status, output = call(
        repo_root, tmp_path, "-m", "hydra/launcher=slurm_dry", "experiment=kmpnet_pcb_mars", "data.root=/d",
        "trainer=ddp", "trainer.devices=4", "trainer.num_nodes=2", "data.workers=6", "seed=0,1,2",
        "hydra.launcher.partition=gpu", "hydra.launcher.timeout_min=90",
    )  # fmt: skip
    assert status == 0, output
    (script,) = tmp_path.rglob("sbatch.sh")
    given = dict(re.findall(r"#SBATCH --([a-z-]+)=(\S+)", script.read_text()))
    wanted = {
        "nodes": "2", "ntasks-per-node": "4", "gpus-per-node": "4", "cpus-per-task": "7", "array": "0-2%3",
        "partition": "gpu", "time": "90", "signal": "USR2@120", "job-name": "kmpnet_pcb_mars",
    }  # fmt: skip
    assert {name: given.get(name) for name in wanted} == wanted
    assert script.read_text() in output
    assert [line[:8] for line in output.splitlines() if line.startswith("# job")] == [
        "# job 0:", "# job 1:", "# job 2:",
    ]  # fmt: skip
    assert not list(tmp_path.rglob("*.pkl")), "nothing was submitted"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-m", "hydra/launcher=slurm_dry", "trainer=ddp"), "say it by trainer.devices=N"),
        (("-m", "hydra/launcher=slurm"), "There is no sbatch here"),
        (("hydra/launcher=slurm_dry",), "add -m after train.py"),
    ],
)
def test_what_cannot_be_submitted_is_one_sentence(
    words: tuple[str, ...], sentence: str, repo_root: Path, tmp_path: Path
) -> None:
    status, output = call(repo_root, tmp_path, *words, "experiment=pcb_synthetic", PATH="/nowhere")
    assert status == 1
    assert output.startswith("error: ")
    assert sentence in output
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_two_machines_train_as_one_with_two_devices(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    """Both stages: the same weights bit by bit, one folder, and only the first process writes and prints."""
    words = (*KMPNET, f"data.root={tiny_root}", "trainer=ddp")
    apart = torchrun(repo_root, tmp_path, *words, "trainer.devices=1", "trainer.num_nodes=2")
    assert [status for status, _ in apart] == [0, 0], apart
    (run,) = (tmp_path / "runs" / "kmpnet_pcb_synthetic").iterdir()
    assert files_named("config.yaml", run) == files_named("metrics.json", run) == [".", "visual_stage"]
    assert files_named("metrics.csv", run) == ["csv", "visual_stage/csv"]
    first, second = (output for _, output in apart)
    assert second == ""
    for words_once in ("run folder:", "stage 1 of 2", "stage 2 of 2", "KMPNet(PCB) after 1 epochs"):
        assert first.count(words_once) == 1, first

    together = tmp_path / "together"
    status, output = call(repo_root, tmp_path, *words, "trainer.devices=2", f"hydra.run.dir={together}")
    assert status == 0, output
    assert output.count("run folder:") == output.count("KMPNet(PCB) after 1 epochs") == 1
    for stage in (".", "visual_stage"):
        same_weights(run / stage, together / stage)
        assert numbers(run / stage) == numbers(together / stage)


@pytest.mark.slow
@pytest.mark.parametrize("starter", ["vidreid", "torchrun"])
def test_a_sweep_of_trainings_on_two_processes(
    starter: str, tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    """A grid of two gives two folders, whoever starts the processes."""
    words = ("-m", *PCB, f"data.root={tiny_root}", "trainer=ddp", "optimizer.lr=0.001,0.002")
    if starter == "vidreid":
        answers = [call(repo_root, tmp_path, *words, "trainer.devices=2")]
    else:
        answers = torchrun(repo_root, tmp_path, *words, "trainer.devices=1", "trainer.num_nodes=2")
    assert {status for status, _ in answers} == {0}, answers
    (sweep,) = (tmp_path / "runs" / "pcb_synthetic").iterdir()
    assert sorted(path.name for path in sweep.iterdir()) == ["0", "1", "multirun.yaml"]
    assert files_named("metrics.json", tmp_path) == files_named("config.yaml", tmp_path)
    assert [path.parent.name for path in sorted(tmp_path.rglob("metrics.json"))] == ["0", "1"]
    rates = [yaml.safe_load((sweep / job / "config.yaml").read_text())["optimizer"]["lr"] for job in "01"]
    assert rates == [0.001, 0.002]
    assert sum(output.count("PCB after 1 epochs") for _, output in answers) == 2


@pytest.mark.slow
def test_sharded_states_change_no_bit(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    """Weights and states of both optimisers are those of DDP; one process and two evaluate to the numbers."""
    for name in ("ddp", "sharded"):
        status, output = call(
            repo_root, tmp_path, *TRANSFORMER, f"data.root={tiny_root}", f"trainer={name}",
            "trainer.devices=2", f"hydra.run.dir={tmp_path / name}",
        )  # fmt: skip
        assert status == 0, output
    same_weights(tmp_path / "ddp", tmp_path / "sharded")
    whole, sharded = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"][0]
        for name in ("ddp", "sharded")
    )
    assert whole["param_groups"] == sharded["param_groups"]
    assert whole["state"].keys() == sharded["state"].keys()
    for number, state in whole["state"].items():
        assert state.keys() == sharded["state"][number].keys()
        assert all(torch.equal(value, sharded["state"][number][name]) for name, value in state.items())
    run = tmp_path / "sharded"
    assert numbers(tmp_path / "ddp") == numbers(run)
    for words in ((), ("trainer.devices=2", "trainer.strategy=ddp")):
        (run / "eval.json").unlink(missing_ok=True)
        status, output = call(repo_root, tmp_path, f"run={run}", *words, script="eval.py")
        assert status == 0, output
        assert output.count("KeyReID after 2 epochs") == 1, output
        again = json.loads((run / "eval.json").read_text())
        for name in ("rank1", "rank5", "rank10", "mAP", "mINP", "queries_counted"):
            assert again[name] == pytest.approx(numbers(run)[name], abs=1e-7)


@pytest.mark.slow
def test_jobs_of_slurm_train_in_one_folder_each(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    """Two jobs of two tasks each, by the real launcher and a stand-in for SLURM's commands."""
    path = make_fake_slurm(tmp_path / "bin")
    work = tmp_path / "work"
    work.mkdir()
    status, output = call(
        repo_root, work, "-m", "hydra/launcher=slurm", *PCB, *TWO, f"data.root={tiny_root}", "seed=0,1",
        PATH=f"{path}:{os.environ['PATH']}", MASTER_PORT=str(free_port()),
    )  # fmt: skip
    logs = "\n".join(file.read_text() for file in sorted(work.rglob("*_log.out")))
    assert status == 0, output + logs
    (sweep,) = (work / "runs" / "pcb_synthetic").iterdir()
    assert files_named("metrics.json", sweep) == files_named("config.yaml", sweep) == ["0", "1"]
    assert logs.count("PCB after 1 epochs") == 2, "the second task of a job says nothing"

    status, output = call(
        repo_root, work, *PCB, *TWO, f"data.root={tiny_root}", "seed=1", f"hydra.run.dir={work / 'here'}"
    )
    assert status == 0, output
    same_weights(sweep / "1", work / "here")


@pytest.mark.slow
def test_submitit_runs_a_job_here(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    status, output = call(
        repo_root, tmp_path, "-m", "hydra/launcher=submitit_local", *PCB, f"data.root={tiny_root}"
    )
    assert status == 0, output
    (sweep,) = (tmp_path / "runs" / "pcb_synthetic").iterdir()
    assert files_named("metrics.json", sweep) == files_named("config.yaml", sweep) == ["0"]


@pytest.mark.slow
def test_two_jobs_at_once_have_a_gpu_and_a_folder_each(
    tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    """Rows of a study that share their first stage: one trains it, the other waits for it."""
    (tmp_path / "tmp").mkdir()
    status, output = call(
        repo_root, tmp_path, "-m", "hydra/launcher=joblib_gpus", "study=kmpnet_ablation", *KMPNET[1:],
        f"data.root={tiny_root}", "seed=0", "arm=spatial,temporal",
        CUDA_VISIBLE_DEVICES="3,5", TMPDIR=str(tmp_path / "tmp"), PYTHONUNBUFFERED="1",
    )  # fmt: skip
    assert status == 0, output
    assert "n_jobs=2" in output
    assert sorted(re.findall(r"run on GPU (\d)", output)) == ["3", "5"]
    folder = tmp_path / "runs" / "studies" / "kmpnet_ablation"
    assert files_named("metrics.json", folder) == ["spatial/seed_0", "temporal/seed_0", "visual/seed_0"]
    assert output.count("stage 1 of 2: ") == 1, output


@pytest.mark.slow
def test_an_error_of_all_is_said_once(repo_root: Path, tmp_path: Path) -> None:
    status, output = call(repo_root, tmp_path, *PCB, *TWO, f"data.root={tmp_path}/none")
    assert status == 1
    assert output.count("error: ") == 1, output
    assert f"{tmp_path}/none" in output
    assert "Traceback" not in output


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["first", "second", "starter"])
def test_when_one_is_killed_all_end(victim: str, tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    """And the run goes on afterwards, to its end."""
    run = tmp_path / "run"
    words = (*PCB, *TWO, f"data.root={tiny_root}", "trainer.max_epochs=400", f"hydra.run.dir={run}")
    process = start(repo_root, "train.py", *words, cwd=tmp_path)
    for _ in range(2400):
        if (run / "checkpoints" / "last.ckpt").is_file():
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    children = _children(process.pid)
    ranks = {_environment(child)["RANK"]: child for child in children if "RANK" in _environment(child)}
    assert sorted(ranks) == ["0", "1"]
    os.kill({"first": ranks["0"], "second": ranks["1"], "starter": process.pid}[victim], signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    if victim != "starter":
        number = {"first": 0, "second": 1}[victim]
        assert output.count("error: ") == 1, output
        assert f"error: Process {number} of 2 was ended by SIGKILL" in output
    for _ in range(600):
        if not any(_is_alive(child) for child in ranks.values()):
            break
        time.sleep(0.1)
    else:
        pytest.fail("a process lives on")
    assert not (run / "metrics.json").exists()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _environment(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if b"=" in entry)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
