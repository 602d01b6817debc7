"""What Pillow does to a photo: a Gaussian blur, or a smaller picture enlarged again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from kdsharp import kernels
from kdsharp.checks import check_images, check_name, check_positive, check_range
from kdsharp.images import to_array, to_tensor


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
