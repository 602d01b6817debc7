"""Sharpening in frequency: multiply each frequency by a gain (lesson 02).

The three high-pass gains answer (H, W // 2 + 1) as ``torch.fft.rfft2`` lays frequencies out, from 0 at zero frequency
to 1. Their cutoff is in cycles per pixel, in (0, 0.71]; 0.5 is the finest stripe pattern that a pixel grid can hold.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_positive, check_range


def radial_frequency(height: int, width: int) -> Tensor:
    """Distance from zero frequency in cycles per pixel, (H, W // 2 + 1), laid out as ``torch.fft.rfft2`` does."""
    vertical, horizontal = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    return (vertical**2 + horizontal**2).sqrt()


def ideal_high_pass(height: int, width: int, cutoff: float) -> Tensor:
    """Ideal high-pass gain: 0 up to the cutoff, 1 above. The step rings: see its impulse response in lesson 02."""
    _check_cutoff(cutoff)
    return (radial_frequency(height, width) > cutoff).float()


def butterworth_high_pass(height: int, width: int, cutoff: float, order: int) -> Tensor:
    """Butterworth high-pass gain ``1 / (1 + (cutoff / f)^(2 order))``, 0 at zero frequency, 1/2 at the cutoff.

    Args:
        cutoff: in cycles per pixel, in (0, 0.71].
        order: at least 1; higher makes a steeper step and more ringing.
    """
    _check_cutoff(cutoff)
    check_positive(order, "order")
    return 1 / (1 + (cutoff / radial_frequency(height, width)) ** (2 * order))


def gaussian_high_pass(height: int, width: int, cutoff: float) -> Tensor:
    """Gaussian high-pass gain ``1 - exp(-f^2 / (2 cutoff^2))``, 0.39 at the cutoff; no ringing at all.

    One less the spectrum of a Gaussian blur with sigma ``1 / (2 pi cutoff)`` pixels: an unsharp mask's gain.
    """
    _check_cutoff(cutoff)
    return 1 - torch.exp(-(radial_frequency(height, width) ** 2) / (2 * cutoff**2))


def ideal_emphasis(image: Tensor, cutoff: float = 0.2, amount: float = 0.5) -> Tensor:
    """High-frequency emphasis with the ideal high-pass; its halos ripple. Otherwise as :func:`butterworth_emphasis`."""
    return multiply_spectrum(image, lambda height, width: 1 + amount * ideal_high_pass(height, width, cutoff))


def butterworth_emphasis(image: Tensor, cutoff: float = 0.15, order: int = 2, amount: float = 1.0) -> Tensor:
    """High-frequency emphasis: multiply the spectrum by ``1 + amount * H`` with a Butterworth high-pass ``H``.

    The 1 keeps the mean brightness (gain 1 at zero frequency); ``amount`` is the extra gain of the finest detail.

    Args:
        image: (B, C, H, W) in [0, 1]; edges are continued by reflection over 32 pixels.
        cutoff: in cycles per pixel, in (0, 0.71].
        order: steepness, at least 1.
        amount: strength at or above 0.

    Returns:
        the sharpened image, same shape, not clamped.

    Source: Gonzalez and Woods, Digital Image Processing, section 4.9. Lesson 02.
    """
    return multiply_spectrum(
        image, lambda height, width: 1 + amount * butterworth_high_pass(height, width, cutoff, order)
    )


def gaussian_emphasis(image: Tensor, cutoff: float = 0.15, amount: float = 1.0) -> Tensor:
    """High-frequency emphasis with the Gaussian high-pass; no ripples. Otherwise as :func:`butterworth_emphasis`."""
    return multiply_spectrum(image, lambda height, width: 1 + amount * gaussian_high_pass(height, width, cutoff))


def multiply_spectrum(image: Tensor, gain: Callable[[int, int], Tensor]) -> Tensor:
    """Multiply each frequency of (B, C, H, W) by a real gain, edges continued by reflection over 32 pixels.

    Args:
        gain: the height and width of the continued image to its gain, (..., H, W // 2 + 1).
    """
    check_images(image)
    margin = min(32, min(image.shape[-2:]) - 1)
    padded = F.pad(image, (margin,) * 4, mode="reflect")
    size = padded.shape[-2:]
    sharpened = torch.fft.irfft2(torch.fft.rfft2(padded) * gain(size[0], size[1]).to(image), s=size)
    return sharpened[..., margin : margin + image.shape[-2], margin : margin + image.shape[-1]]


def _check_cutoff(cutoff: float) -> None:
    check_range(check_positive(cutoff, "cutoff"), 0, 0.71, "cutoff")
