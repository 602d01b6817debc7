"""What a file did to a photo after the blur: JPEG, by Pillow."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import Tensor

from kdsharp.checks import check_images, check_range
from kdsharp.degrade.base import Degradation
from kdsharp.images import to_array, to_tensor

LOWEST, HIGHEST = 1, 100
"""What Pillow takes as JPEG quality; above 95 files grow and pictures do not."""


def jpeg(image: Tensor, quality: int) -> Tensor:
    """A picture (1, 3, H, W) in [0, 1] as it comes back from a JPEG file of this quality, 1 to 100 (lesson 03)."""
    check_images(image, channels=3)
    check_range(quality, LOWEST, HIGHEST, "JPEG quality")
    packed = io.BytesIO()
    Image.fromarray(to_array(image)).save(packed, format="jpeg", quality=quality)
    return to_tensor(np.asarray(Image.open(packed)))


@dataclass(frozen=True)
class Compressed:
    """A degradation whose pictures then went through JPEG, as a user's photo has: the blur comes first.

    Args:
        inner: the degradation.
        quality: lowest and highest JPEG quality, drawn evenly.
        share: of the pictures that are compressed, in [0, 1].
    """

    inner: Degradation
    quality: tuple[int, int] = (30, 95)
    share: float = 0.5

    def __post_init__(self) -> None:
        check_range(self.share, 0, 1, "share")
        check_range(self.quality[0], LOWEST, self.quality[1], "lowest JPEG quality")
        check_range(self.quality[1], LOWEST, HIGHEST, "highest JPEG quality")

    @property
    def linear_light(self) -> bool:
        return self.inner.linear_light

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return self.inner.prepare(photo)

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        blurred = self.inner(sharp, rng)
        for index in np.flatnonzero(rng.random(len(sharp)) < self.share):
            one = slice(index, index + 1)
            blurred[one] = jpeg(blurred[one], int(rng.integers(self.quality[0], self.quality[1] + 1)))
        return blurred

    def psf_for(self, rng: np.random.Generator) -> Tensor | None:
        return self.inner.psf_for(rng)
