"""Golden case 7: MGH as released, one training step with both losses and its descriptor."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from golden.golden_weights import images
from models.golden_files import FOLDER, close, golden_files, load, number
from models.golden_import import Importer
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.triplet import TripletLoss
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.released.mgh import from_released

pytestmark = pytest.mark.slow  # whole networks in two precisions

TYPES = {"float32": torch.float32, "float64": torch.float64}
HEADS = ["global", "stripes_2", "stripes_4", "stripes_8"]


class Run(NamedTuple):
    """One training step of a golden file in one precision."""

    case: dict[str, np.ndarray]
    suffix: str
    outputs: TrainingOutputs
    losses: dict[str, Tensor]
    gradients: dict[str, Tensor]

    def expect(self, actual: Tensor, key: str, loose: float, tight: float) -> None:
        close(actual, self.case[key + self.suffix], tight if self.suffix else loose)


def clips_of(case) -> Tensor:
    clips, frames = number(case["B"]), number(case["T"])
    return images("c7.images", clips * frames, number(case["seed"])).view(clips, frames, 3, 256, 128)


@pytest.fixture(scope="module")
def importer(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("imported"))


@pytest.fixture(scope="module", params=TYPES)
def precision(request) -> str:
    return request.param


@pytest.fixture(scope="module", params=sorted(FOLDER.glob("c7_mgh*.npz")), ids=lambda path: path.stem)
def run(request, precision, importer) -> Run:
    case = load(request.param)
    network = importer.network(request.param, "mgh").to(TYPES[precision]).train()
    outputs = network(clips_of(case).to(TYPES[precision]))
    recipe = LossRecipe({"ce": IdentityLoss(0.1, "sum"), "triplet": TripletLoss(0.3)})
    total, log = recipe(outputs.logits, outputs.embeddings, torch.from_numpy(case["labels"]).long())
    total.backward()
    gradients = {
        name: parameter.grad for name, parameter in network.named_parameters() if parameter.grad is not None
    }
    losses = log | {"total": total.detach()}
    return Run(case, "_f64" if precision == "float64" else "", outputs, losses, gradients)


def test_logits_and_embedding(run: Run) -> None:
    assert list(run.outputs.logits) == HEADS
    run.expect(torch.stack(list(run.outputs.logits.values())), "train_logits", 5e-3, 1e-5)
    run.expect(run.outputs.embeddings["visual"], "train_feature", 5e-3, 1e-5)


def test_losses(run: Run) -> None:
    heads = torch.stack([run.losses[f"ce/{name}"] for name in HEADS])
    run.expect(heads, "ce_per_head", 5e-4, 1e-5)
    run.expect(run.losses["triplet"], "triplet", 5e-4, 1e-5)
    run.expect(run.losses["total"], "loss_total", 5e-4, 1e-5)


def test_gradient_norms(run: Run) -> None:
    released = [str(name) for name in run.case["grad_names"]]
    own = [next(iter(from_released({name: torch.empty(0)}))) for name in released]
    norms = torch.stack([run.gradients[name].norm() for name in own]).double()
    wanted = torch.from_numpy(run.case[f"grad_norm{run.suffix}"]).double()
    relative = ((norms - wanted).abs() / wanted).max().item()
    assert relative <= (1e-5 if run.suffix else 2e-2)


@golden_files("c7_mgh*.npz")
@pytest.mark.parametrize("kind", TYPES)
def test_descriptor(path, kind, importer) -> None:
    case = load(path)
    double = kind == "float64"
    suffix = "_f64" if double else ""
    network = importer.network(path, "mgh").to(TYPES[kind]).eval()
    clips = clips_of(case)[:2].to(TYPES[kind])
    with torch.no_grad():
        maps = network.visual.stages(clips.flatten(0, 1))
        described = network.visual.describe(maps, clips.shape[1])
    close(described, case[f"eval_feature{suffix}"], 1e-5 if double else 5e-4)
    loose = 1e-4 if double else 1e-3
    last = maps[-1][0]
    close(last.mean((1, 2)), case[f"eval_map_channel_mean_frame0{suffix}"], loose)
    close(last.mean((0, 2)), case[f"eval_map_mean_per_row_frame0{suffix}"], loose)
