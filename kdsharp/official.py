"""The files in which the authors of Restormer and NAFNet publish their weights (floor 3; lesson 07).

Fetch them from the projects' own pages, swz30/Restormer and megvii-research/NAFNet on GitHub; mind their licences
(Restormer's allows no commercial use). kdsharp neither contains nor downloads them. :func:`kdsharp.checkpoints.load`
is the door for every file; this module only tells which network a file belongs to, and of which size.
"""

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kdsharp.checks import UsageError
from kdsharp.models.nafnet import LOCAL_WINDOW, NAFNet
from kdsharp.models.restormer import Restormer

Weights = dict[str, Tensor]

SUFFIX = ".pth"
FILES = "a .pth file of Restormer or NAFNet"
GROUPS = ("params_ema", "params", "state_dict")
"""Where a file keeps the weights, the first that is there: an average over the training is what authors score. Without
any of them the file is the weights itself."""
WRAPPER = "module."
"""What PyTorch's DataParallel writes before every name."""


def read(path: Path) -> tuple[Weights, nn.Module, dict[str, Any]]:
    """The weights of an official file, a network of their sizes, and those sizes.

    The network lies on the ``meta`` device: it has shapes, but no memory and no values yet. NAFNet comes with local
    means, as its published score needs. Whether every weight fits is left to the caller.

    Raises:
        UsageError: for a damaged file, one with other objects than tensors, or weights of no known network.
    """
    weights, group = _tensors(path)
    for architecture, (network, marks, sizes_of) in NETWORKS.items():
        if marks <= weights.keys():
            try:
                sizes = sizes_of(weights)
                with torch.device("meta"):
                    model = network(**sizes).to(memory_format=torch.channels_last)
            except (LookupError, ValueError, ArithmeticError) as error:
                raise UsageError(
                    f"checkpoint {path} looks like {architecture!r}, but its sizes cannot be read ({error}); "
                    f"give {FILES} as its authors published it"
                ) from None
            return weights, model, {"architecture": architecture, "weights": group} | sizes
    first = ", ".join(sorted(weights)[:3])
    raise UsageError(f"checkpoint {path} holds {len(weights)} tensors of an unknown network ({first}); give {FILES}")


def _tensors(path: Path) -> tuple[Weights, str]:
    """The tensors of a file by their names and where they lay; what else is in it is refused, and nothing is run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # broken pickles raise nearly anything
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        if foreign:
            raise UsageError(
                f"checkpoint {path} holds a Python object ({foreign[1]}), which could run code when it is read; "
                "only tensors are allowed: save its state_dict() alone"
            ) from None
        raise UsageError(f"checkpoint {path} is damaged or no PyTorch file; copy or download it again") from None
    group = next((name for name in GROUPS if name in content), "") if isinstance(content, dict) else ""
    content = content[group] if group else content
    if not isinstance(content, dict) or not content or not all(map(_is_named_tensor, content.items())):
        raise UsageError(f"checkpoint {path} holds no table of named tensors ({type(content).__name__}); give {FILES}")
    taken = f"{group!r} of the file" if group else "the file as it is"
    if all(name.startswith(WRAPPER) for name in content):
        return {name.removeprefix(WRAPPER): value for name, value in content.items()}, f"{taken}, without {WRAPPER!r}"
    return content, taken


def _is_named_tensor(item: tuple[Any, Any]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)


def _count(weights: Weights, prefix: str) -> int:
    """How many numbered layers there are under ``prefix``."""
    return len({key[len(prefix) :].split(".")[0] for key in weights if key.startswith(prefix)})


def _restormer_sizes(weights: Weights) -> dict[str, Any]:
    levels = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
    channels, hidden = weights["latent.0.ffn.project_out.weight"].shape[:2]
    return {
        "dim": weights["patch_embed.proj.weight"].shape[0],
        "blocks": tuple(_count(weights, f"{level}.") for level in levels),
        "refinement": _count(weights, "refinement."),
        "heads": tuple(weights[f"{level}.0.attn.temperature"].shape[0] for level in levels),
        # int(channels * expansion) is hidden for a range of values; its middle also gives the other levels' widths
        "expansion": (hidden + 0.5) / channels,
    }


def _nafnet_sizes(weights: Weights) -> dict[str, Any]:
    levels = range(_count(weights, "downs."))
    return {
        "width": weights["intro.weight"].shape[0],
        "encoder": tuple(_count(weights, f"encoders.{level}.") for level in levels),
        "middle": _count(weights, "middle_blks."),
        "decoder": tuple(_count(weights, f"decoders.{level}.") for level in levels),
        "window": LOCAL_WINDOW,
    }


NETWORKS: dict[str, tuple] = {
    "restormer": (Restormer, {"patch_embed.proj.weight", "latent.0.attn.temperature"}, _restormer_sizes),
    "nafnet-local": (NAFNet, {"intro.weight", "ending.weight", "downs.0.weight"}, _nafnet_sizes),
}
"""The network, the names of weights that tell it from others, and how to read its sizes from their shapes."""
