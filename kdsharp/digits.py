"""Arithmetic that keeps its digits, whatever precision the networks run in (floor 0; lesson 10).

Under ``precision="bf16"`` a number has eight bits: near 5.5, the size of a log-probability over 16x16 positions, its
steps are 0.03 wide. A loss compares things that lie nearer to each other than that.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def in_float32(term: Callable[P, R]) -> Callable[P, R]:
    """Compute ``term`` with autocast off, on float32 copies of its half-precision arguments (float64 stays as it is).

    The gradient goes back through the copy, so that it reaches the network in the network's own precision.
    """

    @wraps(term)
    def exact(*args: P.args, **kwargs: P.kwargs) -> R:
        kind = next((each.device.type for each in args if isinstance(each, Tensor)), "cpu")
        with torch.autocast(kind, enabled=False):
            return term(*map(_wide, args), **{name: _wide(value) for name, value in kwargs.items()})  # type: ignore[arg-type]

    return exact


def _wide(value: object) -> object:
    if isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16):
        return value.float()
    return value
