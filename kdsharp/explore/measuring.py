"""Pictures that a score cannot tell apart (floor 7; lesson 04)."""

from collections.abc import Callable

import torch
from torch import Tensor

from kdsharp.checks import UsageError, check_images
from kdsharp.filters.spatial import blur
from kdsharp.images import quantize
from kdsharp.metrics import psnr, ssim
from kdsharp.plots import Picture, panels

Damage = Callable[[Tensor, float], Tensor]
"""Takes an image and a strength from 0 (leaves it alone) upwards, where more is worse."""


def damages(seed: int = 0) -> dict[str, tuple[Damage, float]]:
    """Three kinds of damage, each with its largest strength: gain in brightness, blur in pixels, noise in value."""

    def noise(image: Tensor, strength: float) -> Tensor:
        return image + strength * torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))

    return {
        "brighter": (lambda image, strength: image * (1 + strength), 3.0),
        "blurred": (lambda image, strength: blur(image, max(strength, 0.1)), 24.0),
        "noisy": (noise, 1.0),
    }


def at_psnr(image: Tensor, damage: Damage, decibels: float, largest: float) -> Tensor:
    """``damage(image, strength)`` with the strength that gives this PSNR in dB, found by bisection; 8 bits.

    Raises:
        UsageError: when even the largest strength leaves a higher PSNR.
    """
    check_images(image)
    low, high = 0.0, largest
    if psnr(quantize(damage(image, largest)), image).mean() > decibels:
        raise UsageError(f"this damage cannot bring the picture down to {decibels:g} dB; ask for more dB")
    for _ in range(18):
        middle = (low + high) / 2
        worse = psnr(quantize(damage(image, middle)), image).mean() < decibels
        low, high = (low, middle) if worse else (middle, high)
    return quantize(damage(image, low))


def same_psnr(image: Tensor, decibels: float, seed: int = 0) -> dict[str, Tensor]:
    """The image damaged in three ways, each to the same PSNR in dB (to about 0.1)."""
    return {name: at_psnr(image, damage, decibels, most) for name, (damage, most) in damages(seed).items()}


def render_same_psnr(image: Tensor, decibels: float, at: tuple[int, int] | None = None, seed: int = 0) -> Picture:
    """The three damaged pictures beside the truth; the frame of lesson 04's explorer."""
    made = same_psnr(image, decibels, seed)
    listed = ", ".join(f"{name} {ssim(picture, image).item():.3f}" for name, picture in made.items())
    return Picture(
        panels(made | {"truth": image}, image, at=at), f"The same photo damaged to {decibels:g} dB. SSIM: {listed}."
    )
