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


def stencil(image: Tensor, kernel: Tensor) -> Tensor:
    """Correlate each channel of (B, C, H, W) with one odd-sized kernel (K, K), edges by reflection."""
    check_images(image)
    check_positive(kernel.shape[-1] % 2, "kernel size modulo 2")
    half = kernel.shape[-1] // 2
    weight = kernel.to(image).expand(image.shape[1], 1, *kernel.shape)
    return F.conv2d(F.pad(image, (half,) * 4, mode="reflect"), weight, groups=image.shape[1])
