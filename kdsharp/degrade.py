"""From a sharp photo to a blurred one: frozen dataclasses and the named protocols (floor 2; lesson 03).

A degradation has two steps. ``prepare`` turns a photo into the sharp target (a resize, or nothing); ``__call__``
blurs that target. Keeping them apart keeps one pitfall out: the target is never the degraded image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from kdsharp import kernels
from kdsharp.checks import UsageError, check_images, check_name, check_positive, check_range
from kdsharp.images import quantize, to_array, to_linear, to_srgb, to_tensor


class Degradation(Protocol):
    """What every protocol does: make the sharp target, then blur it, and own up to the PSF where it has one."""

    linear_light: ClassVar[bool]
    """Whether it blurs in linear light; otherwise on the stored values."""

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) photo to the uint8 sharp target."""

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        """Sharp (B, C, H, W) in [0, 1] to blurred, same shape, rounded to 8 bits."""

    def psf_for(self, rng: np.random.Generator) -> Tensor | None:
        """The PSF (K, K) that one image gets from a generator in the same state; None where no single PSF says it all.

        For the oracles of lesson 05 alone: everything else has to do without.
        """


@dataclass(frozen=True)
class Shake:
    """Camera shake: ``blurred = round8(srgb(psf * linear(sharp)) + noise)``.

    Each image gets its own trajectory. The noise has variance ``shot^2 * value + read^2``. One photo in
    ``still`` has no blur at all, so that a network learns to leave sharp photos alone.

    Args:
        length: shortest and longest effective length of the path in pixels (see :func:`kdsharp.kernels.shake`).
        shot: largest shot noise at full white, in grey levels of 255.
        read: largest read noise, in grey levels of 255.
        still: share of images without motion, in [0, 1].
    """

    length: tuple[float, float] = (4.0, 5.5)
    shot: float = 0.4
    read: float = 0.2
    still: float = 0.0
    linear_light: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self.length[0], "shortest shake")
        check_range(self.length[0], 0, self.length[1], "shortest shake")
        check_range(self.still, 0, 1, "still")
        check_range(self.shot, 0, 255, "shot")
        check_range(self.read, 0, 255, "read")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo

    def psf(self, rng: np.random.Generator) -> Tensor:
        """One random PSF of this protocol."""
        if rng.random() < self.still:
            return torch.ones(1, 1)
        return kernels.shake(rng.uniform(*self.length), rng)

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        check_images(sharp)
        psfs = kernels.stack([self.psf(rng) for _ in range(len(sharp))])  # before the noise: psf_for replays this
        blurred = to_srgb(kernels.convolve(to_linear(sharp), psfs))
        levels = rng.random((2, len(sharp), 1, 1, 1)) * np.array([self.shot, self.read]).reshape(2, 1, 1, 1, 1) / 255
        shot, read = torch.from_numpy(levels).to(sharp)
        noise = torch.from_numpy(rng.standard_normal(tuple(sharp.shape), dtype=np.float32)).to(sharp.device)
        return quantize(blurred + noise * (shot**2 * blurred + read**2).sqrt())

    def psf_for(self, rng: np.random.Generator) -> Tensor:
        return self.psf(rng)


@dataclass(frozen=True)
class GaussianBlur:
    """Resize to ``size``, then blur by Pillow's Gaussian of ``radius`` pixels, then optionally halve and double.

    Pillow's filter is three box blurs in a row; report B used it, so its very code runs here.
    """

    radius: float = 1.5
    size: tuple[int, int] = (256, 256)
    factor: int = 1
    linear_light: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self.radius, "radius")
        check_positive(self.factor, "factor")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return _resize(photo, self.size, Image.Resampling.BICUBIC)

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        return _each(sharp, self._blur)

    def psf_for(self, rng: np.random.Generator) -> Tensor | None:
        return kernels.three_boxes(self.radius) if self.factor == 1 else None

    def _blur(self, image: Image.Image) -> Image.Image:
        blurred = image.filter(ImageFilter.GaussianBlur(self.radius))
        if self.factor == 1:
            return blurred
        small = blurred.resize((image.width // self.factor, image.height // self.factor), Image.Resampling.BICUBIC)
        return small.resize(image.size, Image.Resampling.BICUBIC)


@dataclass(frozen=True)
class Rescale:
    """Shrink to ``scale`` of each side and enlarge back, by ``filter`` (bilinear or bicubic, as Pillow does them).

    ``size`` (width, height) is the resize that makes the target, or None to keep the photo as it is.
    """

    scale: float = 0.6
    size: tuple[int, int] | None = (464, 256)
    filter: str = "bilinear"
    linear_light: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_range(self.scale, 0.01, 1, "scale")
        check_name(self.filter, ("bilinear", "bicubic"), "filter")

    @property
    def _resampling(self) -> Image.Resampling:
        return Image.Resampling[self.filter.upper()]

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo if self.size is None else _resize(photo, self.size, Image.Resampling.BICUBIC)

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        return _each(sharp, self._rescale)

    def psf_for(self, rng: np.random.Generator) -> None:
        return None  # each pixel of the enlarged grid is blurred by its own weights

    def _rescale(self, image: Image.Image) -> Image.Image:
        small = (max(1, round(image.width * self.scale)), max(1, round(image.height * self.scale)))
        return image.resize(small, self._resampling).resize(image.size, self._resampling)


def _resize(photo: np.ndarray, size: tuple[int, int], resampling: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(photo).resize(size, resampling))


def _each(sharp: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    """Apply a Pillow operation to each image of a batch: an 8-bit file goes in, an 8-bit file comes out."""
    check_images(sharp, channels=3)
    images = [to_tensor(np.asarray(change(Image.fromarray(to_array(one[None]))))) for one in sharp]
    return torch.cat(images).to(sharp.device)


PROTOCOLS: dict[str, Degradation | None] = {
    "shake": Shake(),
    "gaussian-256": GaussianBlur(),
    "gaussian-256-down": GaussianBlur(factor=2),
    "bilinear-60": Rescale(),
    "bicubic-4x": Rescale(scale=0.25, size=None, filter="bicubic"),
    "gopro": None,  # real pairs: nothing is synthesised, so a folder of pairs is needed
}
"""The protocols by name. A table never mixes two (lesson 13)."""


def protocol(name: str) -> Degradation:
    """The degradation of a named protocol.

    Raises:
        UsageError: for an unknown name, and for ``gopro``, which needs real pairs.
    """
    found = PROTOCOLS[check_name(name, PROTOCOLS, "protocol")]
    if found is None:
        raise UsageError(f"protocol {name!r} measures real pairs; give a folder of pairs with --pairs")
    return found
