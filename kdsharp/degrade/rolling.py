"""A camera that turns while it looks: every place of the picture draws an arc of its own."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_range
from kdsharp.degrade.linear import LinearMotion

STRAIGHT = 0.1
"""Degrees: who turns by less moves along a line."""


@dataclass(frozen=True)
class Rolling(LinearMotion):
    """Arcs instead of straight paths: the mean of moments of a scene that is turned around a point.

    The middle of the picture moves as in :class:`LinearMotion`, by a ``length`` in any direction, while the camera
    turns by up to ``degrees``: the point that stays in place lies ``length / angle`` away. No single
    PSF describes the picture.

    Beside what :class:`LinearMotion` takes:

    Args:
        degrees: largest turn during the exposure.
        moments: how many views are averaged.
    """

    degrees: float = 10.0
    moments: int = 17

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.degrees, 0, 180, "degrees")
        check_range(self.moments, 1, 1000, "moments")

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        check_images(sharp)
        middle = np.array(sharp.shape[-2:]) / 2
        turns, centres = zip(*(self._turn(rng, middle) for _ in range(len(sharp))), strict=True)
        turn = torch.tensor(turns), torch.tensor(np.array(centres)), self.moments
        return self._exposed(sharp, lambda light: roll(light, *turn), rng)

    def _turn(self, rng: np.random.Generator, middle: np.ndarray) -> tuple[float, np.ndarray]:
        """The degrees of one picture, and the (row, column) around which it turns."""
        if rng.random() < self.still:
            return 0.0, middle
        length, direction = math.exp(rng.uniform(*np.log(self.length))), rng.uniform(0, 2 * math.pi)
        angle = max(rng.uniform(0, self.degrees), STRAIGHT)  # the other way round draws the same arc
        radius = length / math.radians(angle)
        return angle, middle + radius * np.array([math.sin(direction), math.cos(direction)])

    def psf_for(self, rng: np.random.Generator) -> None:  # type: ignore[override]  # an arc for each place is not one PSF
        return None


def roll(scene: Tensor, degrees: float | Tensor, centre: tuple[float, float] | Tensor, moments: int = 60) -> Tensor:
    """What a camera sees that turns around a point of its picture while it looks: the mean of the turned scenes.

    Args:
        scene: light, (B, C, H, W) in [0, 1]; beyond its border it is mirrored.
        degrees: by how much it turns in all, half of it to either side; one number, or one for each image (B,).
        centre: (row, column) of the point that stays in place; one for all, or (B, 2). It may lie outside.
        moments: how many positions are added up, with straight lines between the pixels.

    Lesson 03 draws it.
    """
    height, width = scene.shape[-2:]
    spots = torch.as_tensor(centre, dtype=torch.float32).reshape(-1, 2)[:, :, None, None]
    down = torch.arange(height, dtype=torch.float32)[None, :, None] - spots[:, 0]
    right = torch.arange(width, dtype=torch.float32)[None, None] - spots[:, 1]
    angles = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float32).reshape(-1, 1, 1))
    total = torch.zeros_like(scene)
    for share in torch.linspace(-0.5, 0.5, moments):
        cosine, sine = torch.cos(share * angles), torch.sin(share * angles)
        rows = spots[:, 0] + cosine * down - sine * right
        columns = spots[:, 1] + sine * down + cosine * right
        places = torch.stack(((2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1), -1)
        places = places.expand(len(scene), -1, -1, -1).to(scene)
        total += F.grid_sample(scene, places, padding_mode="reflection", align_corners=False)
    return total / moments
