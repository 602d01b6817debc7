"""What the explorers of lesson 14 draw: a network in few bits, and a photo in tiles."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from kdsharp.checks import UsageError, check_range
from kdsharp.explore.tiles import tiled, work_factor
from kdsharp.images import quantize
from kdsharp.metrics import psnr
from kdsharp.plots import Picture, crop, panels


def rounded(values: Tensor, bits: int, low: Tensor, high: Tensor) -> Tensor:
    """The nearest of ``2^bits`` evenly spaced values from ``low`` to ``high``, one of which is exactly 0.

    ``real = scale * (integer - zero_point)`` with ``scale = (high - low) / (2^bits - 1)``; Jacob et al., CVPR 2018.
    ``low`` and ``high`` are widened to hold 0 and may be one number or one for each channel.
    """
    check_range(bits, 1, 16, "bits")
    low, high = low.clamp(max=0), high.clamp(min=0)
    most = 2**bits - 1
    scale = ((high - low) / most).clamp_min(1e-12)
    zero_point = (-low / scale).round()
    return scale * ((values / scale + zero_point).round().clamp(0, most) - zero_point)


def in_bits(model: nn.Module, bits: int, per_channel: bool = True) -> nn.Module:
    """A copy of a network whose convolutions take weights and maps of ``2^bits`` levels; it computes in float32.

    It shows what the rounding costs, and is not faster. ``kdsharp.export.quantize`` makes the network that is, with 8
    bits; its maps' ranges come from calibration photos, here they come from the photo itself.

    Args:
        model: any network with convolutions.
        bits: of each weight and each value of a map.
        per_channel: a range of its own for each output channel's weights; otherwise one for the whole layer.
    """
    made = copy.deepcopy(model).eval().requires_grad_(False)
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d):
            if parametrize.is_parametrized(layer, "weight"):
                raise UsageError("the network still has its branches; fold them first (fold_branches)")
            flat = layer.weight.flatten(1) if per_channel else layer.weight.reshape(1, -1)
            bound = flat.abs().amax(1).view(-1, 1, 1, 1)
            layer.weight.copy_(rounded(layer.weight, bits, -bound, bound))
            layer.register_forward_pre_hook(lambda _, given: (rounded(given[0], bits, given[0].min(), given[0].max()),))
    return made


def render_bits(
    model: nn.Module,
    blurred: Tensor,
    sharp: Tensor,
    bits: int,
    per_channel: bool,
    place: tuple[int, int, int] | None = None,
) -> Picture:
    """A blurred photo, the network's answer in float32 and in ``bits``, and the truth; a frame of the explorer.

    ``place`` (top, left, side) is the part that is shown and scored; the network sees the whole photo, because its
    gates judge the blur from all of it.
    """
    bits = int(bits)
    with torch.inference_mode():
        seen = [blurred, model(blurred), in_bits(model, bits, per_channel)(blurred), sharp]
    blurred, full, few, sharp = seen if place is None else [crop(each, *place) for each in seen]
    ranges = "one range a channel" if per_channel else "one range a layer"
    lost = psnr(quantize(full), sharp).item() - psnr(quantize(few), sharp).item()
    shown = {"input": blurred, "float32": full, f"{bits} bits, {ranges}": few}
    alt = f"The network in {bits} bits with {ranges} loses {lost:.2f} dB against float32; beside it input and float32."
    return Picture(panels(shown, sharp), alt)


def reach(function: Callable[[Tensor], Tensor], side: int = 128, share: float = 1e-3, seed: int = 0) -> int:
    """How far one pixel of the answer looks: pixels beyond which no input moves it by ``share`` of the strongest one.

    Found by the gradient of the middle pixel with respect to a noise picture of ``side`` pixels; with ``share`` 0 the
    receptive field. A gate on the mean of the whole picture lets it look everywhere, hardly.
    """
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)).requires_grad_(True)
    middle = side // 2
    function(image)[0, :, middle, middle].sum().backward()
    assert image.grad is not None
    strength = image.grad.abs().sum((0, 1))
    return int(((strength > share * strength.max()).nonzero() - middle).abs().max())


def render_tiles(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    side: int,
    overlap: int,
    gain: float = 25.0,
    at: tuple[int, int] | None = None,
) -> Picture:
    """A photo sharpened in one piece and in tiles, and their difference; a frame of the explorer.

    Args:
        function: a network, or a filter.
        image: (1, 3, H, W).
        side, overlap: of the tiles, in pixels.
        gain: enlargement of the difference.
        at: (top, left) of the crop that is shown.
    """
    side, overlap = int(side), int(overlap)
    with torch.inference_mode():
        whole = quantize(function(image))
        pieces = quantize(tiled(function, image, side, overlap))
    most = 255 * (whole - pieces).abs().max().item()
    seen = work_factor(side, overlap)
    shown = {"in one piece": whole, f"tiles of {side}, overlap {overlap}": pieces}
    alt = f"Tiles of {side} pixels with an overlap of {overlap} differ from one piece by at most {most:.0f} grey "
    alt += f"levels and compute {seen:.1f} times the pixels."
    return Picture(panels(shown, whole, at=at, gain=gain), alt)


def price_sentence(price: float, gain: float) -> str:
    """What 8 bits cost in dB, and beside which gain of the student over its input, in one sentence."""
    if abs(price) < 0.005:
        cost = "Eight bits cost less than 0.005 dB"
    elif price < 0:
        cost = f"Eight bits cost nothing here: {-price:.3f} dB better, by the luck of rounding"
    else:
        cost = f"Eight bits cost {price:.3f} dB"
    if gain <= 0:
        return f"{cost}; the student itself gained nothing over its input ({gain:+.2f} dB)."
    return f"{cost}; the student gained {gain:.2f} dB over its input."
