"""What each plan of stages trains, as resolved from composed configurations."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf, open_dict

from support.runs import compose_training
from vidreid.commands.stages import final_stage, first_stage, has_two_stages, without_graph

VISUAL_NETWORK = "vidreid.models.visual_network.VisualNetwork"


def composed(*overrides: str) -> DictConfig:
    return compose_training(Path("data"), Path("run"), "num_identities=7", *overrides)


def resolved(config: DictConfig) -> dict[str, Any]:
    with open_dict(config):
        config.paths = {key: config.paths[key] for key in ("data", "runs")}
    return OmegaConf.to_container(config, resolve=True)  # pyright: ignore[reportReturnType]


def test_the_first_stage_of_a_two_stage_experiment_is_the_experiment_of_its_branch() -> None:
    """kmpnet_pcb_synthetic's first stage has every setting of pcb_synthetic that training depends on."""
    for branch in ("resnet50", "pcb"):
        first = resolved(first_stage(composed(f"experiment=kmpnet_{branch}_synthetic")))
        alone = resolved(composed(f"experiment={branch}_synthetic"))
        for key in ("model", "data", "loss", "optimizer", "schedule", "trainer", "channels_last"):
            assert first[key] == alone[key], key


def test_the_first_stage_of_mgh_has_its_own_loss_and_schedule() -> None:
    config = composed("experiment=kmpnet_mgh_mars", "data.root=x")
    first, alone = first_stage(config), composed("experiment=mgh_mars", "data.root=x")
    for key in ("loss", "schedule", "optimizer"):
        assert OmegaConf.to_container(first[key]) == OmegaConf.to_container(alone[key])
    assert first.trainer.max_epochs == alone.trainer.max_epochs
    # The second stage decays in steps and has terms for both branches.
    assert OmegaConf.to_container(config.loss) != OmegaConf.to_container(first.loss)
    assert config.schedule != first.schedule


def test_the_control_differs_from_kmpnet_by_the_graph_alone() -> None:
    graph = final_stage(composed("experiment=kmpnet_pcb_synthetic"))
    control = final_stage(composed("experiment=kmpnet_pcb_synthetic", "stages=visual_twice"))
    assert has_two_stages(graph)
    assert has_two_stages(control)
    assert control.model._target_ == VISUAL_NETWORK
    assert control.model.visual == graph.model.visual
    assert "graph" not in control.model
    for key in ("loss", "optimizer", "schedule", "trainer"):
        assert control[key] == graph[key], key
    different = {key for key in graph.data if graph.data[key] != control.data[key]}
    assert different == {"keypoints"}
    assert OmegaConf.to_container(first_stage(control), resolve=True) == OmegaConf.to_container(
        first_stage(graph), resolve=True
    ), "both start from the same first stage"


def test_the_plan_visual_is_the_first_stage_as_a_run() -> None:
    config = composed("experiment=kmpnet_pcb_synthetic", "stages=visual")
    alone = final_stage(config)
    assert not has_two_stages(alone)
    assert (alone.trainer.max_epochs, alone.data.clip_length, alone.data.batch_size) == (10, 2, 16)
    assert alone.model._target_ == VISUAL_NETWORK
    assert config.model._target_.endswith("KMPNet"), "the configuration that was given stays as it was"


def test_a_run_that_goes_on_repeats_its_plan() -> None:
    for plan in ("single", "visual", "visual_twice", "visual_then_graph"):
        once = final_stage(composed("experiment=kmpnet_pcb_synthetic", f"stages={plan}"))
        assert final_stage(once) == once


def test_without_graph_leaves_a_plain_network_as_it_is() -> None:
    config = composed("experiment=pcb_synthetic")
    assert without_graph(config).model == config.model


def test_an_unknown_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no plan 'twice' of stages: choose one of single"):
        final_stage(composed("stages.plan=twice"))
