"""Figures 5 and 6 of KMPNet from two real, tiny runs; those of transformers have a file of their own."""

from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from PIL import Image

from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.pictures import draw
from vidreid.commands.train import train


def asked(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("pictures", [*overrides])


def trained(root: Path, run: Path, *overrides: str) -> Path:
    train(compose_training(root, run, *SMALL, *NARROW, "channels_last=false", *overrides, "debug=fast"))
    return run


@pytest.fixture(scope="module")
def kmpnet(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("pictures") / "kmpnet"
    graph = ("model.graph.layers=[1,1,1,1]", "model.graph.width=8")
    return trained(tiny_root, run, "experiment=kmpnet_pcb_synthetic", *graph)


@pytest.fixture(scope="module")
def pcb(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("pictures") / "pcb"
    return trained(tiny_root, run, "experiment=pcb_synthetic", "seed=1")


def test_skeletons_of_named_tracklets(kmpnet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = asked("figure=skeletons", f"run={kmpnet}", "tracklets=[3,0]", "frames=2", "data.keypoints=true")
    file = draw(config)
    assert file == kmpnet / "pictures" / "skeletons_tracklets.png"
    sheet = np.asarray(Image.open(file))
    # Two rows of two frames, 256 pixels high, with gaps of 6 pixels.
    assert sheet.shape[0] == 2 * (256 + 6) + 6
    assert "tracklets 3, 0 of the train split, keypoints true" in capsys.readouterr().out


def test_activations_of_two_networks(
    kmpnet: Path, pcb: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "here.png"
    settings = ("figure=activations", "count=2", "frames=3", "measured=5", f"file={file}")
    assert draw(asked(*settings, f"run={kmpnet}", f"baseline={pcb}")) == file
    out = capsys.readouterr().out
    assert "of 5 tracklets" in out
    numbers = {line.split()[0]: float(line.split()[1]) for line in out.splitlines() if line.startswith("  ")
               and "higher" not in line}  # fmt: skip
    assert numbers.keys() == {"PCB", "KMPNet(PCB)"}
    assert all(0.1 < number < 10 for number in numbers.values())
    both = np.asarray(Image.open(file))

    # Without a baseline a row of maps is missing; the numbers of the network stay the same.
    draw(asked(*settings, f"run={kmpnet}"))
    alone = np.asarray(Image.open(file))
    assert both.shape[0] - alone.shape[0] == 192 + 2
    assert f"KMPNet(PCB)             {numbers['KMPNet(PCB)']:.3f}" in capsys.readouterr().out


def test_a_network_beside_itself_shows_the_same_maps(pcb: Path, tmp_path: Path) -> None:
    file = tmp_path / "twice.png"
    settings = ("figure=activations", "data.keypoints=detector", "count=1", "measured=1", f"file={file}")
    draw(asked(*settings, f"run={pcb}", f"baseline={pcb}"))
    picture = np.asarray(Image.open(file))
    first, second = picture[16 + 194 : 16 + 194 + 192], picture[16 + 2 * 194 : 16 + 2 * 194 + 192]
    frames = slice(-300, -16)  # right of the labels
    assert np.array_equal(first[:, frames], second[:, frames])
    assert first[:, frames].std() > 0


def test_bad_input_is_one_sentence(kmpnet: Path, pcb: Path, tiny_root: Path, tmp_path: Path) -> None:
    run = f"run={kmpnet}"
    with pytest.raises(ValueError, match="no figure 'graph': choose one of skeletons, activations"):
        draw(asked("figure=graph", run))
    with pytest.raises(ValueError, match=r"a transformer, and .* is a run of KMPNet\(PCB\): choose a run of"):
        draw(asked("figure=attention", run))
    with pytest.raises(ValueError, match=r"guides the parts of KeyRe-ID, and .*: choose a run of key_reid"):
        draw(asked("figure=part_maps", run))
    with pytest.raises(FileNotFoundError, match="is not a run folder"):
        draw(asked("figure=activations", run, f"baseline={tmp_path}"))
    with pytest.raises(ValueError, match="no tracklet 100000 in the train split"):
        draw(asked("figure=skeletons", run, "tracklets=[100000]"))
    with pytest.raises(ValueError, match="no split 'gallery': choose train or test"):
        draw(asked("figure=skeletons", run, "split=gallery"))
    with pytest.raises(ValueError, match="at least one frame"):
        draw(asked("figure=skeletons", run, "frames=0"))
    with pytest.raises(FileNotFoundError, match="no keypoints in"):
        draw(asked("figure=skeletons", run, f"data.keypoints={tmp_path / 'nothing'}"))
    small = trained(
        tiny_root, tmp_path / "small", "experiment=pcb_synthetic", "data.height=64", "data.width=32"
    )
    with pytest.raises(ValueError, match=r"sees frames of 64x32, the run .* of 128x64"):
        draw(asked("figure=activations", run, f"baseline={small}"))


@pytest.mark.slow
def test_a_run_without_keypoints_says_what_to_do(pcb: Path, repo_root: Path, tmp_path: Path) -> None:
    assert "\n  keypoints: null\n" in (pcb / "config.yaml").read_text()
    status, out = call(repo_root, "pictures.py", "figure=skeletons", f"run={pcb}", cwd=tmp_path)
    assert status == 1
    assert out.strip().startswith("error: The data of this run are set up without keypoints: name some by")
    assert "Traceback" not in out
    draw(asked("figure=skeletons", f"run={pcb}", "data.keypoints=detector", "count=1", "frames=1"))
    assert (pcb / "pictures" / "skeletons_tracklets.png").is_file()
