"""Where a number comes from: commit, versions, device, seed (floor 0; last cell of every lesson)."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from kdsharp.devices import this_process

PACKAGES = ("torch", "torchvision", "numpy", "scikit-image", "pytorch-msssim", "matplotlib", "ipywidgets", "papermill")


def commit() -> str:
    """The commit of this clone, ``-dirty`` when files differ from it, ``unknown`` outside a clone."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def device_name() -> str:
    """The processor that trains: a GPU by its name, else the CPU with its number of threads."""
    device = this_process().device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return f"{device.type} {platform.machine()}"
    return f"CPU {platform.machine()}, {torch.get_num_threads()} of {os.cpu_count()} threads"


def versions() -> dict[str, str]:
    """Python and the packages that move numbers."""
    return {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}
