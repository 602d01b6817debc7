"""Where a number comes from: commit, versions, device, seed (floor 0; last cell of every lesson)."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from kdsharp.devices import this_process
from kdsharp.places import PACKAGE

PACKAGES = ("torch", "torchvision", "numpy", "scikit-image", "pytorch-msssim", "matplotlib", "ipywidgets", "papermill")


def commit() -> str:
    """The commit of this clone, ``-dirty`` when files differ from it; outside a clone the version of the package.

    A repository that merely holds the environment in which kdsharp is installed is somebody else's.
    """
    try:
        top = _git("rev-parse", "--show-toplevel")
        if Path(top).resolve() == PACKAGE.parent:
            return _git("describe", "--always", "--dirty", "--abbrev=10")
    except (OSError, subprocess.CalledProcessError):
        pass
    return f"version {version('kdsharp')}"


def _git(*words: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # hooks set them
    done = subprocess.run(["git", *words], cwd=PACKAGE, env=own, capture_output=True, text=True, check=True)
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
