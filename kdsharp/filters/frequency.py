"""Sharpening in frequency: multiply each frequency by a gain (lesson 02).

The three high-pass gains answer (H, W // 2 + 1) as ``torch.fft.rfft2`` lays frequencies out, from 0 at zero frequency
to 1. Their cutoff is in cycles per pixel, in (0, 0.71]; 0.5 is the finest stripe pattern that a pixel grid can hold.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_positive, check_range
from kdsharp.images import luma


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


def frequency_response(filter: Callable[[Tensor], Tensor], side: int = 128) -> tuple[Tensor, Tensor]:
    """How many times as strong a linear filter makes vertical stripes of each frequency: measured, not derived.

    A single white pixel holds all frequencies alike, so the spectrum of the filter's answer to it is the filter's gain.

    Args:
        filter: takes and gives (1, 1, H, W); linear, and symmetric about its middle pixel.
        side: of the test picture in pixels, even; the answer has to fit into it.

    Returns:
        frequencies in cycles per pixel from 0 to 0.5, and the gain at each, both (side // 2 + 1,). Below 0 the gain
        turns light stripes into dark ones.

    Lesson 02.
    """
    impulse = torch.zeros(1, 1, side + 1, side + 1)
    impulse[..., side // 2, side // 2] = 1
    answer = filter(impulse)[0, 0].double().sum(0)  # stripes that do not change from row to row
    folded = torch.roll(answer, -(side // 2))[: side // 2 + 1]  # the half from the middle on; the other is its mirror
    n, frequency = torch.arange(1, side // 2 + 1), torch.arange(side // 2 + 1) / side
    waves = torch.cos(2 * torch.pi * frequency[:, None] * n[None, :])
    return frequency, (folded[0] + 2 * (waves * folded[1:]).sum(1)).float()


def amplitude_spectrum(image: Tensor) -> Tensor:
    """How strong each stripe pattern is in the luma of an image, zero frequency in the middle.

    The mean is taken off, and a Hann window fades the border out: without it the jump from the right border to the
    left, which the transform sees as an edge, draws a bright cross.

    Args:
        image: (B, 3, H, W) or (B, 1, H, W) in [0, 1].

    Returns:
        (B, 1, H, W), amplitudes in units of the image's values: a cosine of amplitude a in the picture is a point of
        height a / 2 on either side of the middle. Row ``H // 2 + k`` belongs to ``k / H`` cycles per pixel.

    Lesson 02.
    """
    check_images(image)
    grey = luma(image) if image.shape[1] == 3 else image
    rows, columns = (torch.hann_window(n, periodic=True, dtype=grey.dtype) for n in image.shape[-2:])
    window = rows[:, None] * columns[None, :]
    faded = (grey - grey.mean((-2, -1), keepdim=True)) * window
    return torch.fft.fftshift(torch.fft.fft2(faded).abs(), dim=(-2, -1)) / window.sum()


def ring_means(spectrum: Tensor, rings: int = 32) -> tuple[Tensor, Tensor]:
    """Mean of a centred spectrum over rings of equal frequency, whichever way the stripes run.

    Args:
        spectrum: (1, 1, H, W), zero frequency in the middle, as :func:`amplitude_spectrum` answers.
        rings: number of rings between 0 and 0.5 cycles per pixel; at most half the shorter side.

    Returns:
        the middle frequency of each ring in cycles per pixel and the mean within it, both (rings,).
    """
    height, width = spectrum.shape[-2:]
    check_range(rings, 1, min(height, width) // 2, "rings")
    vertical, horizontal = (torch.fft.fftshift(torch.fft.fftfreq(n, dtype=torch.float64)) for n in (height, width))
    ring = ((vertical[:, None] ** 2 + horizontal[None, :] ** 2).sqrt() * 2 * rings).long().flatten()
    inside = ring < rings
    total = torch.zeros(rings).index_add(0, ring[inside], spectrum.flatten()[inside].float())
    return (torch.arange(rings) + 0.5) / (2 * rings), total / torch.bincount(ring[inside], minlength=rings)


def _check_cutoff(cutoff: float) -> None:
    check_range(check_positive(cutoff, "cutoff"), 0, 0.71, "cutoff")
