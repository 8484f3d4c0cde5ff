"""ImageNet weights for a backbone: from a local file, or from timm's hub with a quick and clear failure."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import timm
import torch
from huggingface_hub import constants as hub
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from safetensors.torch import load_file
from torch import Tensor, nn

PROBE_SECONDS = 5.0
_FILENAME = "model.safetensors"


def released_tag(name: str) -> str:
    """Complete a timm model name by the tag of the weights to start from.

    A name that has a tag keeps it. Otherwise torchvision's first weights (``tv_in1k``) are taken where timm
    has them, because the released KMPNet and PCB start from those; else timm's default.

    Args:
        name: ``resnet50`` or ``resnet50.a1_in1k``.
    """
    if "." in name:
        return name
    tagged = f"{name}.tv_in1k"
    if timm.is_model_pretrained(tagged):
        return tagged
    default = timm.get_pretrained_cfg(name)
    return f"{name}.{default.tag}" if default and default.tag else name


def hub_is_reachable(seconds: float = PROBE_SECONDS) -> bool:
    """Ask the hub for one answer; without this the hub's client repeats itself for most of a minute."""
    try:
        urllib.request.urlopen(urllib.request.Request(hub.ENDPOINT, method="HEAD"), timeout=seconds).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def imagenet_weights(
    name: str, reachable: Callable[[], bool] = hub_is_reachable, setting: str = "model.visual"
) -> dict[str, Tensor]:
    """Load a timm model's ImageNet weights from the local cache or, once, from the hub.

    Args:
        name: timm model name with or without a tag.
        reachable: Says whether a download can be tried.
        setting: Where the configuration has ``weights`` and ``pretrained``, for the message.

    Raises:
        ConnectionError: If the weights cannot be had; the message names the two ways out.
    """
    tagged = released_tag(name)
    released = timm.get_pretrained_cfg(tagged) if timm.is_model_pretrained(tagged) else None
    reason = "timm has none under this name"
    if released and released.hf_hub_id:
        try:
            cached = try_to_load_from_cache(released.hf_hub_id, _FILENAME)
            if isinstance(cached, str):
                return load_file(cached)
            if reachable():
                return load_file(hf_hub_download(released.hf_hub_id, _FILENAME))
            reason = "the model hub cannot be reached"
        except Exception as error:
            reason = (
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
            )
    raise ConnectionError(
        f"The ImageNet weights {tagged!r} cannot be had ({reason}): give a local file by"
        f" `{setting}.weights=FILE` or start without them by `{setting}.pretrained=false`."
    )


def read_state(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from ``.safetensors`` or a torch file that holds tensors only.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds something else than a state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}: check the setting `weights` of the trunk.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as weights ({type(error).__name__}): give a .safetensors file, or a .pth"
            " file that holds a state dict of tensors only."
        ) from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError(f"{path} holds no state dict of tensors: give the weights of the trunk.")
    return {str(key): value for key, value in content.items()}


def load_exactly(module: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict and name every key that is missing, unexpected or of another shape.

    Raises:
        ValueError: If a key does not fit.
    """
    check_fit(state, module.state_dict(), source)
    module.load_state_dict(dict(state), strict=False)


def check_fit(
    state: Mapping[str, Tensor], like: Mapping[str, Tensor], source: str, unknown: Sequence[str] = ()
) -> None:
    """Compare a state dict with the one of the network that is to take it.

    Args:
        state: What is to be loaded.
        like: What the network has.
        source: Where ``state`` comes from, the subject of the message.
        unknown: Further keys that nothing could be made of.

    Raises:
        ValueError: If a key is missing, unexpected or of another shape; the message lists them.
    """
    # Old files have no batch counters, which only matter for a momentum of None.
    missing = [key for key in like if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [*unknown, *(key for key in state if key not in like)]
    shapes = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(like[key].shape)}"
        for key in like
        if key in state and state[key].shape != like[key].shape
    ]
    kinds = (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
    problems = [f"{what}: {_some(keys)}" for what, keys in kinds if keys]
    if problems:
        raise ValueError(f"{source} does not fit the network: {'; '.join(problems)}.")


def _some(keys: list[str], limit: int = 8) -> str:
    more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
    return ", ".join(keys[:limit]) + more
