"""The network of a released checkpoint: settings that the weights tell, and the weights translated."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor

from vidreid.keypoints.skeleton import COCO17
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.global_pooled import GlobalPooled
from vidreid.models.key_reid import KeyReID
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.mgh import MGH
from vidreid.models.network import ReidNetwork
from vidreid.models.pcb import PCB
from vidreid.models.released import kmpnet, mgh, transformers
from vidreid.models.released.transformers import read_layout
from vidreid.models.vid_trans_reid import TransReID, VidTransReID
from vidreid.models.vid_trans_reid.network import stripe_names
from vidreid.models.visual_network import VisualNetwork

Setting = int | str | bool
Translate = Callable[[Mapping[str, Tensor], Mapping[str, Tensor] | None], dict[str, Tensor]]
Described = tuple[dict[str, Setting], ReidNetwork]
"""Settings and a network with them, which only shows names and shapes."""

TRANSFORMERS = ("key_reid", "vid_trans_reid", "trans_reid")
"""Methods with a ViT for a trunk."""

_TRANSFORMER = ("base.blocks.", "base.cls_token", "b1.", "b2.")

# The first prefix that a name of the file has tells the method.
_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("kmpnet_pcb", ("pcb.", "gcn.", "fc_dimup.", "fc_dimdown.")),
    ("mgh", ("base.", "layers1.", "fc_list.", "bnneck.")),
    ("pcb", ("conv5.", "classifier.0.")),
    ("resnet50", ("layer4.",)),
)


@dataclass(frozen=True)
class ReleasedWeights:
    """A released checkpoint in this library's terms.

    Attributes:
        options: Settings of the network: ``num_identities``; ``stripes`` of a PCB; ``joints``, the skeleton
            of a graph or of parts; ``last_stride`` of a ResNet; of transformers ``cameras``, ``frames``,
            ``stride`` and whether there is a ``local_branch``.
        state: State dict of the network with these settings.
    """

    options: dict[str, Setting]
    state: dict[str, Tensor]


def likely_method(state: Mapping[str, Tensor]) -> str | None:
    """Return the method whose names a released state dict has, or ``None`` for names of none.

    Args:
        state: Released state dict, without ``module.`` prefixes.
    """
    if any(key.startswith(_TRANSFORMER) for key in state):
        if any(key.startswith("attention_") for key in state):
            return "key_reid" if "classifier_6.weight" in state else "vid_trans_reid"
        return "trans_reid"
    for method, prefixes in _SIGNS:
        if any(key.startswith(prefixes) for key in state):
            return method
    return None


def describe_released(method: str, state: Mapping[str, Tensor]) -> ReleasedWeights:
    """Read the settings of a network from its released weights and translate them.

    Args:
        method: ``kmpnet_pcb``; torchreid's ``pcb`` (4 or 6 stripes) or ``resnet50``; ``mgh``; ``key_reid``,
            ``vid_trans_reid`` or ``trans_reid``.
        state: Released state dict, without ``module.`` prefixes.

    Raises:
        ValueError: If there is no such method, the weights are of another one, or keys are unknown, missing
            or of another shape; all are listed.
    """
    if method not in METHODS:
        raise ValueError(f"There is no importer for method={method}: choose one of {', '.join(METHODS)}.")
    likely = likely_method(state)
    if likely is None:
        raise ValueError(
            f"None of the {len(state)} names in the checkpoint (the first is {next(iter(state), 'missing')}) "
            f"belongs to a released {', '.join(METHODS)}: choose another file."
        )
    if likely != method:
        raise ValueError(
            f"The checkpoint is not of method={method}, its names are those of {likely}: "
            f"import it with method={likely}, or choose another file."
        )
    describe, translate = METHODS[method]
    # Only names and shapes are compared: no memory, no random numbers.
    with torch.device("meta"):
        options, network = describe(state)
    return ReleasedWeights(options, translate(state, network.state_dict()))


def _kmpnet_pcb(state: Mapping[str, Tensor]) -> Described:
    identities = _rows(r"(?:pcb|gcn)\.classifier\.\d+\.weight", state)
    stripes = _stripes(r"pcb\.classifier\.(\d+)\..+", state)
    heads = _count(r"gcn\.(?:feat_fcs|feat_bns|classifier)\.(\d+)\..+", state)
    joints = "body12" if heads <= 5 else "coco17"
    network = KMPNet(PCB(identities, stripes=stripes), partial(GraphBranch, identities, joints=joints))
    return {"num_identities": identities, "stripes": stripes, "joints": joints}, network


def _pcb(state: Mapping[str, Tensor]) -> Described:
    identities = _rows(r"classifier\.\d+\.weight", state)
    stripes = _stripes(r"classifier\.(\d+)\..+", state)
    network = VisualNetwork(PCB(identities, stripes=stripes))
    return {"num_identities": identities, "stripes": stripes}, network


def _resnet50(state: Mapping[str, Tensor]) -> Described:
    identities = _rows(r"classifier\.weight", state)
    # No weight tells the stride; 2 is that of torchreid's resnet50.
    network = VisualNetwork(GlobalPooled(identities, last_stride=2))
    return {"num_identities": identities, "last_stride": 2}, network


def _mgh(state: Mapping[str, Tensor]) -> Described:
    identities = _rows(r"fc_list\.\d+\.weight", state)
    return {"num_identities": identities}, VisualNetwork(MGH(identities))


def _key_reid(state: Mapping[str, Tensor]) -> Described:
    options, backbone = _trunk(state)
    frames = cast(int, options["frames"])
    network = KeyReID(
        read_layout(state).identities, backbone, frames=frames, tokens="released", part_guidance="released"
    )
    return options | {"joints": "coco17"}, network


def _vid_trans_reid(state: Mapping[str, Tensor]) -> Described:
    options, backbone = _trunk(state)
    layout = read_layout(state)
    frames, parts = cast(int, options["frames"]), max(layout.parts, 1)
    network = VidTransReID(layout.identities, backbone, frames, tokens="released", parts=parts)
    return options | {"parts": parts}, network


def _trans_reid(state: Mapping[str, Tensor]) -> Described:
    options, backbone = _trunk(state)
    layout = read_layout(state)
    local, parts = layout.parts > 0, max(layout.parts, 1)
    network = TransReID(layout.identities, backbone, parts=parts, local_branch=local)
    del options["frames"]
    return options | {"parts": parts, "local_branch": local}, network


def _trunk(state: Mapping[str, Tensor]) -> tuple[dict[str, Setting], VisionTransformer]:
    layout = read_layout(state)
    # At 256x128, which no weight tells, only these two strides are in use: 16x8 and 21x10 patches.
    stride = 12 if layout.patches == 210 else 16
    options: dict[str, Setting] = {
        "num_identities": layout.identities,
        "cameras": layout.cameras,
        "frames": max(layout.local_width // layout.width, 1),
        "stride": stride,
    }
    camera = layout.cameras > 0
    return options, VisionTransformer(stride=stride, camera=camera, cameras=range(layout.cameras))


def _transformer_names(method: str) -> Translate:
    def translate(state: Mapping[str, Tensor], like: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
        parts = read_layout(state).parts
        names = list(COCO17.parts) if method == "key_reid" else stripe_names(parts)
        return transformers.from_released(state, names, like)

    return translate


METHODS: dict[str, tuple[Callable[[Mapping[str, Tensor]], Described], Translate]] = {
    "kmpnet_pcb": (_kmpnet_pcb, kmpnet.from_released),
    "pcb": (_pcb, kmpnet.from_released),
    "resnet50": (_resnet50, kmpnet.from_released),
    "mgh": (_mgh, mgh.from_released),
    "key_reid": (_key_reid, _transformer_names("key_reid")),
    "vid_trans_reid": (_vid_trans_reid, _transformer_names("vid_trans_reid")),
    "trans_reid": (_trans_reid, _transformer_names("trans_reid")),
}


def _rows(pattern: str, state: Mapping[str, Tensor]) -> int:
    """Return the classes of the first classifier; if there is none, the comparison names it as missing."""
    matrices = (value for key, value in state.items() if re.fullmatch(pattern, key) and value.dim() == 2)
    return next((len(matrix) for matrix in matrices), 1)


def _stripes(pattern: str, state: Mapping[str, Tensor]) -> int:
    """Return 4 or 6: a number in between means that entries are missing, which the comparison names."""
    return 4 if _count(pattern, state) <= 4 else 6


def _count(pattern: str, state: Mapping[str, Tensor]) -> int:
    matches = (re.fullmatch(pattern, key) for key in state)
    return max((int(match[1]) + 1 for match in matches if match), default=0)
