"""Softer and flatter scenes than the training photos show: fog, skin, fur, a background out of focus (lesson 03).

A network that has seen crisp pictures only takes every soft surface for blur, and sharpens it;
`data/checkpoints/STUDY.md` has the numbers.
"""

import math

import numpy as np
import torch
from torch import Tensor

from kdsharp.kernels import convolve, disk, gaussian, stack

BACKGROUND = 2.0
"""Sigma in pixels from which on a crop shows nothing but what is out of focus."""


def lower_contrast(crops: Tensor, lowest: float, rng: np.random.Generator, share: float = 0.5) -> Tensor:
    """A share of the crops with less contrast: ``m + c (x - m)`` around the mean m of each crop and channel.

    Args:
        crops: (B, C, H, W) in [0, 1]; the result stays in that range.
        lowest: c is uniform from here to 1; above 0.
        rng: the caller's random generator.
        share: in [0, 1].
    """
    factors = np.where(rng.random(len(crops)) < 1 - share, 1.0, rng.uniform(lowest, 1.0, len(crops)))
    mean = crops.mean((-2, -1), keepdim=True)
    return mean + torch.from_numpy(factors).to(crops)[:, None, None, None] * (crops - mean)


def defocus(
    crops: Tensor, strongest: float, rng: np.random.Generator, share: float = 0.5, wholly: float = 0.0
) -> Tensor:
    """A share of the crops with a part out of focus: sharp on one side of a line, blurred on the other.

    Half of them by a disk of radius 2 sigma, as a lens out of focus draws a point, half by a Gaussian; both have the
    standard deviation sigma. A network that has met Gaussians alone takes the rim of a disk for motion.
    Between the two lies a soft transition, ``sigmoid(24 d / side)`` at the distance d from a line at a random place
    and angle. The result belongs to the *sharp* picture: a depth of field is part of a photo, and no fault.

    Args:
        crops: (B, C, H, W) in [0, 1]; the result stays in that range.
        strongest: sigma in pixels is log-uniform from 0.3 to here: between sharp and soft most scenes are mild.
        rng: the caller's random generator.
        share: in [0, 1].
        wholly: of those, the share in [0, 1] that is out of focus all over, by at least ``BACKGROUND``. Few crops of
            a photo are: a line that is drawn at random leaves most of them both parts.
    """
    count, side = len(crops), min(crops.shape[-2:])
    sigmas = np.exp(rng.uniform(math.log(0.3), math.log(strongest), count))
    chosen = np.flatnonzero(rng.random(count) < share)
    angles, places = rng.uniform(0, 2 * math.pi, count), rng.uniform(-0.7, 0.7, count)
    lenses = rng.random(count) < 0.5
    if wholly:
        everywhere = rng.random(count) < wholly
        least = min(BACKGROUND, strongest)
        sigmas[everywhere] = np.exp(rng.uniform(math.log(least), math.log(strongest), everywhere.sum()))
        angles[everywhere], places[everywhere] = 0, -10  # a line far beyond the border
        lenses |= everywhere & (rng.random(count) < 0.4)  # seven disks in ten: their ripples are the harder to leave
    result = crops.clone()
    if not len(chosen):
        return result
    y, x = (torch.arange(length) - (length - 1) / 2 for length in crops.shape[-2:])
    shares = [
        torch.sigmoid(24 * (x[None] * math.cos(angle) + y[:, None] * math.sin(angle) - place * side) / side)
        for angle, place in zip(angles[chosen], places[chosen], strict=True)
    ]
    spots = [disk(2 * sigmas[k]) if lenses[k] else gaussian(sigmas[k]) for k in chosen]
    soft = convolve(crops[chosen], stack(spots)).clamp(0, 1)  # rounds below 0
    result[chosen] = torch.lerp(crops[chosen], soft, torch.stack(shares)[:, None].to(crops))
    return result


def right_half_soft(picture: Tensor, psf: Tensor) -> Tensor:
    """A picture (1, C, H, W) in [0, 1] whose right half a lens has drawn with this PSF (K, K), the left half in focus.

    Half-way lies a soft transition, ``sigmoid(24 x)`` for x from -1 at the left border to 1 at the right one.
    """
    share = torch.sigmoid(24 * torch.linspace(-1, 1, picture.shape[-1]))
    return torch.lerp(picture, convolve(picture, psf).clamp(0, 1), share)
