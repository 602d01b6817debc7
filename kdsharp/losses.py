"""Reconstruction losses as functions of (prediction, truth), each a mean over the batch (floor 3; lesson 11).

Both arguments are float (B, C, H, W); the result is a scalar with a gradient, in float32 whatever the networks run in
(:mod:`kdsharp.digits`). A loss is named by one term (``charbonnier``) or by a sum of weighted ones
(``l1 + 0.5 ssim``).
"""

import math
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kdsharp.checks import UsageError, check_images, check_name
from kdsharp.digits import in_float32
from kdsharp.filters.spatial import LAPLACIANS, stencil
from kdsharp.metrics import window_means

TIP = 1e-3
"""Epsilon of :func:`charbonnier`: a quarter of a grey level."""
LEAST_ERROR = 1e-6
"""Epsilon of :func:`psnr_loss`: a mean squared error of 60 dB, beyond which no file goes."""
TILE = 32
"""Side in pixels of the tiles of ``psnr-tiles``."""
GOOD_ENOUGH = 1e-4
"""Epsilon of the loss ``psnr-40``: beyond 40 dB there is little to win."""


@in_float32
def charbonnier(prediction: Tensor, truth: Tensor, epsilon: float = TIP) -> Tensor:
    """``mean sqrt((prediction - truth)^2 + epsilon^2)``: L1 with a rounded tip (Charbonnier et al. 1994)."""
    return ((prediction - truth).square() + epsilon**2).sqrt().mean()


@in_float32
def ssim_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """``1 - SSIM per channel`` of images in [0, 1], with a gradient, at or above 0 (Zhao et al. 2017).

    Written with the *difference* d of the two, so that no digits are lost where they are nearly equal: in a window,
    ``1 - SSIM = l + s - l s`` with ``l = mean(d)^2 / (mx^2 + my^2 + c1)``, what is missing in light, and
    ``s = var(d) / (vx + vy + c2)``, what is missing in structure. :func:`kdsharp.metrics.ssim` has the usual form,
    which loses one part in a thousand of a grey level on a photo, and four parts in one on a flat wall.

    Raises:
        UsageError: for sides below 11 pixels, the window's.
    """
    difference = prediction - truth
    stack = [prediction, truth, prediction.square(), truth.square(), difference, difference.square()]
    mean_x, mean_y, xx, yy, off, off_square = window_means(*stack)
    squares = mean_x.square() + mean_y.square()
    light = off.square() / (squares + 0.01**2)
    structure = (off_square - off.square()).clamp_min(0) / ((xx + yy - squares).clamp_min(0) + 0.03**2)
    return (light + structure - light * structure).mean()


@in_float32
def edge_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Charbonnier distance of the two Laplacians: only edges count (Zamir et al. 2021, without their pyramid)."""
    return charbonnier(stencil(prediction, LAPLACIANS[8]), stencil(truth, LAPLACIANS[8]))


@in_float32
def psnr_loss(prediction: Tensor, truth: Tensor, epsilon: float = LEAST_ERROR, tile: int | None = None) -> Tensor:
    """``mean log10(mse + epsilon)`` with one mse an image: the negative PSNR in units of 10 dB (Chen et al. 2022).

    Each image counts by the *ratio* of its error, so that a few crops full of hard edges do not drown the others. It
    lets go where the mse comes near epsilon. Where some of the crops are sharp already, an epsilon of 60 dB lets them
    rule the training: a network wins most by leaving everything as it is (`data/checkpoints/STUDY.md`, the blur).

    With ``tile``, an mse for each square of so many pixels a side (at the right and lower border for what is left):
    beside an edge, what a network does to a soft background is nothing in the mean of the picture, and all in a tile.
    Crops that are soft all over teach that better (`data/checkpoints/STUDY.md`, *a loss by tiles*; lesson 11).
    """
    error = (prediction - truth).square()
    if tile is None:
        errors = error.flatten(1).mean(1)
    else:
        errors = F.avg_pool2d(error.mean(1, keepdim=True), tile, ceil_mode=True)
    return (errors + epsilon).log10().mean()


@in_float32
def ssim_without_gradient(prediction: Tensor, truth: Tensor) -> Tensor:
    """``1 - SSIM`` computed on detached pixels: a number that no weight can feel (lessons 11 and 15).

    Report B's code takes its SSIM term through NumPy. It stands here so that its system can run as it was written.
    """
    return ssim_loss(prediction.detach(), truth.detach())


VGG_LAYERS = (3, 8, 15, 22, 29)
"""Where VGG16 is read: the last ReLU of each of its five blocks."""


class VGGFeatures(nn.Module):
    """The feature maps of VGG16 (Simonyan and Zisserman 2015) at ``VGG_LAYERS``, frozen.

    Args:
        state: torchvision's state dict of VGG16; only ``features.*`` is used.

    Shape: (B, 3, H, W) in [0, 1], H and W from 32, to five maps of 64, 128, 256, 512 and 512 channels.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        from kdsharp.vision import torchvision  # imported when it is needed: it takes a second

        self.layers = torchvision.models.vgg16(weights=None).features[: VGG_LAYERS[-1] + 1]
        kept = {key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}
        self.layers.load_state_dict(kept)
        for layer in self.layers:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = (image - self.mean) / self.deviation
        found = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in VGG_LAYERS:
                found.append(x)
        return found


def vgg_file() -> Path:
    """Where torchvision keeps its VGG16 weights on this machine, whether they are there or not."""
    from kdsharp.vision import torchvision

    url = torchvision.models.VGG16_Weights.IMAGENET1K_V1.url
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]


@cache
def pretrained_vgg() -> VGGFeatures:
    """VGG16 trained on ImageNet, from torchvision's file on this machine; nothing is downloaded.

    Raises:
        UsageError: when the file is not there, with the command that fetches it.
    """
    path = vgg_file()
    if not path.is_file():
        raise UsageError(
            f"the VGG16 loss needs torchvision's weights at {path}; fetch them once, with internet: "
            "python -c \"from kdsharp.vision import torchvision as t; t.models.vgg16(weights='IMAGENET1K_V1')\""
        )
    return VGGFeatures(torch.load(path, weights_only=True, map_location="cpu"))


@in_float32
def vgg_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean over five VGG16 layers of the mean squared difference of their maps (after Johnson et al. 2016)."""
    pairs = zip(_vgg(prediction), _vgg(truth), strict=True)
    return torch.stack([F.mse_loss(ours, theirs) for ours, theirs in pairs]).mean()


@in_float32
def vgg_deep_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference of the deepest of the five VGG16 maps: content without exact places."""
    return F.mse_loss(_vgg(prediction)[-1], _vgg(truth)[-1])


def _vgg(image: Tensor) -> list[Tensor]:
    check_images(image, channels=3)
    return pretrained_vgg().to(image.device)(image.float())


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": in_float32(F.l1_loss),
    "mse": in_float32(F.mse_loss),
    "charbonnier": charbonnier,
    "ssim": ssim_loss,
    "edge": edge_loss,
    "psnr": psnr_loss,
    "psnr-40": partial(psnr_loss, epsilon=GOOD_ENOUGH),
    "psnr-tiles": partial(psnr_loss, tile=TILE),
    "ssim-without-gradient": ssim_without_gradient,
    "vgg": vgg_loss,
    "vgg-deep": vgg_deep_loss,
}
"""Reconstruction terms by name."""

FLOORS = {
    "charbonnier": TIP,
    "edge": TIP,
    "psnr": math.log10(LEAST_ERROR),
    "psnr-40": math.log10(GOOD_ENOUGH),
    "psnr-tiles": math.log10(LEAST_ERROR),
}
"""What a term is where nothing is left to mend; 0 for all others. None is ever below it."""


def mixture(text: str) -> dict[str, float]:
    """The terms of a loss and their weights: ``"l1 + 0.5 ssim"`` is ``{"l1": 1.0, "ssim": 0.5}``.

    Raises:
        UsageError: for an unknown name or a weight that is no number.
    """
    weights: dict[str, float] = {}
    for part in text.split("+"):
        *weight, name = part.split() or [""]
        try:
            weights[check_name(name, LOSSES, "loss")] = float("".join(weight) or 1)
        except ValueError as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{part.strip()!r} is no weighted loss; write for instance: l1 + 0.5 ssim") from None
    return weights


def reconstruction(name: str, prediction: Tensor, truth: Tensor) -> Tensor:
    """The named loss, or sum of weighted losses, of ``prediction`` against ``truth``.

    Raises:
        UsageError: for an unknown name or shapes that differ.
    """
    check_images(prediction, truth)
    terms = [weight * LOSSES[each](prediction, truth) for each, weight in mixture(name).items()]
    return torch.stack(terms).sum()


def lowest(name: str) -> float:
    """What the named loss, or sum of weighted losses, cannot fall below: its value for equal images."""
    parts = mixture(name)
    if min(parts.values()) < 0:
        return -math.inf
    return sum(weight * FLOORS.get(each, 0.0) for each, weight in parts.items())
