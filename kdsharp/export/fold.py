"""The same network with fewer steps: what can be computed once, before the first photo."""

import copy

import torch
from torch import Tensor, nn

from kdsharp.images import luma
from kdsharp.models.branches import fold_branches
from kdsharp.models.unet import ResidualUNet


class Core(nn.Module):
    """A network for photos whose sides divide by ``multiple``: no padding, no cropping, and the input left out.

    ``residual`` tells whether the answer is to be added to the photo, (1, 3 or 1, H, W), or is the photo itself.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.residual = isinstance(model, ResidualUNet)
        self.multiple = model.multiple if isinstance(model, ResidualUNet) else 16  # what every other network divides

    def forward(self, image: Tensor) -> Tensor:
        if isinstance(self.model, ResidualUNet):
            return self.model.residual(self.model.stem(luma(image) if self.model.grey else image))
        return self.model(image)


class FoldedCore(nn.Module):
    """A :class:`Core` whose luma, PixelUnshuffle and first convolution are one convolution of stride ``factor``."""

    def __init__(self, model: ResidualUNet) -> None:
        super().__init__()
        self.model = model
        self.residual, self.multiple = True, model.multiple
        self.stem = fold_stem(model)

    def forward(self, image: Tensor) -> Tensor:
        return self.model.residual(self.stem(image))


def fold_stem(model: ResidualUNet) -> nn.Conv2d:
    """Unshuffling and then a k x k convolution is one convolution of k * factor pixels a side and stride ``factor``.

    The channel ``(c, y, x)`` of the unshuffled photo at offset ``(v, u)`` is the pixel ``(v * factor + y,
    u * factor + x)`` of channel c. A network for luma takes each of R, G and B with its weight in the luma.
    """
    first, factor = model.stem[1], model.factor
    assert isinstance(first, nn.Conv2d)
    outputs, side = first.out_channels, first.kernel_size[0]
    kernel = first.weight.detach().view(outputs, -1, factor, factor, side, side)
    kernel = kernel.permute(0, 1, 4, 2, 5, 3).reshape(outputs, -1, side * factor, side * factor)
    if model.grey:
        kernel = kernel * luma(torch.eye(3).view(3, 3, 1, 1)).view(1, 3, 1, 1)
    stem = nn.Conv2d(3, outputs, side * factor, stride=factor, padding=factor * (side // 2))
    stem.load_state_dict({"weight": kernel, "bias": first.state_dict()["bias"]})
    return stem


def core(model: nn.Module, fold: bool = True) -> Core | FoldedCore:
    """The part of a network that an ONNX file holds; the network itself stays as it is.

    Args:
        model: from (1, 3, H, W) to the same shape.
        fold: sum train-time branches into plain convolutions, and luma and PixelUnshuffle into the first one.
    """
    own = copy.deepcopy(model).eval().requires_grad_(False)
    if not fold:
        return Core(own)
    own = fold_branches(own)
    return FoldedCore(own) if isinstance(own, ResidualUNet) else Core(own)
