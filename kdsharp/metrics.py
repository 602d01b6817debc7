"""How close is an image to the truth: PSNR, and two measures that are both called SSIM (floor 2; lesson 04).

All take two float batches (B, C, H, W) and return one value per image, (B,). ``data_range`` is never guessed:
the same pair scores differently for each range, so the caller says which one it is.
"""

import importlib

import torch
from pytorch_msssim import ms_ssim as _ms_ssim
from pytorch_msssim import ssim as _ssim
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import UsageError, check_images, check_positive

WINDOW = 11
SIGMA = 1.5


def psnr(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio, ``10 log10(data_range^2 / mean((image - truth)^2))``, in dB; inf when equal.

    Round to 8 bits first (:func:`kdsharp.images.quantize`) where a file is meant. Lesson 04.
    """
    check_images(image, truth)
    check_positive(data_range, "data_range")
    parts = [(image[..., rows, :] - truth[..., rows, :]).double().square().sum((1, 2, 3)) for rows in _strips(image)]
    return 10 * torch.log10(data_range**2 * image[0].numel() / torch.stack(parts).sum(0))


def ssim(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """SSIM per channel: the structural similarity of each colour plane, then their mean. 1 when equal.

    Gaussian window of 11x11 pixels with sigma 1.5, only where it fits entirely. What scikit-image computes with
    ``channel_axis``, ``gaussian_weights=True``, ``sigma=1.5`` and ``use_sample_covariance=False``.

    Source: Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004. Lesson 04.
    """
    check_images(image, truth)
    _check_window(image)
    options = {"data_range": data_range, "size_average": False, "win_size": WINDOW, "win_sigma": SIGMA}
    total = torch.zeros(len(image), device=image.device)
    windows = image.shape[-2] - WINDOW + 1
    for strip in _strips(image, windows):
        rows = slice(strip.start, strip.stop + WINDOW - 1)
        total = total + _ssim(image[..., rows, :], truth[..., rows, :], **options) * (strip.stop - strip.start)
    return total / windows


def ssim_map(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """The value of every window before the mean, (B, C, H - 10, W - 10): where a picture loses its structure.

    ``((2 mx my + c1) (2 cov + c2)) / ((mx^2 + my^2 + c1) (vx + vy + c2))`` with the means m, variances v and covariance
    of both pictures under one window, ``c1 = (0.01 data_range)^2``, ``c2 = (0.03 data_range)^2``. :func:`ssim` is its
    mean. Lesson 04 computes one of these values by hand.
    """
    check_images(image, truth)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    x, y = image.double(), truth.double()
    mean_x, mean_y, xx, yy, xy = window_means(x, y, x * x, y * y, x * y)
    top = (2 * mean_x * mean_y + c1) * (2 * (xy - mean_x * mean_y) + c2)
    return (top / ((mean_x**2 + mean_y**2 + c1) * (xx - mean_x**2 + yy - mean_y**2 + c2))).to(image.dtype)


def window_means(*images: Tensor) -> tuple[Tensor, ...]:
    """The mean of each image (B, C, H, W) under the window of SSIM, where it fits: (B, C, H - 10, W - 10) each.

    Raises:
        UsageError: for shapes that differ, or sides below the window's 11 pixels.
    """
    check_images(*images)
    _check_window(images[0])
    channels, line = images[0].shape[1], _window().to(images[0]).expand(images[0].shape[1], 1, 1, WINDOW)
    stacked = torch.cat(images)
    return F.conv2d(F.conv2d(stacked, line, groups=channels), line.transpose(2, 3), groups=channels).chunk(len(images))


def ssim_volumetric(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """SSIM volumetric: the colour image as a volume (C, H, W) under one 11x11x11 Gaussian window.

    What MATLAB's ``ssim`` does with an RGB array, and what most published GoPro tables show. The window mixes the
    channels and continues the volume by repetition, which gives a higher number than :func:`ssim` on the same pair.
    """
    check_images(image, truth)
    _check_window(image)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    total, half = torch.zeros(len(image), device=image.device), WINDOW // 2
    for strip in _strips(image):
        first = max(0, strip.start - half)  # rows that its windows see, beyond the strip
        x, y = (each[..., first : strip.stop + half, :].float() for each in (image, truth))
        blurred = _volume_blur(torch.stack([x, y, x * x, y * y, x * y]))
        mean_x, mean_y, xx, yy, xy = blurred[..., strip.start - first : strip.stop - first, :].unbind()
        variance = xx - mean_x**2 + yy - mean_y**2
        top = (2 * mean_x * mean_y + c1) * (2 * (xy - mean_x * mean_y) + c2)
        total = total + (top / ((mean_x**2 + mean_y**2 + c1) * (variance + c2))).sum((1, 2, 3))
    return total / image[0].numel()


def ms_ssim(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """Multi-scale SSIM over five scales; needs sides above 160 pixels. Wang, Simoncelli and Bovik, 2003."""
    check_images(image, truth)
    if min(image.shape[-2:]) <= 160:
        raise UsageError(f"MS-SSIM needs sides above 160 pixels, found {tuple(image.shape[-2:])}")
    return _ms_ssim(image, truth, data_range=data_range, size_average=False, win_size=WINDOW, win_sigma=SIGMA)


def gradient_energy(image: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels, across and down: a measure of sharpness without a reference.

    Blur lowers it; sharpening raises it, and noise does too: alone it says nothing about quality. Lesson 11.
    """
    check_images(image)
    across, down = image.diff(dim=-1), image.diff(dim=-2)
    return across.square().flatten(1).mean(1) + down.square().flatten(1).mean(1)


def haarpsi(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """HaarPSI: how alike the edges of two pictures are, weighted by how strong they are. 1 when equal; more is better.

    Source: Reisenhofer, Bosse, Kutyniok and Wiegand, Signal Processing: Image Communication 2018, by the library piq.
    """
    return _by_piq("haarpsi", image, truth, data_range)


def vif(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """VIF in the pixel domain: the share of the truth's information that the picture still holds. 1 when equal.

    More is better, and a picture with more contrast than the truth has more than 1. Sides of at least 41 pixels.
    Source: Sheikh and Bovik, IEEE TIP 2006, by the library piq.
    """
    return _by_piq("vif_p", image, truth, data_range)


def gmsd(image: Tensor, truth: Tensor, data_range: float = 1.0) -> Tensor:
    """GMSD: how unevenly the strength of edges is kept over the picture. 0 when equal; *less* is better.

    Source: Xue, Zhang, Mou and Bovik, IEEE TIP 2014, by the library piq.
    """
    return _by_piq("gmsd", image, truth, data_range)


MEASURES = {"haarpsi": haarpsi, "vif": vif, "gmsd": gmsd}
"""Further measures by name: formulas that need no weights. ``kdsharp evaluate --measure NAME``; lesson 04."""


def _by_piq(name: str, image: Tensor, truth: Tensor, data_range: float) -> Tensor:
    check_images(image, truth, channels=3)
    check_positive(data_range, "data_range")
    importlib.import_module("kdsharp.vision")  # piq imports torchvision, which loads everywhere after this
    try:
        return getattr(importlib.import_module("piq"), name)(image, truth, data_range=data_range, reduction="none")
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


STRIP = 1_000_000
"""Pixels that are compared at a time, so that memory does not grow with the picture."""


def _strips(image: Tensor, rows: int | None = None) -> list[slice]:
    """Slices of ``rows`` (all of the image's by default) that hold about ``STRIP`` pixels each."""
    rows = image.shape[-2] if rows is None else rows
    step = max(1, STRIP // image.shape[-1])
    return [slice(top, min(top + step, rows)) for top in range(0, rows, step)]


def _check_window(image: Tensor) -> None:
    if min(image.shape[-2:]) < WINDOW:
        raise UsageError(f"SSIM needs sides of at least {WINDOW} pixels, found {tuple(image.shape[-2:])}")


def _window() -> Tensor:
    """One side of the Gaussian window: float64 (11,), sum 1."""
    x = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    line = torch.exp(-(x**2) / (2 * SIGMA**2))
    return line / line.sum()


def _volume_blur(volumes: Tensor) -> Tensor:
    """Separable Gaussian over channels, rows and columns of (N, B, C, H, W), edges by repetition.

    Three channels under an eleven-wide window: that pass is a small matrix between channels.
    """
    line = _window()
    channels, half = volumes.shape[2], WINDOW // 2
    mix = torch.zeros(channels, channels, dtype=torch.float64)
    for row in range(channels):
        for offset, weight in enumerate(line, start=row - half):
            mix[row, min(max(offset, 0), channels - 1)] += weight
    out = torch.einsum("dc,nbchw->nbdhw", mix.to(volumes), volumes).flatten(0, 1)
    window = line.to(volumes).expand(channels, 1, 1, WINDOW)
    out = F.conv2d(F.pad(out, (half,) * 4, mode="replicate"), window, groups=channels)
    out = F.conv2d(out, window.transpose(2, 3), groups=channels)
    return out.view(volumes.shape)
