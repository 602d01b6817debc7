"""A photo is a sum of stripes, and where they lie says more than how strong they are (floor 7; lesson 02).

What the page computes is computed here once more, by NumPy: for the still, and as what the page is tested against.
"""

import html
from typing import Any, ClassVar

import numpy as np

from kdsharp.datasets import photos
from kdsharp.explore import Slider
from kdsharp.images import luma, to_array, to_tensor
from kdsharp.island import Island, note
from kdsharp.island.files import webp
from kdsharp.metrics import psnr
from kdsharp.plots import Picture, panels

SIDE = 256
"""Pixels a side of both photos: a power of two, as the page's Fourier transform asks."""
COUNTS = (1, 3, 10, 30, 100, 1000)
ALL = (SIDE**2 + 4) // 2 - 1
"""How many stripes a photo has: two frequencies each, but three that are their own mirror; the mean is none."""
CORNERS = {"cat": ("chelsea", 30, 100), "cup": ("coffee", 40, 240)}


class Stripes(Island):
    """A slider over the number of stripes that are added up, and two photos whose stripes change places.

    Args:
        title: what stands above.
        count: of stripes where the slider starts.
    """

    module: ClassVar[str] = "stripes"

    def __init__(self, title: str = "A photo, out of stripes", count: int = 10) -> None:
        self.title = title
        self.slider = Slider("strongest stripes", (*COUNTS, ALL), count)

    def facts(self, live: bool) -> dict[str, Any]:
        slider = self.slider.facts()
        slider["values"] = [*slider["values"][:-1], "all"]
        return {
            "title": self.title,
            "side": SIDE,
            "photos": {name: webp(np.stack([plane] * 3, -1)) for name, plane in bundled().items()},
            "slider": slider,
        }

    def still(self) -> str:
        planes = {name: plane / 255 for name, plane in bundled().items()}
        cat, cup = planes.values()
        sums = {f"{count:,} stripes": strongest(cat, count) for count in (3, 30, 1000)}
        swaps = {
            "cat's contrasts,\ncup's places": swapped(cat, cup),
            "cup's contrasts,\ncat's places": swapped(cup, cat),
        }
        truth = to_tensor(bundled()["cat"])
        scores = ", ".join(
            f"{name} {psnr(_image(each), truth.expand(-1, 3, -1, -1)).item():.1f} dB" for name, each in sums.items()
        )
        shown = {name: _image(each) for name, each in (sums | swaps).items()}
        picture = Picture(
            panels(shown, at=(60, 30), zoom=1),
            f"A cat out of its strongest stripes: {scores}; and two swaps of places.",
        )
        hint = f"A cat out of its strongest stripes ({scores}), and what is seen where one photo gives the "
        hint += "contrasts and another the places: the one of the places. "
        hint += "The slider moves in JupyterLab and on the published page."
        return f"<p><b>{html.escape(self.title)}</b></p>{picture.tag()}{note(hint)}"


def _image(plane: np.ndarray) -> Any:
    return to_tensor((plane.clip(0, 1) * 255 + 0.5).astype(np.uint8)).expand(-1, 3, -1, -1)


def bundled() -> dict[str, np.ndarray]:
    """Two photos, uint8 (256, 256): a cat and a cup."""
    found = {each.name: each.pixels for each in photos("test")}
    planes = {}
    for name, (photo, top, left) in CORNERS.items():
        square = found[photo][top : top + SIDE, left : left + SIDE]
        planes[name] = to_array(luma(to_tensor(square)).expand(-1, 3, -1, -1))[..., 0]
    return planes


def strongest(plane: np.ndarray, count: int) -> np.ndarray:
    """The mean and the ``count`` strongest stripes of a plane (N, N): a frequency and its mirror are one stripe."""
    waves, side = np.fft.fft2(plane).ravel(), plane.shape[0]
    places = np.arange(side**2)
    mirrors = (-(places // side) % side) * side + (-places % side)
    single = places[(places <= mirrors) & (places > 0)]
    weight = np.abs(waves[single]) * np.where(single == mirrors[single], 1, 2)
    chosen = single[np.argsort(-weight, kind="stable")[:count]]
    kept = np.zeros_like(waves)
    for each in (np.zeros(1, int), chosen, mirrors[chosen]):
        kept[each] = waves[each]
    return np.fft.ifft2(kept.reshape(plane.shape)).real


def swapped(contrast: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Stripes with the contrasts of one plane (N, N), each where the other plane has its own."""
    lengths, angles = np.abs(np.fft.fft2(contrast)), np.angle(np.fft.fft2(place))
    return np.fft.ifft2(lengths * np.exp(1j * angles)).real
