"""Names of the released KeyRe-ID, VID-Trans-ReID and TransReID, translated to this library's.

Their trunk is ``base.``, the global block ``b1.``, the local block ``b2.``; ``block1.`` names the first half
of ``b2`` once more. The trunk's last block, its norm and its ImageNet classifier exist beside the branches'
copies and influence nothing; they are dropped. Without a local branch (TransReID alone) they are the global
branch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vidreid.models.backbones.weights import check_fit

_INFLUENCE_NOTHING = ("block1.", "base.fc.", "base.head.", "b1.head.")
_HEAD = re.compile(r"(bottleneck|classifier)(?:_(\d+))?\.(.+)")


@dataclass(frozen=True)
class TransformerLayout:
    """What a released state dict tells of its network.

    Attributes:
        identities: Classes of the classifiers.
        parts: Number of parts, 0 without a local branch.
        cameras: Rows of the camera table, 0 without one (for TransReID with views: cameras times views).
        width: ``D``.
        local_width: Width of the local block.
        patches: Positions without that of [CLS].
        depth: Blocks of the trunk with the last one.
    """

    identities: int
    parts: int
    cameras: int
    width: int
    local_width: int
    patches: int
    depth: int


def read_layout(state: Mapping[str, Tensor]) -> TransformerLayout:
    """Read the layout of a released state dict; what is missing counts as absent and is named later."""
    parts = [int(match[1]) for key in state if (match := re.fullmatch(r"classifier_(\d+)\.weight", key))]
    blocks = [int(match[1]) for key in state if (match := re.match(r"base\.blocks\.(\d+)\.", key))]
    table = next((state[key] for key in ("base.Cam", "base.sie_embed") if key in state), None)
    positions = state.get("base.pos_embed")
    local = state.get("b2.1.weight")
    width = 768 if positions is None else positions.shape[2]
    return TransformerLayout(
        identities=len(state["classifier.weight"]) if "classifier.weight" in state else 1,
        parts=max(parts, default=0),
        cameras=0 if table is None else len(table),
        width=width,
        local_width=width if local is None else len(local),
        patches=128 if positions is None else positions.shape[1] - 1,
        depth=max(blocks, default=11) + 1,
    )


def from_released(
    state: Mapping[str, Tensor], part_names: list[str], like: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Translate a released state dict.

    Args:
        state: Released KeyRe-ID, VID-Trans-ReID or TransReID, without ``module.`` prefixes.
        part_names: Names of the parts in the order of the released heads, ``_1`` being the first.
        like: State dict of the network that is to take the weights; if given, the translation is checked
            against it.

    Returns:
        State dict of the network of that method.

    Raises:
        ValueError: If a name is unknown, or, with ``like``, missing or of another shape; all are listed.
    """
    last = read_layout(state).depth - 1
    alone = not any(key.startswith("b1.") for key in state)
    translated: dict[str, Tensor] = {}
    unknown = []
    for key, value in state.items():
        if key.startswith(_INFLUENCE_NOTHING):
            continue
        name = _translate(key, last, alone, part_names)
        if name is None:
            unknown.append(key)
        elif name:
            translated[name] = _shaped(name, value)
    check_fit(translated, like or translated, "The released checkpoint", unknown)
    return translated


def _translate(key: str, last: int, alone: bool, part_names: list[str]) -> str | None:
    """Return our name, nothing for what has no influence, or ``None`` for a name that is unknown."""
    head = _HEAD.fullmatch(key)
    if head:
        kind, number, leaf = head.groups()
        if number is not None and int(number) > len(part_names):
            return None
        name = "global" if number is None else part_names[int(number) - 1]
        return f"necks.{name}.{leaf}" if kind == "bottleneck" else f"head.layers.{name}.{leaf}"
    for old, new in (
        ("base.cls_token", "backbone.cls_token"),
        ("base.pos_embed", "backbone.positions"),
        ("base.Cam", "backbone.cameras.table"),
        ("base.sie_embed", "backbone.cameras.table"),
        ("base.patch_embed.proj.", "backbone.project."),
        (f"base.blocks.{last}.", "global_block.0." if alone else ""),
        ("base.norm.", "global_block.1." if alone else ""),
        ("base.blocks.", "backbone.blocks."),
        ("b1.", "global_block."),
        ("b2.", "local_block."),
        ("attention_conv.", "attention.reduce."),
        ("attention_tconv.", "attention.over_time."),
    ):
        if key.startswith(old):
            return new + key[len(old) :] if new else ""
    return None


def _shaped(name: str, value: Tensor) -> Tensor:
    if name == "backbone.cameras.table":
        return value.flatten(1)
    # A 1x1 convolution is a linear layer.
    return value.flatten(1) if name == "attention.reduce.weight" and value.dim() == 4 else value
