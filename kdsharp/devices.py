"""Where networks run: one place decides, and gives them back (floor 0; lesson 06).

The device is Accelerate's choice: a CUDA card, Apple's MPS, or the CPU (``ACCELERATE_USE_CPU=true`` asks for it).
Everything else follows the network: a batch goes where its weights lie.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.together import core_count

if TYPE_CHECKING:
    from accelerate import PartialState


def this_process() -> "PartialState":
    """Which of the processes of ``accelerate launch`` this is; without it, the only one. Its ``device`` trains.

    Raises:
        UsageError: when several were asked for and one was started: ``--cpu`` does that without a word.
    """
    from accelerate import PartialState  # imported when it is needed: it takes a second
    from accelerate.utils import parse_flag_from_env

    cpu = parse_flag_from_env("ACCELERATE_USE_CPU")
    state = PartialState(cpu=cpu)
    if cpu and state.num_processes == 1 and "MASTER_ADDR" in os.environ and "RANK" not in os.environ:
        raise UsageError(
            "`accelerate launch --cpu` has started one process for several; for several on the CPU say: "
            "ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes N"
        )
    return state


def device_of(network: Callable) -> torch.device:
    """Where the weights of a network lie; the CPU for what has none, such as the identity or a filter."""
    first = next(chain(network.parameters(), network.buffers()), None) if isinstance(network, nn.Module) else None
    return torch.device("cpu") if first is None else first.device


@contextmanager
def moved(device: torch.device, *networks: nn.Module) -> Iterator[None]:
    """Put networks on a device for the length of a block, and back where each was, also when the block fails."""
    homes = [device_of(network) for network in networks]
    try:
        for network in networks:
            network.to(device)
        yield
    finally:
        for network, home in zip(networks, homes, strict=True):
            network.to(home)


def helpers(device: torch.device, most: int = 8) -> int:
    """How many processes make a training's batches ahead of it: none on the CPU, which has enough to do.

    A card takes a step of a small network in 10 ms, and one core makes its crops in 50. Linux alone: elsewhere each
    process would import the caller's script anew.
    """
    if device.type != "cuda" or sys.platform != "linux":
        return 0
    return min(most, core_count() - 1)
