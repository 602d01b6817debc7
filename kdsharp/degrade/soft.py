"""Softness without motion: a lens a little out of focus, or a small picture that was enlarged."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from kdsharp.checks import check_images, check_positive, check_range
from kdsharp.degrade.motion import noisy
from kdsharp.degrade.resampling import GaussianBlur, Rescale


@dataclass(frozen=True)
class Soft:
    """Half of the pictures through a Gaussian of any radius, half shrunk by any factor and enlarged again.

    The protocols ``gaussian-256``, ``bilinear-60`` and ``bicubic-4x`` are single points of it.

    Args:
        radius: smallest and largest radius in pixels, drawn evenly on a log scale (:class:`GaussianBlur`).
        scale: smallest and largest share of each side, drawn evenly; bilinear or bicubic (:class:`Rescale`).
        shot, read: largest noise in grey levels of 255, as in :class:`kdsharp.degrade.Shake`.
    """

    radius: tuple[float, float] = (0.5, 2.5)
    scale: tuple[float, float] = (0.22, 0.8)
    shot: float = 0.4
    read: float = 0.4
    linear_light: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self.radius[0], "smallest radius")
        check_range(self.radius[0], 0, self.radius[1], "smallest radius")
        check_positive(self.scale[0], "smallest scale")
        check_range(self.scale[0], 0, self.scale[1], "smallest scale")
        check_range(self.scale[1], 0, 1, "largest scale")
        check_range(self.shot, 0, 255, "shot")
        check_range(self.read, 0, 255, "read")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        check_images(sharp, channels=3)
        blurred = torch.cat([self._way(rng)(one[None], rng) for one in sharp])
        return noisy(blurred, rng, self.shot, self.read)

    def _way(self, rng: np.random.Generator) -> GaussianBlur | Rescale:
        if rng.random() < 0.5:
            return GaussianBlur(math.exp(rng.uniform(*np.log(self.radius))))
        return Rescale(float(rng.uniform(*self.scale)), None, str(rng.choice(("bilinear", "bicubic"))))

    def psf_for(self, rng: np.random.Generator) -> None:
        return None
