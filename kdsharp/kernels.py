"""Point spread functions: what one point of light becomes in a blurred photo (floor 1; lesson 03).

Each function returns a float32 tensor (K, K) with K odd, values at or above 0, sum 1.
"""

import math

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_positive


def gaussian(sigma: float, truncate: float = 4.0) -> Tensor:
    """Gaussian: ``exp(-(x^2 + y^2) / (2 sigma^2))``, normalised; ``sigma`` in pixels; cut at ``truncate * sigma``."""
    check_positive(sigma, "sigma")
    radius = max(1, int(truncate * sigma + 0.5))
    x = torch.arange(-radius, radius + 1, dtype=torch.float64)
    line = torch.exp(-(x**2) / (2 * sigma**2))
    psf = line[:, None] * line[None, :]
    return (psf / psf.sum()).float()


def three_boxes(sigma: float) -> Tensor:
    """What Pillow calls a Gaussian blur of radius ``sigma``: the same box blur three times, with partial end weights.

    The box has 2 l + 1 whole pixels and one of weight w at either end, so that its variance is ``sigma^2 / 3``.
    After Gwosdek, Grewenig, Bruhn and Weickert, "Theoretical foundations of Gaussian convolution by extended box
    filtering" (SSVM 2011), as Pillow's BoxBlur.c does it; Pillow also rounds to 8 bits after each box.
    """
    check_positive(sigma, "sigma")
    variance = sigma**2 / 3
    whole = math.floor((math.sqrt(12 * variance + 1) - 1) / 2)
    end = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) ** 2))
    box = np.array([end] + [1] * (2 * whole + 1) + [end]) / (2 * whole + 1 + 2 * end)
    line = np.convolve(np.convolve(box, box), box)
    return torch.from_numpy(np.outer(line, line)).float()


def disk(radius: float) -> Tensor:
    """Defocus PSF: a disk of ``radius`` pixels whose rim is anti-aliased by 8x8 supersampling."""
    check_positive(radius, "radius")
    half = math.ceil(radius)
    fine = (torch.arange((2 * half + 1) * 8, dtype=torch.float64) + 0.5) / 8 - half - 0.5
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2).double()
    psf = F.avg_pool2d(inside[None, None], 8)[0, 0]
    return (psf / psf.sum()).float()


def motion(length: float, angle: float = 0.0) -> Tensor:
    """Straight motion over ``length`` pixels at ``angle`` degrees, counter-clockwise from the x axis."""
    check_positive(length, "length")
    t = np.linspace(-0.5, 0.5, max(2, int(16 * length))) * length
    return splat(t * math.cos(math.radians(angle)), -t * math.sin(math.radians(angle)))


def shake(length: float, rng: np.random.Generator, wobble: float = 0.9, samples: int = 256) -> Tensor:
    """The PSF of a camera-shake trajectory; see :func:`shake_path`."""
    return splat(*shake_path(length, rng, wobble, samples))


def shake_path(length: float, rng: np.random.Generator, wobble: float = 0.9, samples: int = 256) -> np.ndarray:
    """A camera-shake trajectory: a hand's inertia, random accelerations and a few sudden jerks.

    The velocity follows ``v[k+1] = a v[k] + noise + jerk``, with ``a`` close to 1; its path is centred on its mean,
    and scaled. After Boracchi and Foi, "Modeling the performance of
    image restoration from motion blur" (IEEE TIP 2012).

    Args:
        length: effective length in pixels, above 0: that of the straight motion which spreads as widely. The path is
            scaled to a root-mean-square radius of ``length / sqrt(12)``, so that curly paths blur as much as straight.
        rng: the caller's random generator.
        wobble: how curly the path is, from 0 (straight) to 1.
        samples: points along the path.

    Returns:
        offsets x and y in pixels, (2, samples).
    """
    from scipy.signal import lfilter  # a second that whoever draws no path would spend at the start

    check_positive(length, "length")
    direction = rng.uniform(0, 2 * np.pi)
    drift = np.array([np.cos(direction), np.sin(direction)])[:, None]
    push = rng.standard_normal((2, samples)) * rng.uniform(0, wobble)
    jerks = rng.standard_normal((2, samples)) * 12 * (rng.random(samples) < 2 / samples)
    velocity = lfilter([0.1], [1, -0.97], push + wobble * jerks, axis=1) + drift * rng.uniform(0.1, 1)
    path = np.cumsum(velocity, axis=1)
    path -= path.mean(axis=1, keepdims=True)
    radius = np.sqrt((path**2).sum(axis=0).mean())
    return path * (length / math.sqrt(12) / radius)


def splat(x: np.ndarray, y: np.ndarray) -> Tensor:
    """Spread points at real-valued (x, y) offsets bilinearly over the pixels around them; the PSF of that path."""
    half = max(1, int(math.ceil(max(np.abs(x).max(), np.abs(y).max()))))
    psf = np.zeros((2 * half + 2, 2 * half + 2))
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    right, down = x - column, y - row
    for dy, weight_y in ((0, 1 - down), (1, down)):
        for dx, weight_x in ((0, 1 - right), (1, right)):
            np.add.at(psf, (row + half + dy, column + half + dx), weight_y * weight_x)
    return torch.from_numpy(psf[:-1, :-1] / psf[:-1, :-1].sum()).float()


def convolve(image: Tensor, psfs: Tensor) -> Tensor:
    """Blur each image of a batch with its own PSF, edges continued by reflection.

    Computed through the FFT, ``ifft(fft(image) * fft(psf))``, because the cost then does not grow with the PSF. The
    sides are filled up to a product of small primes, which the FFT takes in half the time of an awkward length.

    Args:
        image: (B, C, H, W).
        psfs: (B, K, K) or (K, K), K odd and at most twice the smaller side minus one.
    """
    psfs = psfs.to(image).expand(image.shape[0], *psfs.shape[-2:])
    half = psfs.shape[-1] // 2
    mode = "reflect" if half < min(image.shape[-2:]) else "replicate"
    padded = F.pad(image, (half,) * 4, mode=mode)
    height, width = padded.shape[-2:]
    size = (next_fast_len(height, real=True), next_fast_len(width, real=True))
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(psfs, s=size)[:, None]
    full = torch.fft.irfft2(spectrum, s=size)
    return full[..., 2 * half : height, 2 * half : width]


def stack(psfs: list[Tensor]) -> Tensor:
    """Stack PSFs of different odd sizes into (B, K, K), each centred in the largest."""
    size = max(psf.shape[-1] for psf in psfs)
    return torch.stack([F.pad(psf, ((size - psf.shape[-1]) // 2,) * 4) for psf in psfs])
