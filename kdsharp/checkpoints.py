"""Weights on disk: safetensors with what is needed to build the network again (floor 3; lesson 06).

:func:`load` takes the official files of Restormer and NAFNet too (lesson 07).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from kdsharp import official
from kdsharp.checks import UsageError, atomic_path, check_name, check_readable
from kdsharp.models import MODELS, build
from kdsharp.places import place


def data_folder() -> Path:
    """The project's ``data/``: beside the package in a clone, inside it in an installed wheel."""
    return place("data")


def bundled() -> dict[str, Path]:
    """Names of the checkpoints that come with kdsharp, and their files."""
    return {path.stem: path for path in sorted((data_folder() / "checkpoints").glob("*.safetensors"))}


@dataclass(frozen=True)
class Checkpoint:
    """A network in evaluation mode with the metadata of its training."""

    name: str
    model: nn.Module
    meta: dict[str, Any]


def save(path: str | Path, model: nn.Module, architecture: str, half: bool = False, **meta: Any) -> Path:
    """Write the weights and ``meta`` (anything JSON holds); the file appears whole or not at all.

    ``half`` keeps the weights in float16, in half the bytes; :func:`load` gives float32 again, off by 0.05 % at most.
    """
    check_name(architecture, MODELS, "architecture")
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    if half:
        weights = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    text = json.dumps({"architecture": architecture} | meta)
    with atomic_path(path) as temporary:
        save_file(weights, temporary, metadata={"kdsharp": text})
    return Path(path)


def load(name: str | Path) -> Checkpoint:
    """Load a bundled checkpoint by name, or by path any kdsharp checkpoint or official ``.pth`` file, strictly.

    Raises:
        UsageError: for an unknown name, a truncated or foreign file, or weights of another network.
    """
    files = bundled()
    path = files.get(str(name), Path(name))
    check_readable(path)
    if not path.is_file():
        if path.suffix in (".safetensors", official.SUFFIX) or path.parent != Path("."):
            raise UsageError(
                f"checkpoint {path} does not exist; give a .safetensors file, an official .pth file or one of: "
                f"{', '.join(files)}"
            )
        check_name(str(name), files, "model")
    if path.suffix == official.SUFFIX:
        weights, model, meta = official.read(path)
        remedy = f"give {official.FILES} as its authors published it"
    else:
        meta = read_meta(path)
        with torch.device("meta"):  # shapes only: nothing is drawn for weights that are replaced at once
            model = build(check_name(meta["architecture"], MODELS, "architecture"))
        weights = load_file(path)  # read_meta has found it whole
        remedy = "load it with the version of kdsharp that wrote it"
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    if expected != found:
        odd = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
        raise UsageError(
            f"checkpoint {path} holds weights of another network than {meta['architecture']!r}: {len(odd)} tensors "
            f"do not fit, first {odd[0]!r}; {remedy}"
        )
    model.to_empty(device="cpu").load_state_dict(weights)
    return Checkpoint(path.stem, model.eval().requires_grad_(False), meta)


def read_meta(path: str | Path) -> dict[str, Any]:
    """The metadata of a checkpoint without its weights."""
    check_readable(path)
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("kdsharp")
    except (SafetensorError, OSError) as error:
        raise UsageError(f"checkpoint {path} is damaged ({error}); copy or train it again") from None
    try:
        meta = json.loads(text or "")
    except json.JSONDecodeError:
        meta = None
    if not isinstance(meta, dict) or "architecture" not in meta:
        raise UsageError(f"checkpoint {path} was not written by kdsharp; train one with `kdsharp train`")
    return meta
