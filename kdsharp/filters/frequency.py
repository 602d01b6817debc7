"""Sharpening in frequency: multiply each frequency by a gain (lesson 02)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_positive, check_range


def radial_frequency(height: int, width: int) -> Tensor:
    """Distance from zero frequency in cycles per pixel, (H, W // 2 + 1), laid out as ``torch.fft.rfft2`` does."""
    vertical, horizontal = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    return (vertical**2 + horizontal**2).sqrt()


def butterworth_high_pass(height: int, width: int, cutoff: float, order: int) -> Tensor:
    """Butterworth high-pass gain ``1 / (1 + (cutoff / f)^(2 order))``, 0 at zero frequency, 1/2 at the cutoff.

    Args:
        cutoff: in cycles per pixel, in (0, 0.71]; 0.5 is the finest stripe pattern that a pixel grid can hold.
        order: at least 1; higher makes a steeper step and more ringing.
    """
    check_range(check_positive(cutoff, "cutoff"), 0, 0.71, "cutoff")
    check_positive(order, "order")
    return 1 / (1 + (cutoff / radial_frequency(height, width)) ** (2 * order))


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
    check_images(image)
    margin = min(32, min(image.shape[-2:]) - 1)
    padded = F.pad(image, (margin,) * 4, mode="reflect")
    size = padded.shape[-2:]
    gain = 1 + amount * butterworth_high_pass(size[0], size[1], cutoff, order)
    sharpened = torch.fft.irfft2(torch.fft.rfft2(padded) * gain.to(image), s=size)
    return sharpened[..., margin : margin + image.shape[-2], margin : margin + image.shape[-1]]
