"""The plainest motion blur: one straight path a picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from kdsharp import kernels
from kdsharp.checks import UsageError, check_images, check_range
from kdsharp.degrade.motion import brighter, check_motion, noisy


@dataclass(frozen=True)
class LinearMotion:
    """Straight motion: ``blurred = round8((psf * sharp^g)^(1/g) + noise)`` with a line as PSF.

    Each picture has a path of its own, of a length drawn evenly on a log scale and in any direction. The camera adds
    up either stored values (g = 1, GoPro's ``blur``) or light (g = 2.2, its ``blur_gamma`` and real sensors).

    Args:
        length: shortest and longest path in pixels.
        responses: the values of g, equally likely.
        shot, read: largest noise in grey levels of 255, as in :class:`kdsharp.degrade.Shake`.
        still: share of pictures without motion, in [0, 1], so that a network learns to leave them alone.
        lights: largest factor by which what is clipped was brighter than white, at least 1; drawn for each picture.
    """

    length: tuple[float, float] = (2.0, 45.0)
    responses: tuple[float, ...] = (1.0, 2.2)
    shot: float = 0.8
    read: float = 1.0
    still: float = 1 / 12
    lights: float = 1.0
    linear_light: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_motion(self, "shortest motion")
        for response in self.responses:
            check_range(response, 1, 5, "response")
        check_range(self.lights, 1, 100, "lights")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo

    def psf_for(self, rng: np.random.Generator) -> Tensor:
        if rng.random() < self.still:
            return torch.ones(1, 1)
        return kernels.motion(math.exp(rng.uniform(*np.log(self.length))), rng.uniform(0, 180))

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        check_images(sharp)
        psfs = kernels.stack([self.psf_for(rng) for _ in range(len(sharp))])
        return self._exposed(sharp, lambda light: kernels.convolve(light, psfs), rng)

    def _exposed(self, sharp: Tensor, move: Callable[[Tensor], Tensor], rng: np.random.Generator) -> Tensor:
        """What the camera stores of a scene whose light ``move`` has spread."""
        exponents = torch.from_numpy(rng.choice(self.responses, (len(sharp), 1, 1, 1))).to(sharp)
        light = sharp**exponents
        if self.lights > 1:
            light = brighter(light, self.lights, rng)
        return noisy(move(light).clamp(0, 1) ** (1 / exponents), rng, self.shot, self.read)


@dataclass(frozen=True)
class ClipMotion(LinearMotion):
    """Straight motion whose paths are those of a clip: a vector of its optical flow, times the exposure's share.

    Beside what :class:`LinearMotion` takes, whose longest ``length`` cuts the vectors:

    Args:
        vectors: (x, y) in pixels from one frame to the next, at many places of the clip.
        exposure: smallest and largest share of the time between two frames for which the shutter is open. Above 1:
            flow is measured between blurred frames and comes out short.
    """

    vectors: tuple[tuple[float, float], ...] = ()
    exposure: tuple[float, float] = (0.5, 1.1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.vectors:
            raise UsageError("a clip's motion has no vectors; measure them with kdsharp.adapt.motion_of")
        check_range(self.exposure[0], 0, self.exposure[1], "smallest exposure")

    def psf_for(self, rng: np.random.Generator) -> Tensor:
        if rng.random() < self.still:
            return torch.ones(1, 1)
        x, y = np.array(self.vectors[int(rng.integers(len(self.vectors)))]) * rng.uniform(*self.exposure)
        length = min(math.hypot(x, y), self.length[1])
        return torch.ones(1, 1) if length < 0.1 else kernels.motion(length, math.degrees(math.atan2(-y, x)))
