"""What lesson 03 draws: a shake added up in some camera's light."""

import numpy as np
from torch import Tensor

from kdsharp import kernels, plots
from kdsharp.images import quantize, to_array


def render_shake(
    sharp: Tensor, length: float, response: float, seed: int = 0, at: tuple[int, int] = (0, 0)
) -> plots.Picture:
    """The same shake at one length, its stored values added up, its light added up, and the difference of the two.

    Args:
        sharp: (1, 3, H, W) in [0, 1], H and W at least 104.
        length: effective length of the path in pixels.
        response: g of ``value = light^(1/g)``; 1 adds stored values.
        seed: of the path; the same one at each length.
        at: (top, left) of the crop of 104 pixels that is shown.
    """
    psf = kernels.shake(length, np.random.default_rng(seed))
    stored = quantize(kernels.convolve(sharp, psf))
    light = quantize(kernels.convolve(sharp**response, psf).clamp(0, 1) ** (1 / response))
    brighter = 255 * plots.crop(light - stored, *at, 104).max().item()
    cells = {
        "stored values added up": stored,
        f"light added up, g = {response:g}": light,
        f"light - stored x 4, at most {brighter:.0f} levels": 4 * (light - stored).clamp_min(0),
    }
    shown = {name: to_array(plots.crop(each, *at, 104)).repeat(2, 0).repeat(2, 1) for name, each in cells.items()}
    return plots.Picture(
        plots.beside(shown),
        f"Shake of {length:g} pixels with a camera response of {response:g}: at most {brighter:.0f} grey levels of 255 "
        "brighter than the sum of stored values.",
    )
