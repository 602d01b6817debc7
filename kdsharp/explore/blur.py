"""What the explorer of lesson 03 draws: a shake of some length, added up in some camera's light."""

import numpy as np
from torch import Tensor

from kdsharp import kernels, plots
from kdsharp.images import quantize


def render_shake(
    sharp: Tensor, length: float, response: float, seed: int = 0, at: tuple[int, int] = (0, 0)
) -> plots.Picture:
    """The same shake at one length, added up as ``light = value^response``, beside the sum of stored values.

    Args:
        sharp: (1, 3, H, W) in [0, 1].
        length: effective length of the path in pixels.
        response: g of ``value = light^(1/g)``; 1 adds stored values.
        seed: of the path; the same one at each length.
        at: (top, left) of the crop that is shown.
    """
    psf = kernels.shake(length, np.random.default_rng(seed))
    light = quantize(kernels.convolve(sharp**response, psf).clamp(0, 1) ** (1 / response))
    stored = quantize(kernels.convolve(sharp, psf))
    made = plots.panels(
        {"sharp": sharp, f"length {length:g}, g = {response:g}": light, "the same, stored values": stored}, sharp, at=at
    )
    brighter = 255 * (light - stored).max().item()
    return plots.Picture(
        made,
        f"Shake of {length:g} pixels with a camera response of {response:g}: at most {brighter:.0f} grey levels of 255 "
        "brighter than the sum of stored values.",
    )
