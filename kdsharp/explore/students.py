"""What lesson 08 looks at: a student's cost, how far it sees, and what PixelUnshuffle does to a photo (floor 7)."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn import functional as F

from kdsharp import plots
from kdsharp.checks import UsageError, check_images, check_name
from kdsharp.evaluate import milliseconds_per_megapixel
from kdsharp.images import to_array
from kdsharp.models import count_macs, count_parameters
from kdsharp.models.blocks import ResidualBlock
from kdsharp.plots.narrow import NARROW, wide_and_narrow


@dataclass(frozen=True)
class Cost:
    """What a network costs: weights, MACs a photo pixel, milliseconds a megapixel here, and its reach in pixels."""

    parameters: int
    macs: float
    ms: float
    reach: int


def cost(network: nn.Module, side: int = 256, repeats: int = 3) -> Cost:
    """The cost of a network, timed on a photo of ``side`` x ``side`` pixels."""
    pace = milliseconds_per_megapixel(network.eval(), repeats, (side, side))
    return Cost(count_parameters(network), count_macs(network), pace, reach(network))


def reach(network: nn.Module, side: int = 256) -> int:
    """How many rows of the answer can notice one changed pixel: the side of the receptive field of a convolutional net.

    All weights of a copy are set to 1 and all biases to 0, so that nothing cancels; then a black photo and one with a
    single white pixel go through it. Gates, which look at the mean of the whole photo, are held at 1: this is the
    reach of the convolutions. With halving layers it depends by a few pixels on where the pixel lies; here it is the
    middle of the photo.

    Args:
        network: convolutions, ReLU, pooling, shuffling, sigmoid, and the course's residual blocks.
        side: height of the photo in pixels; a larger reach is told as ``side``.
    """
    probe = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for layer in probe.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                layer.weight.fill_(1.0)
                if layer.bias is not None:
                    layer.bias.zero_()
        for layer in probe.modules():
            if isinstance(layer, ResidualBlock):
                layer.gate.weight.zero_()
        black = torch.zeros(1, 3, side, 16, dtype=torch.float64)  # a narrow photo: rows are counted, columns only cost
        white = black.clone()
        white[..., side // 2, 8] = 1e-3
        changed = (probe(white) != probe(black))[0].any(0)
    return int(changed.any(1).sum())


def mosaic(image: Tensor, factor: int) -> Tensor:
    """PixelUnshuffle as a picture: ``factor^2`` small photos side by side, each made of every ``factor``-th pixel.

    Shape: (1, C, H, W), both sides multiples of ``factor``, to the same shape: the same pixels in another order.
    """
    check_images(image)
    height, width = image.shape[-2:]
    if height % factor or width % factor:
        raise UsageError(f"the sides must be multiples of {factor}, found {height}x{width}")
    parts = F.pixel_unshuffle(image, factor).unflatten(1, (image.shape[1], factor, factor))
    return parts.permute(0, 1, 2, 4, 3, 5).reshape(image.shape)


AXES = {"parameters": "parameters", "macs": "MACs a pixel", "ms": "ms a megapixel"}
"""Fields of :class:`Cost` that the explorer draws, and their labels with the unit."""


def render_student(
    photo: Tensor, costs: Mapping[tuple[int, int], Cost], width: int, factor: int, at: tuple[int, int] = (0, 0)
) -> plots.Picture:
    """One student of a family: what a pixel of its answer sees, and its cost among its relatives; the explorer's frame.

    Args:
        photo: (1, 3, H, W) in [0, 1].
        costs: (width, factor) to the cost, measured beforehand, of all that are compared.
        width: channels of the hidden layers.
        factor: of its PixelUnshuffle.
        at: (top, left) of the 130x130 pixels that are shown at 2:1.
    """
    side, zoom, key = 130, 2, (int(width), int(factor))
    if key not in costs:
        check_name(str(key), [str(each) for each in costs], "student")
    own, box = costs[key], side * zoom
    pixels = to_array(plots.crop(photo, *at, side)).repeat(zoom, 0).repeat(zoom, 1)
    edge = min(own.reach, side - 1) * zoom

    def drawn(wide: bool) -> Figure:
        across, high = (plots.WIDTH, 330) if wide else (NARROW, 330 + 96 * len(AXES))
        made = plots.figure(across, high)
        axes = made.add_axes((8 / across, (high - 294) / high, box / across, box / high))
        axes.imshow(pixels, interpolation="none")
        square = Rectangle(((box - edge) / 2, (box - edge) / 2), edge, edge, fill=False, color="w", linewidth=2.5)
        axes.add_patch(square)
        axes.add_patch(Rectangle(square.get_xy(), edge, edge, fill=False, color="k", linewidth=1))
        axes.plot(box / 2, box / 2, "o", color="w", markeredgecolor="k", markersize=5)
        axes.set_axis_off()
        made.text(8 / across, 1 - 8 / high, f"reach {own.reach} x {own.reach} pixels", va="top", fontsize=10)
        made.text(
            8 / across, 1 - 300 / high, f"{side}x{side} pixels at {zoom}:1", va="top", fontsize=8, color="#444444"
        )
        left, length, first = (330, 370, 94) if wide else (14, 322, 386)
        for index, (field, label) in enumerate(AXES.items()):
            value = getattr(own, field)
            axes = made.add_axes((left / across, (high - first - 96 * index) / high, length / across, 30 / high))
            axes.plot([getattr(each, field) for each in costs.values()], [0] * len(costs), "|", color="#7b7d7d", ms=14)
            axes.plot(value, 0, "D", color=plots.COLOURS[1], markersize=10)
            axes.set_xscale("log")
            axes.set_yticks([])
            axes.set_title(f"{label}: {value:,.0f}", fontsize=10, loc="left")
            axes.tick_params(labelsize=8)
        return made

    alt = f"Width {width:g}, factor {factor:g}: reach {own.reach} pixels, {own.parameters:,} parameters, "
    figure = wide_and_narrow(drawn)
    return plots.Picture(figure, alt + f"{own.macs:,.0f} MACs a pixel, {own.ms:,.0f} ms a megapixel.")
