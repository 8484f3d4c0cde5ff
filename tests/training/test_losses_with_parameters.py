"""Trainings whose losses have centres: optimisers, schedules, checkpoints and resuming."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from lightning.pytorch.callbacks import LearningRateMonitor
from torch import Tensor, nn
from torch.utils.data import DataLoader

from support.runs import NARROW, compose_training
from vidreid.commands import config_dir
from vidreid.commands.building import build_module
from vidreid.data.batch import ClipBatch
from vidreid.losses.center import CenterLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.value import ClipFacts
from vidreid.metrics.reid import ReidMetric
from vidreid.models.network import ReidNetwork
from vidreid.models.outputs import TrainingOutputs
from vidreid.training.joint_optimizer import JointOptimizer
from vidreid.training.module import ReidModule
from vidreid.training.parameter_groups import centers_sgd
from vidreid.training.schedules import released_cosine_rate

IDENTITIES, GLOBAL, PART = 3, 4, 6


class TinyBranches(ReidNetwork):
    """A global head with temporal attention and two parts, of which one shows in few clips."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(3, GLOBAL)
        self.scores = nn.Linear(GLOBAL, 1)
        self.parts = nn.ModuleDict({name: nn.Linear(GLOBAL, PART) for name in ("head", "legs")})
        sizes = {"global": GLOBAL, "head": PART, "legs": PART}
        self.classifiers = nn.ModuleDict({n: nn.Linear(size, IDENTITIES) for n, size in sizes.items()})
        self.dropout = nn.Dropout(0.2)

    def forward(self, images: Tensor, keypoints=None, cameras=None) -> TrainingOutputs:
        frames = self.dropout(self.trunk(images.mean((-2, -1))))
        scores = self.scores(frames).squeeze(-1).relu()
        embeddings = {"global": (scores.softmax(1).unsqueeze(-1) * frames).sum(1)}
        embeddings |= {name: part(frames.mean(1)) for name, part in self.parts.items()}
        logits = {name: self.classifiers[name](vectors) for name, vectors in embeddings.items()}
        shows = torch.arange(len(images), device=images.device) % 3 > 0
        return TrainingOutputs(logits, embeddings, scores, {"head": shows})

    def describe(self, images: Tensor, keypoints=None, cameras=None) -> Tensor:
        return self.trunk(images.mean((-2, -1))).mean(1)

    def exported(self) -> "ReidNetwork":
        return self

    def training_only(self) -> list[str]:
        return []


def batches() -> DataLoader:
    """Four batches of two clips of each identity."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for _ in range(4):
        pids = torch.arange(IDENTITIES).repeat_interleave(2)
        size = (len(pids), 2, 3, 4, 2)
        none = torch.zeros(len(pids), dtype=torch.long)
        images = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
        erased = torch.rand(size[:2], generator=generator) < 0.4
        made.append(ClipBatch(images, None, pids, none, none, none, none, erased))
    return DataLoader(made, batch_size=None)


def compose_recipe(*overrides: str) -> Any:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose(
            "train",
            [
                "loss=key_reid", "optimizer=sgd_transformer", "loss_optimizer=centers",
                "schedule=cosine_released", f"num_identities={IDENTITIES}",
                f"embedding_sizes.global={GLOBAL}", f"embedding_sizes.part={PART}", *overrides,
            ],
        )  # fmt: skip


def make_module(*overrides: str) -> ReidModule:
    config = compose_recipe(*overrides)
    torch.manual_seed(3)
    return ReidModule(
        TinyBranches(),
        instantiate(config.loss),
        instantiate(config.optimizer),
        instantiate(config.schedule),
        ReidMetric,
        loss_optimizer=instantiate(config.get("loss_optimizer")),
    )


class SeedEpochs(L.Callback):
    """Dropout depends on the place in the training."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        torch.manual_seed(100 * trainer.current_epoch + batch_idx)


class StopAfterTwoEpochs(L.Callback):
    """Something came between."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        trainer.should_stop = trainer.current_epoch == 1


def make_trainer(folder: Path, epochs: int, **options: Any) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu", devices=1, max_epochs=epochs, default_root_dir=folder, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=[SeedEpochs()], **options,
    )  # fmt: skip


def trained(folder: Path, *overrides: str, epochs: int = 4, **options: Any) -> ReidModule:
    module = make_module(*overrides)
    make_trainer(folder, epochs, **options).fit(module, batches())
    return module


def centers_of(module: ReidModule) -> CenterLoss:
    center = module.losses.terms["center"]
    assert isinstance(center, CenterLoss)
    return center


@pytest.mark.parametrize("options", [{}, {"accumulate_grad_batches": 2}, {"gradient_clip_val": 0.1}])
def test_a_resumed_training_is_exact(options: dict[str, Any], tmp_path: Path) -> None:
    whole = trained(tmp_path, "schedule.warmup_epochs=1", **options)
    first = make_module("schedule.warmup_epochs=1")
    trainer = make_trainer(tmp_path, 4, **options)
    trainer.callbacks.append(StopAfterTwoEpochs())
    trainer.fit(first, batches())
    assert trainer.current_epoch == 2
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    second = make_module("schedule.warmup_epochs=1")
    trainer = make_trainer(tmp_path, 4, **options)
    trainer.fit(second, batches(), ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert isinstance(trainer.optimizers[0], JointOptimizer)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
        if name.startswith("losses."):
            assert not torch.equal(value, first.state_dict()[name]), "the second half taught something"


@pytest.mark.parametrize("choice", ["both", "global"])
def test_centres_move(choice: str, tmp_path: Path) -> None:
    start = centers_of(make_module()).state_dict()
    end = centers_of(trained(tmp_path, f"loss.terms.center.trained={choice}", epochs=1)).state_dict()
    assert not torch.equal(start["global_centers"], end["global_centers"])
    assert torch.equal(start["part_centers"], end["part_centers"]) == (choice == "global")


def test_centres_step_by_a_rate_of_their_own(tmp_path: Path) -> None:
    """One batch: the step of the centres is the gradient of the center loss alone, times 0.5."""
    module = make_module()
    batch = next(iter(batches()))
    before = {name: value.clone() for name, value in centers_of(module).state_dict().items()}
    make_trainer(tmp_path, 1, limit_train_batches=1).fit(module, batches())
    other = make_module()
    torch.manual_seed(0)  # the dropout of the first batch
    outputs = other.network(other.normalize(batch.images))
    center = centers_of(other)
    facts = ClipFacts(visible=outputs.visible)
    center(outputs.logits, outputs.embeddings, batch.pids, facts).value.backward()
    for name, table in center.named_parameters():
        torch.testing.assert_close(centers_of(module).state_dict()[name], before[name] - 0.5 * table.grad)


def test_rates_of_all_groups_are_scheduled_and_logged(tmp_path: Path) -> None:
    module = make_module()
    monitor = LearningRateMonitor(logging_interval="epoch")
    trainer = L.Trainer(
        accelerator="cpu", devices=1, max_epochs=3, default_root_dir=tmp_path, callbacks=[monitor],
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        logger=L.pytorch.loggers.CSVLogger(tmp_path),
    )  # fmt: skip
    trainer.fit(module, batches())
    weights, biases, centers = monitor.lrs.values()
    assert weights == pytest.approx([0.001664, 0.003248, 0.004832])
    assert biases == pytest.approx([released_cosine_rate(epoch, 0.016) for epoch in (1, 2, 3)])
    assert centers == pytest.approx([0.5 / 0.0005] * 3)


def test_without_an_optimiser_of_their_own_centres_train_with_the_network(tmp_path: Path) -> None:
    module = trained(tmp_path, "~loss_optimizer", epochs=1)
    optimizer = module.trainer.optimizers[0]
    assert isinstance(optimizer, torch.optim.SGD)
    names = [name for group in optimizer.param_groups for name in group["param_names"]]
    assert sorted(names) == sorted(name for name, _ in module.named_parameters())
    start = centers_of(make_module()).state_dict()
    assert not torch.equal(start["part_centers"], centers_of(module).state_dict()["part_centers"])


def test_an_optimiser_for_losses_without_parameters_is_refused() -> None:
    module = make_module("loss=identity", "~loss_optimizer")
    module.make_loss_optimizer = centers_sgd
    with pytest.raises(ValueError, match="leave it out"):
        module._optimizer()


@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.AdamW])
def test_states_saved_without_names_are_read(make: Callable[..., torch.optim.Optimizer]) -> None:
    """Runs of earlier versions gave their optimiser parameters without names."""
    module = make_module("loss=identity", "~loss_optimizer")
    module.make_optimizer = partial(make, lr=0.1)
    before = make(list(module.parameters()), lr=0.1)
    sum(parameter.sum() for parameter in module.parameters()).backward()
    before.step()
    after = module._optimizer()
    after.load_state_dict(before.state_dict())
    for parameter in module.parameters():
        assert torch.equal(after.state[parameter]["exp_avg"], before.state[parameter]["exp_avg"])


def test_the_recipes_of_the_configuration() -> None:
    names = ("key_reid", "key_reid_released", "trans_reid")
    recipes = {name: compose_recipe(f"loss={name}", "~loss_optimizer") for name in names}
    assert all(config.loss_optimizer is None for config in recipes.values())
    made = {name: instantiate(config.loss) for name, config in recipes.items()}
    assert all(isinstance(recipe, LossRecipe) for recipe in made.values())
    for name in ("key_reid", "key_reid_released"):
        assert made[name].weights == {"identity": 1.0, "triplet": 1.0, "center": 0.0005, "attention": 1.0}
        assert made[name].terms["identity"].smoothing == 0.1
        assert [made[name].terms[term].global_weight for term in ("identity", "triplet", "center")] == [
            0.75
        ] * 3
    choices = [
        (made[name].terms["triplet"].lone_clips, made[name].terms["center"].part_centers.requires_grad)
        for name in ("key_reid", "key_reid_released")
    ]
    assert choices == [("skip", True), ("count", False)]
    terms = made["trans_reid"].terms
    assert (terms["identity"].smoothing, terms["identity"].global_weight) == (0.0, 0.5)
    assert (terms["triplet"].margin, terms["triplet"].global_weight) == (None, 0.5)


def test_the_command_builds_what_the_configuration_says(tmp_path: Path) -> None:
    settings = (
        "experiment=pcb_synthetic", *NARROW, "num_identities=3", "loss=key_reid", "loss_optimizer=centers",
        "loss.terms.center.global_size=4", "loss.terms.center.part_size=6",
    )  # fmt: skip
    module = build_module(compose_training(tmp_path, tmp_path, *settings))
    optimizer = module._optimizer()
    assert isinstance(optimizer, JointOptimizer)
    assert isinstance(optimizer.main, torch.optim.Adam)
    centers = list(module.losses.parameters())
    assert [group["params"] for group in optimizer.losses.param_groups] == [centers]
    plain = build_module(compose_training(tmp_path, tmp_path, *settings, "~loss_optimizer"))
    assert isinstance(plain._optimizer(), torch.optim.Adam)
