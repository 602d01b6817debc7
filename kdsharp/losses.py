"""Reconstruction losses as functions of (prediction, truth), each a mean over the batch (floor 3; lesson 11).

Both arguments are float (B, C, H, W); the result is a scalar with a gradient.
"""

from collections.abc import Callable

from pytorch_msssim import ssim as _ssim
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_name
from kdsharp.filters.spatial import LAPLACIANS, stencil


def charbonnier(prediction: Tensor, truth: Tensor, epsilon: float = 1e-3) -> Tensor:
    """``mean sqrt((prediction - truth)^2 + epsilon^2)``: L1 with a rounded tip (Charbonnier et al. 1994)."""
    return ((prediction - truth).square() + epsilon**2).sqrt().mean()


def ssim_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """``1 - SSIM per channel`` of images in [0, 1], with a gradient (Zhao et al. 2017)."""
    return 1 - _ssim(prediction, truth, data_range=1.0)


def edge_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Charbonnier distance of the two Laplacians: only edges count (Zamir et al. 2021, without their pyramid)."""
    return charbonnier(stencil(prediction, LAPLACIANS[8]), stencil(truth, LAPLACIANS[8]))


def psnr_loss(prediction: Tensor, truth: Tensor, epsilon: float = 1e-6) -> Tensor:
    """``mean log10(mse + epsilon)`` with one mse an image: the negative PSNR in units of 10 dB (Chen et al. 2022).

    Each image counts by the *ratio* of its error, so that a few crops full of hard edges do not drown the others.
    """
    return ((prediction - truth).square().flatten(1).mean(1) + epsilon).log10().mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": F.l1_loss,
    "mse": F.mse_loss,
    "charbonnier": charbonnier,
    "ssim": ssim_loss,
    "edge": edge_loss,
    "psnr": psnr_loss,
}
"""Reconstruction terms by name."""


def reconstruction(name: str, prediction: Tensor, truth: Tensor) -> Tensor:
    """The named loss of ``prediction`` against ``truth``.

    Raises:
        UsageError: for an unknown name or shapes that differ.
    """
    check_name(name, LOSSES, "loss")
    check_images(prediction, truth)
    return LOSSES[name](prediction, truth)
