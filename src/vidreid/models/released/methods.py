"""The network of a released checkpoint: settings that the weights tell, and the weights translated."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from vidreid.models.global_pooled import GlobalPooled
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.mgh import MGH
from vidreid.models.pcb import PCB
from vidreid.models.released import kmpnet, mgh
from vidreid.models.visual_network import VisualNetwork

Setting = int | str
Translate = Callable[[Mapping[str, Tensor], Mapping[str, Tensor] | None], dict[str, Tensor]]
Described = tuple[dict[str, Setting], VisualNetwork]
"""Settings and a network with them, which only shows names and shapes."""

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
            of a graph; ``last_stride`` of a ResNet.
        state: State dict of the network with these settings.
    """

    options: dict[str, Setting]
    state: dict[str, Tensor]


def likely_method(state: Mapping[str, Tensor]) -> str | None:
    """Return the method whose names a released state dict has, or ``None`` for names of none.

    Args:
        state: Released state dict, without ``module.`` prefixes.
    """
    for method, prefixes in _SIGNS:
        if any(key.startswith(prefixes) for key in state):
            return method
    return None


def describe_released(method: str, state: Mapping[str, Tensor]) -> ReleasedWeights:
    """Read the settings of a network from its released weights and translate them.

    Args:
        method: ``kmpnet_pcb``; torchreid's ``pcb`` (4 or 6 stripes) or ``resnet50``; ``mgh``.
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


METHODS: dict[str, tuple[Callable[[Mapping[str, Tensor]], Described], Translate]] = {
    "kmpnet_pcb": (_kmpnet_pcb, kmpnet.from_released),
    "pcb": (_pcb, kmpnet.from_released),
    "resnet50": (_resnet50, kmpnet.from_released),
    "mgh": (_mgh, mgh.from_released),
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
