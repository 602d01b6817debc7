"""Undoing a blur: with the true PSF (the oracles), or with a mild blur guessed from the picture itself (lesson 05)."""

import math
from collections.abc import Callable

import numpy as np
import torch
from skimage import restoration
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import UsageError, check_images, check_positive, check_range
from kdsharp.filters.frequency import multiply_spectrum
from kdsharp.images import to_linear, to_srgb

EDGE, OWN_BLUR = 0.288, 0.576
"""Largest slope of a sharp edge times its width, and the width in pixels of an edge in a photo that nobody blurred."""
SIGMA_MAX = 4.0
"""Wider blurs than this (pixels) are no longer mild: a polynomial cannot undo them."""


def wiener(image: Tensor, psf: Tensor, noise: float = 0.003, linear_light: bool = True) -> Tensor:
    """Wiener deconvolution with a known PSF: ``X = conj(P) / (|P|^2 + noise |L|^2) Y`` in frequency.

    P is the PSF's spectrum and L that of the Laplacian: photos are weaker at fine detail, so that noise outweighs the
    picture there first. Where P is near 0 nothing comes back, and the gain stays bounded; at zero frequency it is 1.

    Args:
        image: (B, C, H, W) in [0, 1]; edges are continued by reflection.
        psf: (K, K), K odd and at most the smaller side of the image, sum 1.
        noise: noise-to-signal ratio, above 0; smaller is sharper and noisier.
        linear_light: deconvolve where a camera blurs. False for blurs made on the stored (sRGB) values.

    Returns:
        the restored image, same shape; in [0, 1] in linear light, which cannot be negative, otherwise not clamped.

    Source: Hunt 1973 in Gonzalez and Woods, section 5.9; computed by ``skimage.restoration.wiener``. Lesson 05.
    """
    check_positive(noise, "noise")
    return _restore(image, psf, linear_light, lambda plane, known: restoration.wiener(plane, known, noise, clip=False))


def richardson_lucy(image: Tensor, psf: Tensor, iterations: int = 10, linear_light: bool = True) -> Tensor:
    """Richardson-Lucy deconvolution with a known PSF: ``x <- x * (psf' correlated with y / (psf * x))``.

    The most likely picture for light that is counted (Poisson noise); it never becomes negative. Each iteration
    brings finer detail back, and then noise: stopping early is what keeps the noise away.

    Args:
        image: (B, C, H, W) in [0, 1]; edges are continued by reflection.
        psf: (K, K), K odd and at most the smaller side of the image, sum 1.
        iterations: at least 1; about 5 to 50.
        linear_light: as in :func:`wiener`.

    Returns:
        the restored image, same shape, at or above 0; in [0, 1] in linear light, otherwise not clamped.

    Source: Richardson 1972, Lucy 1974; computed by ``skimage.restoration.richardson_lucy``. Lesson 05.
    """
    check_positive(iterations, "iterations")
    return _restore(
        image, psf, linear_light, lambda plane, known: restoration.richardson_lucy(plane, known, iterations, clip=False)
    )


def _restore(
    image: Tensor, psf: Tensor, linear_light: bool, deconvolve: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Tensor:
    """Deconvolve each plane with its edges continued by reflection, so that what rings at the border is cut off."""
    check_images(image)
    height, width = image.shape[-2:]
    size = psf.shape[-1]
    if psf.ndim != 2 or psf.shape[0] != size or size % 2 == 0 or size > min(height, width):
        raise UsageError(
            f"expected a PSF of shape (K, K), K odd and at most {min(height, width)}, found {tuple(psf.shape)}"
        )
    margin = min(max(32, 2 * size), min(height, width) - 1)
    light = to_linear(image) if linear_light else image
    padded = F.pad(light, (margin,) * 4, mode="reflect")
    known = psf.to(image).cpu().numpy()
    planes = [deconvolve(plane, known) for plane in padded.flatten(0, 1).cpu().numpy()]
    restored = torch.from_numpy(np.stack(planes)).to(image).unflatten(0, image.shape[:2])
    inner = restored[..., margin : margin + height, margin : margin + width]
    return to_srgb(inner) if linear_light else inner


def estimate_blur(image: Tensor) -> Tensor:
    """Guess a Gaussian blur from the steepest edges: (B, 3), sigma along, sigma across (pixels), angle (radians).

    Stretched to full contrast, a photo has a nearly black-to-white edge in every direction. A step blurred by sigma
    is nowhere steeper than ``1 / (sqrt(2 pi) sigma)``. So the direction whose steepest slope m is smallest is
    the one blurred most, and ``sigma^2 = (EDGE / m)^2 - OWN_BLUR^2``, and likewise across it. A slope as steep as in an
    unblurred photo gives 0; a photo without such an edge (haze, fur) looks blurred more than it is.

    The two constants are a straight line fitted to blurred training photos; tests/filters/test_deconvolution.py
    fits it again.
    """
    check_images(image)
    along_y, along_x = torch.gradient(image.mean(1), dim=(-2, -1))
    angles = torch.arange(12) * (math.pi / 12)
    slopes = torch.stack([_steepest(along_x * math.cos(a) + along_y * math.sin(a)) for a in angles.tolist()], 1)
    contrast = image.mean(1).flatten(1).amax(1) - image.mean(1).flatten(1).amin(1)
    slopes = slopes / contrast.clamp_min(1e-6)[:, None]
    weakest = slopes.argmin(1)
    steepest = torch.stack([slopes.gather(1, ((weakest + turn) % 12)[:, None])[:, 0] for turn in (0, 6)], 1)
    variance = (EDGE / steepest.clamp_min(1e-6)) ** 2 - OWN_BLUR**2
    sigmas = variance.clamp(0, SIGMA_MAX**2).sqrt()
    return torch.cat([sigmas, angles.to(sigmas)[weakest][:, None]], 1)


def _steepest(slope: Tensor) -> Tensor:
    return slope.abs().flatten(1).amax(1)


def polyblur(image: Tensor, amount: float = 1.0, alpha: float = 4.0, beta: float = 2.0) -> Tensor:
    """Undo a mild unknown blur by blurring again: ``image + amount * (p(K) image - image)`` less its halos.

    K is the Gaussian of :func:`estimate_blur`, p the cubic with p(1) = 1, p'(1) = -1 (the value and slope of the
    inverse 1/K, so that what was blurred little is undone exactly), p''(1) = ``alpha`` and p(0) = ``beta``. Unlike 1/K
    it stays small where K is near 0. Where the result's gradient turns against that of the image, a halo has
    formed, and the image shows through. A picture with slopes as steep as in a sharp photo stays as it is.

    Args:
        image: (B, C, H, W) in [0, 1]; the blur is guessed per image, from the mean of its channels.
        amount: share of the correction; 0 changes nothing, 1 is the method as published.
        alpha: bend of p at 1, in [0, 10]; larger raises the middle frequencies more (the inverse itself has 2).
        beta: gain of the frequencies that the blur took away entirely, in [0, 10]; smaller is less noisy.

    Returns:
        the sharpened image, same shape, not clamped.

    Source: Delbracio, Garcia-Dorado, Choi, Kelly and Milanfar, "Polyblur: removing mild blur by polynomial
    reblurring", arXiv 2012.09322; the constants are our own. Lesson 05.
    """
    check_range(alpha, 0, 10, "alpha")
    check_range(beta, 0, 10, "beta")
    blur = estimate_blur(image)
    cubic = (alpha / 2 - beta + 2, 3 * beta - alpha - 6, 5 - 3 * beta + alpha / 2, beta)

    def gain(height: int, width: int) -> Tensor:
        known = gaussian_spectrum(blur, height, width)
        return ((cubic[0] * known + cubic[1]) * known + cubic[2]) * known + cubic[3]

    restored = multiply_spectrum(image, gain)
    return image + amount * (1 - _halo(image, restored)) * (restored - image)


def gaussian_spectrum(blur: Tensor, height: int, width: int) -> Tensor:
    """Spectrum (B, 1, H, W // 2 + 1), from 1 down to 0, of the Gaussians that :func:`estimate_blur` describes."""
    along, across, angle = blur.unbind(1)
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    y, x = torch.fft.fftfreq(height).to(blur)[:, None], torch.fft.rfftfreq(width).to(blur)
    spread = (along[:, None, None] * (x * cosine + y * sine)) ** 2
    spread = spread + (across[:, None, None] * (y * cosine - x * sine)) ** 2
    return torch.exp(-2 * math.pi**2 * spread)[:, None]


def _halo(image: Tensor, restored: Tensor) -> Tensor:
    """How much of the image to show, in [0, 1): 0 where both gradients agree, more the further they oppose."""
    before, after = torch.gradient(image, dim=(-2, -1)), torch.gradient(restored, dim=(-2, -1))
    against = -(before[0] * after[0] + before[1] * after[1]).clamp_max(0)
    return against / (before[0] ** 2 + before[1] ** 2 + against).clamp_min(1e-12)
