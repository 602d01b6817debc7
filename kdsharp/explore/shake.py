"""Shake it yourself: the reader's own path is the blur of a photo, which she then undoes (floor 7; lessons 03 and 05).

The page computes with borders that wrap around, as :mod:`kdsharp.explore.known_blur` does, whose functions draw the
still and are what the page is tested against. Values of the file are blurred, not light: what rounding does to an
inverse is the same in both.
"""

import html
import math
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from kdsharp import kernels
from kdsharp.datasets import photos
from kdsharp.explore import Slider, known_blur
from kdsharp.images import quantize, to_tensor
from kdsharp.island import Island, note
from kdsharp.island.files import webp
from kdsharp.metrics import psnr
from kdsharp.plots import Picture, panels

SIDE = 256
"""Pixels a side of the photo: a power of two, as the page's Fourier transform asks."""
FIELD = 32
"""Pixels of the photo that the field is wide in which a path is drawn."""
STEPS = 256
"""Places along a path, at equal times."""
GUESSES = ("nothing to be seen", "a bit of grain", "worse than not undone")
"""What can be expected of a rounded file, undone: above 50 dB, above the photo as taken, or below it."""
LENSES = (0.0, 0.4, 0.8, 1.2)
RATIOS = tuple(float(f"{digit}e{power}") for power in range(-7, 0) for digit in (1, 3)) + (1.0,)


class Shake(Island):
    """A field to draw a path in; stars and a photo blurred by it; three ways to undo it, each with its PSNR.

    The lens matters: a thin trace alone keeps a little of each frequency, and rounding does it little harm.

    Args:
        title: what stands above.
        undo: whether the three ways to undo it are there, or the shaken photo alone.
        lens: where the slider of the lens's spot starts, the standard deviation of a Gaussian in pixels.
        ratio: where the slider of Wiener's noise-to-signal ratio starts.
    """

    module: ClassVar[str] = "shake"

    def __init__(
        self, title: str = "Shake it yourself", undo: bool = True, lens: float = 0.8, ratio: float = 1.0
    ) -> None:
        self.title, self.undo = title, undo
        self.lens = Slider("softness of the lens (pixels)", LENSES, lens)
        self.ratio = Slider("noise-to-signal ratio", RATIOS, ratio)

    def facts(self, live: bool) -> dict[str, Any]:
        return {
            "title": self.title,
            "side": SIDE,
            "field": FIELD,
            "photos": {name: webp(pixels) for name, pixels in bundled().items()},
            "presets": {name: path.T.round(3).tolist() for name, path in presets().items()},
            "guesses": GUESSES,
            "undo": self.undo,
            "lens": self.lens.facts(),
            "ratio": self.ratio.facts(),
        }

    def still(self) -> str:
        sharp, path = to_tensor(bundled()["a page of text"]), presets()["trembling hand"]
        shown = {"the page": sharp} | undo(sharp, spot(path, self.lens.start), 1e-4)
        if not self.undo:
            shown = {name: shown[name] for name in ("the page", "as taken")}
        scores = {name: psnr(quantize(each).float(), sharp).item() for name, each in shown.items()}
        told = ", ".join(
            f"{name} {value:.2f} dB" if value < math.inf else f"{name} identical"
            for name, value in scores.items()
            if name != "the page"
        )
        picture = Picture(
            panels(shown, at=(10, 8), zoom=1 if self.undo else 2),
            f"A page of text, shaken by a trembling hand: {told}.",
        )
        undone = "; undone with the path known, from 8 bits, and from 8 bits with care" if self.undo else ""
        hint = (
            f"A page, and as a trembling hand takes it{undone}. You draw a path of your own in JupyterLab and on the "
        )
        hint += f"published page. {told[:1].upper()}{told[1:]}."
        return f"<p><b>{html.escape(self.title)}</b></p>{picture.tag()}{note(hint)}"


def spot(path: np.ndarray, lens: float) -> Tensor:
    """What becomes of a point of light under a path (2, N) in pixels and a lens of this softness: (255, 255), sum 1."""
    trace = known_blur.transfer(kernels.splat(*path), SIDE, SIDE)
    square = torch.fft.fftfreq(SIDE, dtype=torch.float64).square()
    soft = torch.exp(-2 * (math.pi * lens) ** 2 * (square[:, None] + square[None, :]))
    return torch.fft.fftshift(torch.fft.ifft2(trace * soft).real)[1:, 1:]


def undo(sharp: Tensor, psf: Tensor, ratio: float) -> dict[str, Tensor]:
    """A sharp photo (1, C, H, W) in [0, 1] as taken with ``psf`` (K, K), and undone in three ways; not clipped."""
    height, width = sharp.shape[-2:]
    taken = known_blur.filter_spectrum(sharp.double(), known_blur.transfer(psf, height, width))
    inverse = known_blur.inverse_gain(psf, height, width)
    wiener = known_blur.wiener_gain(psf, height, width, ratio)
    return {
        "as taken": taken,
        "undone": known_blur.filter_spectrum(taken, inverse),
        "8 bits, undone": known_blur.filter_spectrum(quantize(taken), inverse),
        "8 bits, with care": known_blur.filter_spectrum(quantize(taken), wiener),
    }


def presets() -> dict[str, np.ndarray]:
    """Paths for a reader who cannot or will not draw: offsets x and y in pixels, (2, ``STEPS``), by name."""
    time = np.linspace(0, 1, STEPS)
    turn = 2 * np.pi * time
    return {
        "trembling hand": kernels.shake_path(11, np.random.default_rng(4), samples=STEPS),
        "straight slide": np.stack([9 * time, -4 * time]),
        "loop": np.stack([5 * np.cos(turn), 4 * np.sin(turn)]),
        "jerk": np.stack(
            [np.interp(time, (0, 0.6, 0.7, 1), (0, 0.5, 8, 8.5)), np.interp(time, (0, 0.6, 0.7, 1), (0, 1, 4, 4))]
        ),
    }


def bundled() -> dict[str, np.ndarray]:
    """The photos of the page, uint8 (256, 256, 3): a page of text, enlarged by a third, and a face at its own size."""
    found = {each.name: each.pixels for each in photos("train")}
    text = Image.fromarray(found["page"][:, :191]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return {"a page of text": np.asarray(text), "a face": found["astronaut"][:SIDE, 96 : 96 + SIDE]}
