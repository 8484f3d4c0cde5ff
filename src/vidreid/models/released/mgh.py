"""Names of the released MGH, translated to this library's.

The released code keeps the ResNet under ``base.`` with the non-local blocks inside its blocks, and calls the
graphs of 4, 8 and 2 stripes ``layers1``, ``layers2`` and ``layers3``.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from vidreid.models.backbones.weights import check_fit

_UNUSED = ("classifier.",)

_NON_LOCAL = r"base\.layer(\d)\.(\d+)\.nonlocalblock\."

_RULES = tuple(
    (re.compile(old), new)
    for old, new in (
        (rf"{_NON_LOCAL}theta\.(.+)", r"visual.backbone.non_local.layer\1_\2.query.\3"),
        (rf"{_NON_LOCAL}phi\.0\.(.+)", r"visual.backbone.non_local.layer\1_\2.key.\3"),
        (rf"{_NON_LOCAL}g\.0\.(.+)", r"visual.backbone.non_local.layer\1_\2.value.\3"),
        (rf"{_NON_LOCAL}W\.0\.(.+)", r"visual.backbone.non_local.layer\1_\2.output.\3"),
        (rf"{_NON_LOCAL}W\.1\.(.+)", r"visual.backbone.non_local.layer\1_\2.norm.\3"),
        (r"base\.((?:conv1|bn1|layer[1-4])\.(?!\d+\.nonlocalblock).+)", r"visual.backbone.\1"),
        # Our graphs are in the order of the descriptor: 2, 4, 8 stripes.
        (r"layers3\.([01])\.(.+)", r"visual.graphs.0.\1.\2"),
        (r"layers1\.([01])\.(.+)", r"visual.graphs.1.\1.\2"),
        (r"layers2\.([01])\.(.+)", r"visual.graphs.2.\1.\2"),
        (r"bn\.(.+)", r"visual.global_norm.\1"),
        (r"bnneck\.(.+)", r"visual.neck.\1"),
        (r"fc_list\.(\d)\.(.+)", r"visual.head.\1.\2"),
    )
)

_INSIDE_A_LAYER = {"W_x": "own", "W_neib": "other", "bn": "norm"}


def from_released(state: Mapping[str, Tensor], like: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Translate a released state dict.

    The classifier that exists in the released code but influences nothing is dropped, and so is a
    ``module.`` prefix.

    Args:
        state: Released MGH.
        like: State dict of the network that is to take the weights; if given, the translation is checked
            against it.

    Returns:
        State dict of ``VisualNetwork(MGH)``.

    Raises:
        ValueError: If a name is unknown, or, with ``like``, missing or of another shape; all are listed.
    """
    translated: dict[str, Tensor] = {}
    unknown = []
    for key, value in state.items():
        released = key.removeprefix("module.")
        if released.startswith(_UNUSED):
            continue
        name = _translate(released)
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
            name = match.expand(new)
            if not name.startswith("visual.graphs."):
                return name
            *graph, part, leaf = name.split(".")
            return ".".join([*graph, _INSIDE_A_LAYER[part], leaf]) if part in _INSIDE_A_LAYER else None
    return None
