"""The command: what it prints, writes and returns."""

import json

import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from support.own_data import rows_of_noise, with_keypoints
from support.runs import call
from support.spoiled import copy_tree, put
from vidreid.commands import config_dir
from vidreid.commands.check_data import checking
from vidreid.commands.check_data.checking import check_data
from vidreid.visualize.save import save_png


def _asked(root, out, *overrides):
    with initialize_config_dir(config_dir(), version_base="1.3"):
        given = ["data=synthetic", f"data.root={root}", f"out={out}", "workers=0", "progress=false"]
        return compose("check_data", [*given, *overrides])


def _report(out):
    return json.loads((out / "report.json").read_text())


def test_a_clean_benchmark(tiny_root, tmp_path, capsys):
    out = tmp_path / "out"
    assert check_data(_asked(tiny_root, out, "data.keypoints=detector"))
    report, planted = _report(out), json.loads((tiny_root / "synthetic.json").read_text())
    for key in ("tracklets", "identities", "frames"):
        assert report["counts"]["train"][key] == planted["train"][key]
    assert report["frames"]["all"] == planted["train"]["frames"] + planted["test"]["frames"]
    assert report["ready"]
    assert {finding["severity"] for finding in report["findings"]} <= {"note"}
    # What the detector finds of a joint, counted from its file.
    assert report["keypoints"]["train"]["frames_with_joints"] == pytest.approx(123 / 133, abs=1e-4)
    assert report["pictures"] == ["oddest.png", "samples.png"]
    for name in report["pictures"]:
        assert min(Image.open(out / name).size) > 250
    printed = capsys.readouterr().out
    assert printed.startswith(f"synthetic in {tiny_root}, protocol official\n")
    assert printed.rstrip().endswith("ready to train")


def test_a_spoiled_benchmark(tiny_root, tmp_path, capsys):
    tree, out = copy_tree(tiny_root, tmp_path / "tree"), tmp_path / "out"
    first, second = sorted((tree / "bbox_train").rglob("*.jpg"))[:2]
    asked = sorted((tree / "bbox_test").rglob("*.jpg"))[-1]
    put(asked, first.read_bytes())
    second.unlink()
    assert not check_data(_asked(tree, out, "data.protocol=no_distractors"))
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[2].startswith("error    1 frame cannot be opened (bbox_train/")
    assert lines[-1] == "training would be wrong: 2 errors"
    report = _report(out)
    assert not report["ready"]
    codes = {finding["code"]: finding for finding in report["findings"]}
    assert codes["missing_frames"]["where"] == [str(second.relative_to(tree))]
    assert "duplicates_train_test.png" in report["pictures"]
    assert sorted(file.name for file in out.iterdir()) == sorted([*report["pictures"], "report.json"])
    # A second look leaves nothing of the first.
    assert check_data(_asked(tiny_root, out))
    assert sorted(file.name for file in out.iterdir()) == sorted([*_report(out)["pictures"], "report.json"])


@pytest.mark.slow
def test_what_the_reader_refuses_is_the_report(tiny_root, tmp_path, repo_root):
    tree = copy_tree(tiny_root, tmp_path / "tree")
    put(tree / "info" / "query_IDX.mat", b"nothing")
    overrides = ("data=synthetic", f"data.root={tree}", "workers=0")
    status, printed = call(repo_root, "check_data.py", *overrides, cwd=tmp_path)
    assert status == 1
    assert "Traceback" not in printed
    assert "query_IDX.mat" in printed
    (finding,) = _report(tmp_path / "runs" / "check_data" / "synthetic")["findings"]
    assert (finding["code"], finding["severity"]) == ("refused", "error")
    assert finding["sentence"] in printed


def test_an_interruption_leaves_no_report(tiny_root, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert check_data(_asked(tiny_root, out))
    written = []

    def interrupted(picture, path):
        if written:
            raise KeyboardInterrupt
        written.append(save_png(picture, path))

    monkeypatch.setattr(checking, "save_png", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_data(_asked(tiny_root, out))
    assert list(out.iterdir()) == written


def test_wrong_settings_are_said(tiny_root, tmp_path):
    with pytest.raises(ValueError, match="limit=-1 leaves no frame"):
        check_data(_asked(tiny_root, tmp_path, "limit=-1"))
    with pytest.raises(ValueError, match="no source of keypoints"):
        check_data(_asked(tiny_root, tmp_path, "data.keypoints=false"))


def test_own_data_with_keypoints_in_their_manifest_and_nobody_to_train_on(tmp_path, capsys):
    rows, _ = with_keypoints(rows_of_noise(tmp_path / "data"))
    rows.assign(role="test").to_csv(tmp_path / "data" / "manifest.csv", index=False)
    assert check_data(_asked(tmp_path / "data", tmp_path / "out", "data=manifest"))
    out = capsys.readouterr().out
    assert "There is nobody to train on: the data can be evaluated on and searched." in out
    assert out.rstrip().endswith("ready to evaluate on")
    codes = {finding["code"] for finding in _report(tmp_path / "out")["findings"]}
    assert not codes & {"batches", "few_identities"}
    # Random joints stand upright in no order of theirs.
    keypoints = ("data.keypoints=manifest", "data.test_keypoints=true")
    assert not check_data(_asked(tmp_path / "data", tmp_path / "out", "data=manifest", *keypoints))
    report = _report(tmp_path / "out")
    assert report["keypoints"]["test"]["frames_with_joints"] == 1
    errors = {finding["code"] for finding in report["findings"] if finding["severity"] == "error"}
    assert errors
    assert all(code.startswith("keypoints_") and code != "keypoints_refused" for code in errors)
