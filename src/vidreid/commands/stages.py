"""Which trainings a run is made of: pure functions from a run's configuration to that of a stage.

Plans (``stages.plan``):

- ``single``: the network as it is configured, in one training.
- ``visual_then_graph``: KMPNet's set-up; the visual branch alone, then everything from its checkpoint.
- ``visual``: only the first of these two.
- ``visual_twice``: the control of the paper's Table 3 ("+ fine-tune"): the second training as well, with all
  its settings, but without the graph.

What the first training does differently stands in ``stages.visual``.
"""

from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

PLANS = ("single", "visual_then_graph", "visual", "visual_twice")
VISUAL_NETWORK = "vidreid.models.visual_network.VisualNetwork"


def has_two_stages(config: DictConfig) -> bool:
    """Whether a training of the visual branch alone comes first."""
    return config.stages.plan in ("visual_then_graph", "visual_twice")


def final_stage(config: DictConfig) -> DictConfig:
    """Return the configuration of the training that a run ends with.

    Args:
        config: The composed configuration.

    Raises:
        ValueError: If there is no such plan, or it needs a visual branch and the model has none.
    """
    plan = config.stages.plan
    if plan not in PLANS:
        raise ValueError(f"There is no plan {plan!r} of stages: choose one of {', '.join(PLANS)}.")
    if plan == "visual":
        return first_stage(config)
    return without_graph(config) if plan == "visual_twice" else config


def first_stage(config: DictConfig) -> DictConfig:
    """Return the training of the visual branch as a network of its own, with ``stages.visual`` applied."""
    first = without_graph(config)
    for key, change in config.stages.visual.items():
        _apply(first, str(key), change)
    with open_dict(first):
        first.stages = {"plan": "single"}
    return first


def without_graph(config: DictConfig) -> DictConfig:
    """Return the same training of the visual branch alone: no graph, no keypoints, no loss of the graph."""
    plain = config.copy()
    with open_dict(plain):
        plain.model = {"_target_": VISUAL_NETWORK, "visual": config.model.visual}
        plain.data.keypoints = None
        plain.descriptors = ["visual"]
        if config.stages.visual.get("loss") is not None:
            plain.loss = config.stages.visual.loss
    return plain


def _apply(config: DictConfig, key: str, change: Any) -> None:
    """Merge a change, but let what names a class replace what was there: its arguments may be others."""
    if change is None:
        return
    with open_dict(config):
        if OmegaConf.is_dict(change) and "_target_" not in change:
            config[key] = OmegaConf.merge(config[key], change)
        else:
            config[key] = change
