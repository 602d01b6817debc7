"""What every degradation does."""

from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor


@runtime_checkable
class Degradation(Protocol):
    """What every protocol does: make the sharp target, then blur it, and own up to the PSF where it has one."""

    @property
    def linear_light(self) -> bool:
        """Whether it blurs in linear light; otherwise on the stored values."""

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) photo to the uint8 sharp target."""

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        """Sharp (B, C, H, W) in [0, 1] to blurred, same shape, rounded to 8 bits."""

    def psf_for(self, rng: np.random.Generator) -> Tensor | None:
        """The PSF (K, K) that one image gets from a generator in the same state; None where no single PSF says it all.

        For the oracles of lesson 05 alone: everything else has to do without.
        """
