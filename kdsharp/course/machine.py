"""Does this machine work? What lesson 00 looks at, with a remedy for each thing that is missing (floor 7)."""

import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version

from kdsharp import checkpoints, datasets, evaluate, provenance
from kdsharp.checks import UsageError
from kdsharp.island import is_live

INSTALL = 'in the folder of kdsharp call `make lab`, or `python -m pip install -c requirements.lock -e ".[course]"`'
SLOW = 3000
"""Milliseconds a megapixel for the small network above which something is wrong with the machine."""

Look = tuple[str, Callable[[], object], str]
"""What is looked at, the look itself, and what to do when it fails."""


def check_machine(looks: list[Look] | None = None) -> int:
    """Print a line for each thing that the course needs: ``ok`` with what was found, or ``FIX`` with the remedy.

    Args:
        looks: what to look at; all that the course needs when None.

    Returns:
        how many lines need a remedy.
    """
    missing = 0
    for what, look, remedy in everything() if looks is None else looks:
        try:
            print(f"ok   {what}: {look()}")
        except Exception as error:  # whatever goes wrong on a reader's machine becomes one readable line
            print(f"FIX  {what}: {error}\n       -> {remedy}")
            missing += 1
    return missing


def advice(missing: int) -> str:
    """What to do next, in Markdown."""
    if missing == 0:
        return "**All is well.** Go on."
    lines = "1 line needs" if missing == 1 else f"{missing} lines need"
    return f"**{lines} a remedy.** Follow the arrows, restart the kernel, run again."


def everything() -> Iterator[Look]:
    """All that the course needs, the most basic things first."""
    photos = "they come with scikit-image; install the pinned version: " + INSTALL
    retry = "fetch the file again: `git checkout -- data/checkpoints`"
    busy = (
        "close other programs, or start Jupyter with OMP_NUM_THREADS=1: on a busy processor threads wait for each other"
    )
    yield "Python", platform.python_version, "install Python 3.11 or later, then call `make PYTHON=python3.11 lab`"
    for package in provenance.PACKAGES:
        yield package, partial(version, package), INSTALL
    yield "bundled photos", lambda: sum(len(datasets.photos(split)) for split in datasets.SPLITS), photos
    for name in ("small", "teacher"):
        yield f"network {name}", partial(_weights, name), retry
    yield "device", provenance.device_name, "reinstall PyTorch: " + INSTALL
    yield "speed", _speed, busy
    yield "explorers", lambda: "live" if is_live() else "as on a page (frames drawn beforehand)", INSTALL


def _weights(network: str) -> str:
    return f"{checkpoints.load(network).meta['parameters']:,} weights"


def _speed() -> str:
    milliseconds = evaluate.milliseconds_per_megapixel(checkpoints.load("small").model, 1, (360, 640))
    if milliseconds > SLOW:
        raise UsageError(f"{milliseconds:.0f} ms a megapixel for the small network, far slower than it should be")
    return "fast enough for every lesson"
