"""Undoing a blur that is known, or fitted: division per frequency, Wiener's remedy against noise (floor 7; lesson 05).

Here pictures wrap around at their borders. That makes a blur *exactly* a product per frequency, so that the
lesson sees what noise does, and nothing else. The filters for photos, in :mod:`kdsharp.filters.deconvolution`, continue
borders instead.
"""

import torch
from torch import Tensor

from kdsharp.checks import UsageError, check_images
from kdsharp.images import quantize
from kdsharp.metrics import psnr
from kdsharp.plots import Picture, panels


def transfer(psf: Tensor, height: int, width: int) -> Tensor:
    """What a blur does to each frequency: the spectrum of a PSF (K, K), complex (height, width), zero frequency first.

    The PSF's middle is moved to pixel (0, 0); otherwise the blur would also shift the picture.
    """
    size = psf.shape[-1]
    if psf.ndim != 2 or size % 2 == 0 or size > min(height, width):
        raise UsageError(f"expected a PSF (K, K), K odd and at most {min(height, width)}, found {tuple(psf.shape)}")
    plane = torch.zeros(height, width, dtype=torch.float64)
    plane[:size, :size] = psf
    return torch.fft.fft2(plane.roll((-(size // 2), -(size // 2)), (0, 1)))


def filter_spectrum(image: Tensor, gain: Tensor) -> Tensor:
    """Multiply the spectrum of each plane of (B, C, H, W) by a complex gain (H, W)."""
    check_images(image)
    return torch.fft.ifft2(torch.fft.fft2(image.double()) * gain).real.to(image)


def blur_and_noise(sharp: Tensor, psf: Tensor, noise: float, seed: int = 0) -> Tensor:
    """Blur (borders wrap around), then add noise of this standard deviation in grey levels of 255; not rounded."""
    blurred = filter_spectrum(sharp, transfer(psf, *sharp.shape[-2:]))
    return blurred + noise / 255 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(seed))


def inverse_gain(psf: Tensor, height: int, width: int) -> Tensor:
    """``1 / P``: exact without noise, and without mercy for it where P is small."""
    return 1 / transfer(psf, height, width)


def wiener_gain(psf: Tensor, height: int, width: int, ratio: float) -> Tensor:
    """``(1 + ratio) conj(P) / (|P|^2 + ratio)``: like ``1 / P`` where ``|P|^2`` is far above the ratio; 0 far below it.

    The factor keeps the gain at frequency 0, where P is 1, at 1: without it a large ratio darkens the photo.
    """
    known = transfer(psf, height, width)
    return (1 + ratio) * known.conj() / (known.abs() ** 2 + ratio)


def noise_gain(gain: Tensor) -> float:
    """By how much a filter multiplies the standard deviation of white noise: the root of the mean of ``|gain|^2``."""
    return gain.abs().square().mean().sqrt().item()


def fit_kernel(scene: Tensor, seen: Tensor, size: int, calm: float = 30.0) -> Tensor:
    """The PSF (size, size) that best makes ``seen`` out of ``scene``, by least squares on their differences.

    Only edges say how a picture was blurred, so both pictures are compared through the differences of neighbouring
    pixels. Weights below 0, and below a twentieth of the largest, are noise and go; the rest is centred, with sum 1.

    Args:
        scene, seen: two planes (H, W): what is believed to be sharp, and the blurred picture; borders wrap around.
        size: of the PSF in pixels, odd.
        calm: added to the power of each frequency, so that where the scene has nothing no weight is invented.
    """
    if scene.shape != seen.shape or scene.ndim != 2 or size % 2 == 0:
        raise UsageError(f"expected two planes of one size and an odd PSF, found {scene.shape}, {seen.shape}, {size}")
    before, after = (
        torch.fft.fft2(torch.stack([each.roll(-1, axis) - each for axis in (0, 1)])) for each in (scene, seen)
    )
    fitted = torch.fft.ifft2((before.conj() * after).sum(0) / (before.abs().square().sum(0) + calm)).real
    psf = fitted.roll((size // 2, size // 2), (0, 1))[:size, :size].clamp_min(0)
    psf = torch.where(psf > psf.max() / 20, psf, 0)
    psf = psf / psf.sum()
    place = torch.arange(size) - size // 2
    middle = [round(float((psf.sum(1 - axis) * place).sum())) for axis in (0, 1)]
    return psf.roll((-middle[0], -middle[1]), (0, 1)).float()


def render_wiener(sharp: Tensor, psf: Tensor, noise: float, ratio: float, at: tuple[int, int] | None = None) -> Picture:
    """Input, Wiener's answer and truth for one noise level (grey levels) and one ratio; a frame of the explorer."""
    seen = blur_and_noise(sharp, psf, noise)
    height, width = sharp.shape[-2:]
    restored = filter_spectrum(seen, wiener_gain(psf, height, width, ratio))
    gained = psnr(quantize(restored), sharp).item() - psnr(quantize(seen), sharp).item()
    shown = {f"input, noise {noise:g}": seen, f"Wiener, ratio {ratio:g}": restored, "truth": sharp}
    alt = f"Noise of {noise:g} grey levels, noise-to-signal ratio {ratio:g}: {gained:+.2f} dB against the input."
    return Picture(panels(shown, sharp, at=at), alt)
