"""Sharpening in space: add back what a blur takes away (lesson 01)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_name, check_positive
from kdsharp.kernels import gaussian

LAPLACIANS = {
    4: torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]]),
    8: torch.tensor([[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]]),
}
"""Negated Laplacian stencils with 4 and 8 neighbours; each sums to 0, so that flat areas give 0."""

CENTRE = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
HIGH_PASSES = {
    "box": CENTRE - torch.ones(3, 3) / 9,
    "gaussian": CENTRE - torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16,
}
"""The pixel less the mean of its 3x3 neighbourhood, flat or bell-shaped; each sums to 0."""

SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
"""Sobel's derivative along x, correlated; the 8 makes a ramp that rises by 1 a pixel answer 1."""


def blur(image: Tensor, radius: float) -> Tensor:
    """Gaussian blur of standard deviation ``radius`` pixels, edges by reflection; any (B, C, H, W).

    Separable: one pass along x, one along y, which costs 2K instead of K^2 products a pixel.
    """
    check_images(image)
    line = gaussian(radius).sum(0).to(image)
    half = len(line) // 2
    channels = image.shape[1]
    mode = "reflect" if half < min(image.shape[-2:]) else "replicate"
    padded = F.pad(image, (half,) * 4, mode=mode)
    rows = F.conv2d(padded, line.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(rows, line.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)


def unsharp_mask(image: Tensor, radius: float = 2.0, amount: float = 1.0) -> Tensor:
    """Unsharp mask: ``image + amount * (image - blur(image))``.

    A flat area has no difference to its blur and stays as it is (gain 1 at zero frequency). Near an edge the
    difference overshoots on both sides: that is the extra contrast, and too much of it is a halo.

    Args:
        image: (B, C, H, W) in [0, 1].
        radius: standard deviation of the blur in pixels, above 0; larger reaches coarser detail and wider halos.
        amount: strength; 0 changes nothing, 1 doubles the finest detail.

    Returns:
        the sharpened image, same shape, not clamped.

    Source: the darkroom technique; Gonzalez and Woods, Digital Image Processing, section 3.6. Lesson 01.
    """
    return image + amount * (image - blur(image, radius))


def laplacian(image: Tensor, amount: float = 0.5, neighbours: int = 4) -> Tensor:
    """Laplacian sharpening: ``image - amount * laplacian(image)``, edges by reflection.

    Args:
        image: (B, C, H, W) in [0, 1].
        amount: strength at or above 0.
        neighbours: 4 (plus-shaped stencil) or 8 (square, treats diagonals alike).

    Returns:
        the sharpened image, same shape, not clamped. Lesson 01.
    """
    check_images(image)
    check_name(str(neighbours), ("4", "8"), "number of neighbours")
    return image + amount * stencil(image, LAPLACIANS[neighbours])


def high_pass(image: Tensor, amount: float = 1.0, kind: str = "box") -> Tensor:
    """High-pass sharpening: ``image + amount * high_pass_kernel(image)``, edges by reflection.

    The kernel keeps what differs from the 3x3 neighbourhood: an unsharp mask with the smallest possible blur. ``box``
    is the 8-neighbour Laplacian divided by 9; ``gaussian`` counts near neighbours more and is rounder.

    Args:
        image: (B, C, H, W) in [0, 1].
        amount: strength at or above 0; 1 doubles the finest detail, about.
        kind: ``box`` or ``gaussian``.

    Returns:
        the sharpened image, same shape, not clamped.

    Source: Gonzalez and Woods, Digital Image Processing, section 3.6. Lesson 01.
    """
    check_images(image)
    return image + amount * stencil(image, HIGH_PASSES[check_name(kind, HIGH_PASSES, "high-pass kernel")])


def log_kernel(sigma: float) -> Tensor:
    """Laplacian of a Gaussian, ``(r^2 / sigma^2 - 2) g(r)`` with a normalised Gaussian g: float32 (K, K), sum 0.

    The factor ``sigma^2`` that the bare Laplacian lacks is in it, so that one amount means the same at every sigma.
    The sampled values do not quite cancel, and their mean is taken off: flat areas must give 0.
    """
    bell = gaussian(sigma).double()
    x = torch.arange(len(bell), dtype=torch.float64) - len(bell) // 2
    kernel = ((x[:, None] ** 2 + x[None, :] ** 2) / sigma**2 - 2) * bell
    return (kernel - kernel.mean()).float()


def log_sharpen(image: Tensor, sigma: float = 1.0, amount: float = 0.5) -> Tensor:
    """Laplacian of Gaussian: ``image - amount * sigma^2 * laplacian(blur(image, sigma))``, edges by reflection.

    The Gaussian blurs away the finest noise before the Laplacian amplifies what is left.

    Args:
        image: (B, C, H, W) in [0, 1].
        sigma: standard deviation of the Gaussian in pixels, above 0; larger reaches coarser detail, spares noise.
        amount: strength at or above 0.

    Returns:
        the sharpened image, same shape, not clamped.

    Source: Marr and Hildreth, "Theory of edge detection", 1980. Lesson 01.
    """
    return image - amount * stencil(image, log_kernel(sigma))


def gradient_sharpen(image: Tensor, radius: float = 1.5, amount: float = 1.0, threshold: float = 0.02) -> Tensor:
    """Gradient-based: an unsharp mask weighted by ``g / (g + threshold)``, g the gradient's magnitude.

    On an edge the weight comes close to 1, in a flat area to 0, so that its noise is left alone. All channels share
    the weight: their root-mean-square gradient by Sobel's stencils. Not linear in the image.

    Args:
        image: (B, C, H, W) in [0, 1].
        radius: of the unsharp mask in pixels, above 0.
        amount: strength at or above 0.
        threshold: gradient per pixel at which the weight is one half, above 0; 0.02 is 5 grey levels of 255.

    Returns:
        the sharpened image, same shape, not clamped.

    Source: the idea of Gonzalez and Woods, section 3.7 (a gradient as the mask of a sharpener). Lesson 01.
    """
    check_positive(threshold, "threshold")
    slope = stencil(image, SOBEL).square() + stencil(image, SOBEL.T).square()
    magnitude = slope.mean(1, keepdim=True).sqrt()
    return image + amount * magnitude / (magnitude + threshold) * (image - blur(image, radius))


def stencil(image: Tensor, kernel: Tensor) -> Tensor:
    """Correlate each channel of (B, C, H, W) with one odd-sized kernel (K, K), edges by reflection."""
    check_images(image)
    check_positive(kernel.shape[-1] % 2, "kernel size modulo 2")
    half = kernel.shape[-1] // 2
    weight = kernel.to(image).expand(image.shape[1], 1, *kernel.shape)
    mode = "reflect" if half < min(image.shape[-2:]) else "replicate"
    return F.conv2d(F.pad(image, (half,) * 4, mode=mode), weight, groups=image.shape[1])
