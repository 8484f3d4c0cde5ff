"""KeyRe-ID, VID-Trans-ReID and TransReID against numbers of their released code, through the importer.

The weights of a case go through ``import_checkpoint`` as a released file would; the network is then built
from the run folder as ``eval.py`` builds it. Cameras of the released codes count from 0, those of MARS from
1.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from timm.layers import DropPath
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from support.golden_key_reid import OWN, check, inputs, load
from vidreid.commands.building import build_module, without_initial_weights
from vidreid.commands.import_checkpoint import import_released
from vidreid.keypoints.released_part_maps import patch_means
from vidreid.models.backbones.vision_transformer import resize_positions
from vidreid.models.key_reid import KeyReID
from vidreid.models.layers.clip_tokens import ClipTokens, clip_tokens
from vidreid.models.layers.shift_shuffle import shift_shuffle_order
from vidreid.models.layers.temporal_attention import TemporalAttention
from vidreid.models.two_branch_transformer import TwoBranchTransformer
from vidreid.training.checkpoint import load_network
from vidreid.training.run_folder import RunFolder

pytestmark = pytest.mark.slow  # whole networks

Case = dict[str, np.ndarray]
NO_KEYPOINTS = torch.zeros(1, 1, 17, 3)


def key_table(number: int) -> dict[str, Any]:
    """The key tables are those of the repository, whatever folder the numbers come from."""
    return json.loads((OWN / f"case{number:02}_keys.json").read_text())


class Importer:
    """Makes networks of released weights as the commands do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, method: str, shapes: dict[str, list[int]], seed: int, *overrides: str
    ) -> TwoBranchTransformer:
        file = self.folder / f"{method}.pth"
        torch.save(inputs.weights(shapes, seed), file)
        folder = self.folder / f"{method}_run"
        run = RunFolder(import_released(method, file, folder, overrides=overrides, overwrite=True))
        config = OmegaConf.create(run.read_config())
        assert isinstance(config, DictConfig)
        network = build_module(without_initial_weights(config)).network
        load_network(network, run.checkpoint("last"))
        assert isinstance(network, TwoBranchTransformer)
        file.unlink()
        run.checkpoint("last").unlink()
        return network.eval()


@pytest.fixture(scope="module")
def importer(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("released"))


def training(network: nn.Module) -> nn.Module:
    """Training mode without stochastic depth."""
    for module in network.modules():
        if isinstance(module, DropPath):
            module.drop_prob = 0.0
    return network.train()


def recorded(network: TwoBranchTransformer) -> dict[str, Tensor]:
    """Let a network note the tokens that its blocks pass on."""
    seen: dict[str, Tensor] = {}
    first = network.backbone.blocks[0]
    first.register_forward_pre_hook(lambda module, args: seen.update(embed=args[0]))
    for i, block in enumerate(network.backbone.blocks):
        block.register_forward_hook(lambda module, args, out, i=i: seen.update({f"block{i}": out}))
    return seen


def check_tokens(name: str, case: Case, prefix: str, tokens: Tensor, index: str, norms: str) -> None:
    check(name, f"{prefix}_values", tokens.flatten()[case[index]], case[f"{prefix}_values"])
    check(name, f"{prefix}_{norms}", tokens.flatten(1).norm(dim=1), case[f"{prefix}_{norms}"])


@pytest.fixture(scope="module")
def case01(golden_file: Callable[[str], Path]) -> Case:
    return load(golden_file("case01_tcss.npz"))


@pytest.mark.parametrize("variant", ["std", "odd", "odd_t3", "g210", "t1"])
def test_golden_shift_and_shuffle(case01: Case, variant: str) -> None:
    batch, frames, patches, width = case01[f"{variant}_shape"].tolist()
    tokens = torch.arange(batch * frames * (patches + 1) * width).view(batch, frames, patches + 1, width)
    order = shift_shuffle_order(patches)
    check("case01_tcss", f"{variant}_row_table", order + 1, case01[f"{variant}_row_table"])
    clip = clip_tokens(tokens, "released")
    check("case01_tcss", f"{variant}_rows", clip.rows[:, order], case01[f"{variant}_rows"])
    check("case01_tcss", f"{variant}_token", clip.token[:, None], case01[f"{variant}_token"])


def test_golden_shift_and_shuffle_moves_bits(case01: Case) -> None:
    tokens = inputs.normal("tcss.tokens", (8, 129, 8), int(case01["seed"])).astype(np.float32)
    clip = clip_tokens(torch.from_numpy(tokens).view(2, 4, 129, 8), "released")
    check("case01_tcss", "real_rows", clip.rows[:, shift_shuffle_order(128)], case01["real_rows"])
    check("case01_tcss", "real_token", clip.token[:, None], case01["real_token"])


def test_golden_weights_stay_behind_when_rows_are_shuffled(golden_file: Callable[[str], Path]) -> None:
    case = load(golden_file("case02_kps.npz"))
    maps = torch.from_numpy(inputs.heatmaps("kps.maps", 2, 4, int(case["seed"])))
    grid = _grid()
    weights = patch_means(maps, grid).mean(1)
    check("case02_kps", "weights", weights.transpose(1, 2), case["weights"])
    tokens = (torch.arange(8 * 129 * 4) % 509).float().view(2, 4, 129, 4)
    clip = clip_tokens(tokens, "released")
    rows = clip.rows[:, shift_shuffle_order(128)]
    read = [torch.cat([clip.token[:, None], rows * weights[:, p, :, None]], 1) for p in range(6)]
    check("case02_kps", "part_rows", torch.stack(read, 1), case["part_rows"])


@cache
def _grid():
    from vidreid.keypoints.part_maps import PatchGrid

    return PatchGrid(256, 128)


CLIP_CASES = {
    "key_reid": ("case03_keyreid_full", 3, "key", 6, [0, 5, 10]),
    "vid_trans_reid": ("case04_vidtrans_full", 4, "vid", 2, [10]),
}


class ClipRun:
    """One eval and one training pass of a case of clips."""

    def __init__(self, method: str, case: Case, importer: Importer) -> None:
        self.name, number, self.key, cameras, self.blocks = CLIP_CASES[method]
        self.case, seed = case, int(case["seed"])
        table = key_table(number)
        state = inputs.weights(table["keys"], seed)
        necks = len([key for key in state if key.startswith("bottleneck_") and key.endswith("running_var")])
        third = "bottleneck_6" if method == "key_reid" else "bottleneck_4"
        assert third == f"bottleneck_{necks}"
        sums = [
            float(state[key].double().sum())
            for key in (
                "base.patch_embed.proj.weight", "base.Cam", "b2.0.attn.qkv.weight",
                f"{third}.running_var", "classifier_3.weight",
            )
        ]  # fmt: skip
        check(self.name, "weight_check", np.array(sums), case["weight_check"])
        network = importer(method, table["keys"], seed)
        self.seen = recorded(network)
        self.parts_read: list[Tensor] = []
        network.read_parts = self._noting(network, network.read_parts)
        images = torch.from_numpy(inputs.images(f"{self.key}.eval", (2, 4), seed))
        told = torch.from_numpy(inputs.cameras(f"{self.key}.eval.cams", 2, 4, cameras, seed))
        check(self.name, "cameras", told, case["cameras"])
        self._guide(network, f"{self.key}.eval.maps", 2, seed)
        with torch.no_grad():
            self.descriptor = network.describe(images, NO_KEYPOINTS, told.view(2, 4) + 1)
            self.vectors, self.scores = network.vectors(images, NO_KEYPOINTS, told.view(2, 4) + 1)
            block, norm = cast(nn.Sequential, network.global_block)
            self.cls = norm(block(self.seen["block10"]))[:, 0]
            network.shortcuts = False
            self.slow_descriptor = network.describe(images, NO_KEYPOINTS, told.view(2, 4) + 1)
            network.shortcuts = True
        images = torch.from_numpy(inputs.images(f"{self.key}.train", (4, 4), seed))
        told = torch.from_numpy(inputs.cameras(f"{self.key}.train.cams", 4, 4, cameras, seed))
        check(self.name, "train_cameras", told, case["train_cameras"])
        self._guide(network, f"{self.key}.train.maps", 4, seed)
        self.eval_tokens = dict(self.seen)
        with torch.no_grad():
            self.outputs = training(network)(images, NO_KEYPOINTS, told.view(4, 4) + 1)
        self.network = network

    def _guide(self, network: TwoBranchTransformer, name: str, clips: int, seed: int) -> None:
        """Feed the maps of the case where those of keypoints would be drawn."""
        if isinstance(network, KeyReID):
            maps = patch_means(torch.from_numpy(inputs.heatmaps(name, clips, 4, seed)), network.guidance.grid)
            network.guidance.frame_maps = lambda keypoints: maps

    def _noting(self, network: TwoBranchTransformer, read: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Note the input of the local block for each part, as the release builds it."""

        def noting(clip: ClipTokens, keypoints: Tensor | None) -> Tensor:
            if not self.parts_read:
                token = clip.token[:, None]
                if isinstance(network, KeyReID):
                    weights = network.guidance(NO_KEYPOINTS)
                    runs = [clip.rows * weights[:, p, :, None] for p in range(weights.shape[1])]
                else:
                    runs = list(clip.rows.chunk(len(network.part_names), dim=1))
                self.parts_read = [torch.cat([token, run], dim=1) for run in runs]
            return read(clip, keypoints)

        return noting


@pytest.fixture(scope="module", params=list(CLIP_CASES))
def run(request: pytest.FixtureRequest, golden_file: Callable[[str], Path], importer: Importer) -> ClipRun:
    case = load(golden_file(f"{CLIP_CASES[request.param][0]}.npz"))
    return ClipRun(request.param, case, importer)


def test_golden_descriptor(run: ClipRun) -> None:
    check(run.name, "descriptor", run.descriptor, run.case["descriptor"])
    check(run.name, "descriptor", run.slow_descriptor, run.case["descriptor"])
    sizes = [768] + [3072] * len(run.network.part_names)
    norms = torch.stack([piece.norm(dim=1) for piece in run.descriptor.split(sizes, dim=1)], dim=1)
    check(run.name, "block_norms", norms, run.case["block_norms"])


def test_golden_tokens_of_the_trunk(run: ClipRun) -> None:
    stages = {f"block{i}": run.eval_tokens[f"block{i}"] for i in run.blocks}
    if "embed_values" in run.case:
        stages["embed"] = run.eval_tokens["embed"]
    for prefix, tokens in stages.items():
        check_tokens(run.name, run.case, prefix, tokens, "token_index", "frame_norms")


def test_golden_branches_before_their_necks(run: ClipRun) -> None:
    check(run.name, "b1_cls", run.cls, run.case["b1_cls"])
    assert run.scores is not None
    check(run.name, "a_vals", run.scores, run.case["a_vals"])
    vectors = list(run.vectors.values())
    check(run.name, "global_before_bn", vectors[0], run.case["global_before_bn"])
    check(run.name, "parts_before_bn", torch.stack(vectors[1:], dim=1), run.case["parts_before_bn"])


def test_golden_input_of_the_local_block(run: ClipRun) -> None:
    values = torch.stack([part.flatten()[run.case["part_in_index"]] for part in run.parts_read])
    check(run.name, "part_in_values", values, run.case["part_in_values"])
    norms = torch.stack([part.flatten(1).norm(dim=1) for part in run.parts_read])
    check(run.name, "part_in_norms", norms, run.case["part_in_norms"])


def test_golden_training_pass(run: ClipRun) -> None:
    outputs = run.outputs
    check(run.name, "train_logits", torch.stack(list(outputs.logits.values())), run.case["train_logits"])
    vectors = list(outputs.embeddings.values())
    check(run.name, "train_global_feat", vectors[0], run.case["train_global_feat"])
    check(run.name, "train_part_feats", torch.stack(vectors[1:]), run.case["train_part_feats"])
    assert outputs.frame_scores is not None
    check(run.name, "train_a_vals", outputs.frame_scores, run.case["train_a_vals"])


def test_golden_running_statistics(run: ClipRun) -> None:
    necks = {name: cast(nn.BatchNorm1d, neck) for name, neck in run.network.necks.items()}
    check(run.name, "train_bn_mean", necks["global"].running_mean, run.case["train_bn_mean"])
    check(run.name, "train_bn_var", necks["global"].running_var, run.case["train_bn_var"])
    if "train_part_bn_mean_norms" in run.case:
        for kind in ("mean", "var"):
            parts = [neck for name, neck in necks.items() if name != "global"]
            stats = [getattr(neck, f"running_{kind}").norm() for neck in parts]
            key = f"train_part_bn_{kind}_norms"
            check(run.name, key, torch.stack(stats), run.case[key])


@pytest.fixture(scope="module")
def case05(golden_file: Callable[[str], Path]) -> Case:
    return load(golden_file("case05_transreid.npz"))


@pytest.mark.parametrize("variant", ["s16", "s12", "s16_view", "s12_plain"])
def test_golden_transreid(case05: Case, importer: Importer, variant: str) -> None:
    name, seed = "case05_transreid", int(case05["seed"])
    shapes = key_table(5)["variants"][variant]["keys"]
    state = inputs.weights(shapes, seed)
    told = (
        "base.patch_embed.proj.weight", "base.sie_embed", "base.pos_embed",
        "bottleneck.running_var", "classifier.weight",
    )  # fmt: skip
    sums = np.array([float(state[key].double().sum()) for key in told])
    check(name, f"{variant}_weight_check", sums, case05[f"{variant}_weight_check"])
    network = importer("trans_reid", shapes, seed)
    seen = recorded(network)
    images = torch.from_numpy(inputs.images("trr.eval", (3,), seed)).unsqueeze(1)
    cameras = torch.from_numpy(case05["cameras"])
    if variant == "s16_view":  # one row a camera and view: 3 views a camera
        cameras = 3 * cameras + torch.from_numpy(case05["views"])
    cameras = cameras + 1
    with torch.no_grad():
        for shortcuts in (True, False):
            network.shortcuts = shortcuts
            for neck in ("before", "after"):
                network.neck = neck
                expected = case05[f"{variant}_{neck}_bn"]
                check(name, f"{variant}_{neck}_bn", network.describe(images, None, cameras), expected)
    network.shortcuts, network.neck = True, "before"
    for stage in ("embed", "block10"):
        prefix = f"{variant}_{stage}"
        check_tokens(name, case05, prefix, seen[stage], f"{variant}_token_index", "image_norms")
    if f"{variant}_no_shuffle_before_bn" in case05:
        order, network.order = network.order, None
        with torch.no_grad():
            plain = network.describe(images, None, cameras)
        network.order = order
        key = f"{variant}_no_shuffle_before_bn"
        check(name, key, plain, case05[key])
    if f"{variant}_train_logits" in case05:
        images = torch.from_numpy(inputs.images("trr.train", (6,), seed)).unsqueeze(1)
        with torch.no_grad():
            outputs = training(network)(images, None, torch.from_numpy(case05["train_cameras"]) + 1)
        for key, values in (("logits", outputs.logits), ("feats", outputs.embeddings)):
            stacked = torch.stack(list(values.values())).squeeze(2)
            check(name, f"{variant}_train_{key}", stacked, case05[f"{variant}_train_{key}"])


def test_golden_resized_positions(case05: Case) -> None:
    positions = 0.02 * inputs.normal("pos.embed", (1, 197, 32), int(case05["seed"]))
    positions = torch.from_numpy(positions.astype(np.float32))
    for rows, columns in ((16, 8), (21, 10)):
        resized = resize_positions(positions, (14, 14), (rows, columns))
        check("case05_transreid", f"pos_{rows}x{columns}", resized, case05[f"pos_{rows}x{columns}"])


def test_golden_shuffle_tables(case05: Case) -> None:
    tables = [key for key in case05 if key.startswith("shuffle_n")]
    assert len(tables) == 4
    for key in tables:
        rows, shift, groups = (int(part[1:]) for part in key.split("_")[1:])
        check("case05_transreid", key, shift_shuffle_order(rows, shift, groups) + 1, case05[key])


@pytest.mark.parametrize("variant", ["t4", "t8", "t1"])
def test_golden_temporal_attention(golden_file: Callable[[str], Path], variant: str) -> None:
    case = load(golden_file("case06_temporal_attention.npz"))
    seed = int(case["seed"])
    state = inputs.weights(key_table(6)["keys"], seed)
    attention = TemporalAttention(768)
    attention.load_state_dict(
        {
            "reduce.weight": state["attention_conv.weight"].flatten(1),
            "reduce.bias": state["attention_conv.bias"],
            "over_time.weight": state["attention_tconv.weight"],
            "over_time.bias": state["attention_tconv.bias"],
        }
    )
    clips, frames = case[f"{variant}_a_vals"].shape
    vectors = inputs.normal(f"attn.{variant}", (clips * frames, 768), seed).astype(np.float32)
    with torch.no_grad():
        pooled, scores = attention(torch.from_numpy(vectors).view(clips, frames, 768))
    check("case06_temporal_attention", f"{variant}_a_vals", scores, case[f"{variant}_a_vals"])
    check("case06_temporal_attention", f"{variant}_softmax", scores.softmax(1), case[f"{variant}_softmax"])
    check("case06_temporal_attention", f"{variant}_pooled", pooled, case[f"{variant}_pooled"])


def test_golden_network_has_no_dead_blocks(golden_file: Callable[[str], Path], importer: Importer) -> None:
    """Trunk's last block, norm and ImageNet classifier are dropped: 7.9 of 207.3 million weights."""
    golden_file("case03_keyreid_full.npz")
    table = key_table(3)
    network = importer("key_reid", table["keys"], 0)
    dead = sum(int(np.prod(table["keys"][key])) for key in table["unused"])
    every = sum(int(np.prod(shape)) for shape in table["keys"].values() if shape)
    statistics = sum(int(np.prod(table["keys"][key])) for key in table["keys"] if "running_" in key)
    assert (round(dead / 1e6, 1), round((every - statistics) / 1e6, 1)) == (7.9, 207.3)
    counters = sum(1 for shape in table["keys"].values() if not shape)
    own = sum(tensor.numel() for tensor in network.state_dict().values()) - counters
    assert own == every - dead
    assert len([m for m in network.modules() if isinstance(m, Block)]) == 13
