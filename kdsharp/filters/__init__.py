"""Classical sharpening filters (floor 2; lessons 01, 02 and 05). ``FILTERS`` is what ``--filter`` takes."""

from collections.abc import Callable

from torch import Tensor

from kdsharp.filters.deconvolution import polyblur, richardson_lucy, wiener
from kdsharp.filters.frequency import butterworth_emphasis, gaussian_emphasis, ideal_emphasis
from kdsharp.filters.spatial import gradient_sharpen, high_pass, laplacian, log_sharpen, unsharp_mask
from kdsharp.filters.wavelets import wavelet_sharpen

FILTERS: dict[str, Callable[..., Tensor]] = {
    "unsharp": unsharp_mask,
    "high-pass": high_pass,
    "laplacian": laplacian,
    "log": log_sharpen,
    "gradient": gradient_sharpen,
    "ideal": ideal_emphasis,
    "butterworth": butterworth_emphasis,
    "gaussian": gaussian_emphasis,
    "wavelet": wavelet_sharpen,
    "polyblur": polyblur,
}
"""Each takes (B, C, H, W) and an ``amount``, answers ``image + amount * detail``, and keeps flat areas as they are."""

ORACLES: dict[str, Callable[..., Tensor]] = {"wiener": wiener, "richardson-lucy": richardson_lucy}
"""Each takes (B, C, H, W) and the true PSF, which nobody knows of a photo: the bound that blind methods stay below."""

__all__ = [
    "FILTERS",
    "ORACLES",
    "butterworth_emphasis",
    "gaussian_emphasis",
    "gradient_sharpen",
    "high_pass",
    "ideal_emphasis",
    "laplacian",
    "log_sharpen",
    "polyblur",
    "richardson_lucy",
    "unsharp_mask",
    "wavelet_sharpen",
    "wiener",
]
