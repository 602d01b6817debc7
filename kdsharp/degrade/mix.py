"""Several degradations in one training set."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from kdsharp.checks import UsageError, check_range
from kdsharp.degrade.base import Degradation


@dataclass(frozen=True)
class Mix:
    """Each image goes through one of several degradations, drawn by their shares. Sizes stay: nothing is prepared.

    Args:
        parts: (share, degradation); the shares sum to 1.
    """

    parts: tuple[tuple[float, Degradation], ...]
    linear_light: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for share, _ in self.parts:
            check_range(share, 0, 1, "share")
        if abs(sum(share for share, _ in self.parts) - 1) > 1e-6:
            raise UsageError(f"the shares of a mix are {[share for share, _ in self.parts]}, but must sum to 1")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        chosen = rng.choice(len(self.parts), len(sharp), p=[share for share, _ in self.parts])
        blurred = torch.empty_like(sharp)
        for index, (_, degradation) in enumerate(self.parts):
            rows = torch.from_numpy(np.flatnonzero(chosen == index))
            if len(rows):
                blurred[rows] = degradation(sharp[rows], rng)
        return blurred

    def psf_for(self, rng: np.random.Generator) -> None:
        return None
