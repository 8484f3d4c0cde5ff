"""Names of the released KMPNet, and of torchreid's PCB and ResNet, translated to this library's.

The released code keeps torchreid's PCB under ``pcb.``, the graph under ``gcn.``, and Eq. 1 under
``fc_dimup`` and ``fc_dimdown``. A PCB or ResNet checkpoint of torchreid has the visual names without a
prefix.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from vidreid.models.backbones.weights import check_fit

_UNUSED = ("gcn.node_encoder.",)

_GRAPH_RULES: tuple[tuple[str, str], ...] = (
    # torch-geometric 1.6 calls the inverse temperature conv.t, newer releases conv.aggr_module.t.
    (r"gcn\.layers\.(\d+)\.conv\.(?:aggr_module\.)?t", r"graph.layers.\1.convolution.t"),
    (r"gcn\.layers\.(\d+)\.conv\.mlp\.([01])\.(.+)", r"graph.layers.\1.convolution.mlp.\2.\3"),
    # The reference has a dropout of probability 0 between the ReLU and the second linear layer.
    (r"gcn\.layers\.(\d+)\.conv\.mlp\.4\.(.+)", r"graph.layers.\1.convolution.mlp.3.\2"),
    (r"gcn\.layers\.(\d+)\.norm\.(.+)", r"graph.layers.\1.norm.\2"),
    (r"gcn\.post_norm\.(.+)", r"graph.norm.\1"),
    (r"gcn\.feat_fcs\.(\d+)\.(.+)", r"graph.heads.\1.project.\2"),
    (r"gcn\.feat_bns\.(\d+)\.(.+)", r"graph.heads.\1.norm.\2"),
    (r"gcn\.classifier\.(\d+)\.weight", r"graph.heads.\1.classifier.weight"),
    (r"fc_dimup\.(\d+)\.(.+)", r"graph.fusions.\1.up.\2"),
    (r"fc_dimdown\.(\d+)\.(.+)", r"graph.fusions.\1.down.\2"),
)

_VISUAL_RULES: tuple[tuple[str, str], ...] = (
    (r"((?:conv1|bn1|layer[1-4])\..+)", r"visual.backbone.\1"),
    (r"conv5\.layers\.0\.weight", r"visual.head.reduction.0.weight"),
    (r"conv5\.layers\.1\.(.+)", r"visual.head.reduction.1.\1"),
    (r"classifier\.(\d+)\.(.+)", r"visual.head.classifiers.\1.\2"),
    (r"classifier\.(weight|bias)", r"visual.head.\1"),
)

_RULES = (
    *((re.compile(rf"(?:module\.)?{old}"), new) for old, new in _GRAPH_RULES),
    *((re.compile(rf"(?:module\.)?(?:pcb\.)?{old}"), new) for old, new in _VISUAL_RULES),
)


def from_released(state: Mapping[str, Tensor], like: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Translate a released state dict.

    Weights that exist in the released code but influence nothing are dropped, and so is a ``module.`` prefix.

    Args:
        state: Released KMPNet with PCB, or torchreid's ``pcb_p4``, ``pcb_p6`` or ``resnet50``.
        like: State dict of the network that is to take the weights; if given, the translation is checked
            against it.

    Returns:
        State dict of ``KMPNet(PCB)``, ``VisualNetwork(PCB)`` or ``VisualNetwork(GlobalPooled)``.

    Raises:
        ValueError: If a name is unknown, or, with ``like``, missing or of another shape; all are listed.
    """
    translated: dict[str, Tensor] = {}
    unknown = []
    for key, value in state.items():
        if key.removeprefix("module.").startswith(_UNUSED):
            continue
        name = _translate(key)
        if name is None:
            unknown.append(key)
        else:
            translated[name] = value
    check_fit(translated, like or translated, "The released checkpoint", unknown)
    return translated


def _translate(key: str) -> str | None:
    for pattern, new in _RULES:
        match = pattern.fullmatch(key)
        if match:
            return match.expand(new)
    return None
