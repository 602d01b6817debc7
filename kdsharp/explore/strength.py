"""What the explorers of lessons 00, 01 and 13 draw: a sharpening, weaker and stronger."""

from collections.abc import Callable

from torch import Tensor

from kdsharp.filters import unsharp_mask
from kdsharp.images import quantize, to_array, to_tensor
from kdsharp.inference import sharpen
from kdsharp.metrics import psnr
from kdsharp.plots import Picture, panels

Place = tuple[int, int]
"""(top, left) of a crop."""


def render_strength(
    function: Callable[[Tensor], Tensor],
    blurred: Tensor,
    sharp: Tensor,
    strength: float,
    name: str,
    at: Place,
) -> Picture:
    """``input + strength * (function(input) - input)`` beside the truth.

    Args:
        function: a network or filter, (1, 3, H, W) to the same.
        blurred, sharp: (1, 3, H, W) in [0, 1].
        strength: 0 is the input, 1 the function's own answer.
        name: of what is sharpened, for the title.
        at: (top, left) of the crop that is shown; moved inwards where it would leave the photo.
    """
    output = to_tensor(sharpen(function, to_array(blurred), strength))
    shown = {f"{name}, strength {strength:g}": output, "truth": sharp}
    alt = f"{name} at strength {strength:g}: {_change(output, blurred, sharp):+.2f} dB against the input."
    return Picture(panels(shown, sharp, at=at), alt)


def render_unsharp(soft: Tensor, sharp: Tensor, radius: float, amount: float, at: Place) -> Picture:
    """The unsharp mask of ``soft`` at one radius (pixels) and amount, between input and truth; all (1, 3, H, W)."""
    sharpened = unsharp_mask(soft, radius, amount)
    shown = {"input": soft, f"radius {radius:g}, amount {amount:g}": sharpened, "truth": sharp}
    change = _change(quantize(sharpened), soft, sharp)
    alt = f"Unsharp mask with radius {radius:g} pixels and amount {amount:g}: {change:+.2f} dB against the input."
    return Picture(panels(shown, sharp, at=at), alt)


def _change(output: Tensor, blurred: Tensor, sharp: Tensor) -> float:
    return psnr(output, sharp).item() - psnr(blurred, sharp).item()
