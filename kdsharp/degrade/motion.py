"""What a moving camera and moving things do to a photo."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp import kernels
from kdsharp.checks import check_images, check_positive, check_range
from kdsharp.images import quantize, to_linear, to_srgb

WHITE = 0.97
"""Light from here on counts as clipped: it may have been brighter than a picture can say."""


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
        check_motion(self, "shortest shake")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo

    def psf_for(self, rng: np.random.Generator) -> Tensor:
        if rng.random() < self.still:
            return torch.ones(1, 1)
        return kernels.shake(rng.uniform(*self.length), rng)

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        check_images(sharp)
        psfs = kernels.stack([self.psf_for(rng) for _ in range(len(sharp))])  # before the noise
        blurred = to_srgb(kernels.convolve(to_linear(sharp), psfs))
        return noisy(blurred, rng, self.shot, self.read)


@dataclass(frozen=True)
class Motion:
    """Blur as in videos of moving people and cameras: long paths, two motions in one picture, clipped lights.

    A layer in front moves by one path, the rest by another: ``light = psf1 * (m L) + (1 - psf1 * m) (psf2 * L)`` with
    the layer's mask m; then the camera clips, answers by ``value = light^(1/g)`` and adds noise as :class:`Shake`.
    Three images in five have a single motion, one in four a camera that rolls (m is a ramp from side to side and
    the second path a turned and scaled copy of the first), the rest a moving thing (m is a random blob). A video's
    exposure is short, so the paths are nearly straight; a frame that gathers several moments has little noise. GoPro's
    ``blur`` averages stored values (g = 1), its ``blur_gamma`` and real sensors average light (g about 2.2): g is drawn
    for each image. GoPro's blur is the sum of 7 to 13 frames, each of a far shorter exposure, so that an edge leaves
    separate copies; REDS has frames put in between until the trace closes: ``gathered`` images are of the first kind.
    What matters in synthetic blur: Rim et al., RSBlur, ECCV 2022. Lesson 14.

    Args:
        length: shortest and longest effective path in pixels, drawn evenly on a log scale.
        wobble: how curly the paths are, from 0 (straight) to 1 (see :func:`kdsharp.kernels.shake_path`).
        response: smallest and largest g.
        lights: largest factor by which a clipped highlight was brighter than white, at least 1.
        shot, read: largest noise in grey levels of 255, as in :class:`Shake`.
        still: share of images without motion, in [0, 1].
        gathered: share of images that are the sum of 7, 9, 11 or 13 frames, each exposed for a twentieth to the whole
            of its time, in [0, 1].
    """

    length: tuple[float, float] = (2.0, 25.0)
    wobble: float = 0.2
    response: tuple[float, float] = (1.0, 2.2)
    lights: float = 4.0
    shot: float = 0.8
    read: float = 1.0
    still: float = 0.05
    gathered: float = 0.0
    linear_light: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_motion(self, "shortest motion")
        check_range(self.gathered, 0, 1, "gathered")
        check_range(self.response[0], 1, self.response[1], "smallest response")
        check_range(self.lights, 1, 100, "lights")
        check_range(self.wobble, 0, 1, "wobble")

    def prepare(self, photo: np.ndarray) -> np.ndarray:
        return photo

    def __call__(self, sharp: Tensor, rng: np.random.Generator) -> Tensor:
        check_images(sharp)
        motions = [self._motions(rng) for _ in range(len(sharp))]
        masks = torch.stack([_mask(kind, sharp.shape[-2:], rng) for kind, _, _ in motions]).to(sharp)
        first, second = (kernels.stack([kernels.splat(*motion[i]) for motion in motions]) for i in (1, 2))
        exponents = torch.from_numpy(rng.uniform(*self.response, (len(sharp), 1, 1, 1))).to(sharp)
        light = brighter(sharp**exponents, self.lights, rng)
        layer = kernels.convolve(torch.cat([light * masks, masks], 1), first)
        mixed = layer[:, :-1]
        two = [kind != "single" for kind, _, _ in motions]
        if any(two):  # the rest of the picture: nothing is left of it where there is a single motion
            mixed[two] += (1 - layer[two, -1:]) * kernels.convolve(light[two], second[two])
        return noisy(mixed.clamp(0, 1) ** (1 / exponents), rng, self.shot, self.read)

    def _motions(self, rng: np.random.Generator) -> tuple[str, np.ndarray, np.ndarray]:
        """The kind of one image's mask and its two paths (2, samples) in pixels."""
        kind = str(rng.choice(("single", "roll", "thing"), p=(0.6, 0.25, 0.15)))
        first, second = self._path(rng), self._path(rng)
        if kind == "single":
            second = first
        elif kind == "roll":
            angle, scale = rng.uniform(-0.5, 0.5), rng.uniform(0.6, 1.6)
            turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            second = scale * turn @ first
        if self.gathered and rng.random() < self.gathered:
            frames, share = 2 * int(rng.integers(3, 7)) + 1, rng.uniform(0.05, 1)
            first, second = (exposed(path, frames, share) for path in (first, second))
        return kind, first, second

    def _path(self, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < self.still:
            return np.zeros((2, 1))
        path = kernels.shake_path(math.exp(rng.uniform(*np.log(self.length))), rng, self.wobble)
        return path - path[:, [path.shape[1] // 2]]  # a video's sharp frame shows where things are half-way

    def psf_for(self, rng: np.random.Generator) -> None:
        return None  # two motions in one picture are not one PSF


def exposed(path: np.ndarray, frames: int, share: float) -> np.ndarray:
    """The points of a path, (2, samples), at which the shutter is open: the middle ``share`` of each frame's time.

    An odd number of frames keeps the middle of the path, which the sharp frame shows.
    """
    phase = (np.arange(path.shape[1]) + 0.5) * frames / path.shape[1] % 1
    return path[:, np.abs(phase - 0.5) <= share / 2]


def average_frames(sharp: Tensor, path: np.ndarray, frames: int, response: float = 1.0) -> Tensor:
    """The mean of video frames that see ``sharp`` from ``frames`` points of a path, as the GoPro pairs are made.

    Few frames leave gaps between the copies of an edge; many become the blur by the path's PSF.

    Args:
        sharp: (B, C, H, W) in [0, 1].
        path: offsets x and y in pixels, (2, samples), as :func:`kdsharp.kernels.shake_path` answers.
        frames: how many points of it, spread evenly; at least 1.
        response: g of ``value = light^(1/g)``; 1 averages stored values (GoPro's ``blur``), 2.2 light (``blur_gamma``).

    Source: Nah, Kim and Lee, CVPR 2017. Lesson 03.
    """
    check_images(sharp)
    check_range(frames, 1, path.shape[1], "frames")
    check_range(response, 1, 5, "response")
    chosen = path[:, np.linspace(0, path.shape[1] - 1, frames).round().astype(int)]
    light = kernels.convolve(sharp**response, kernels.splat(*chosen))
    return light.clamp(0, 1) ** (1 / response)


def check_motion(degradation: Any, shortest: str) -> None:
    """What every motion has: lengths in order, a share of still images, levels of noise."""
    check_positive(degradation.length[0], shortest)
    check_range(degradation.length[0], 0, degradation.length[1], shortest)
    check_range(degradation.still, 0, 1, "still")
    check_range(degradation.shot, 0, 255, "shot")
    check_range(degradation.read, 0, 255, "read")


def _mask(kind: str, size: torch.Size, rng: np.random.Generator) -> Tensor:
    """(1, H, W) in [0, 1]: everything, a ramp in a random direction, or a blob with a hard edge."""
    if kind == "single":
        return torch.ones(1, *size)
    if kind == "roll":
        angle = rng.uniform(0, 2 * math.pi)
        rows, columns = torch.linspace(-0.5, 0.5, size[0])[:, None], torch.linspace(-0.5, 0.5, size[1])[None]
        return (0.5 + math.cos(angle) * columns + math.sin(angle) * rows).clamp(0, 1)[None]
    coarse = torch.from_numpy(rng.standard_normal((1, 1, 4, 4))).float()
    return (F.interpolate(coarse, tuple(size), mode="bicubic", align_corners=False)[0] > 0).float()


def brighter(light: Tensor, most: float, rng: np.random.Generator) -> Tensor:
    """Make what is clipped in ``light``, (B, C, H, W), up to ``most`` times as bright, each image by its own factor."""
    factors = torch.from_numpy(rng.uniform(1, most, (len(light), 1, 1, 1))).to(light)
    return torch.where(light > WHITE, light * factors, light)


def noisy(blurred: Tensor, rng: np.random.Generator, shot: float, read: float) -> Tensor:
    """Add noise of variance ``s^2 * value + r^2`` and round to 8 bits; s and r are drawn for each image.

    Args:
        blurred: (B, C, H, W) in [0, 1].
        rng: the caller's random generator.
        shot, read: the largest s and r, in grey levels of 255.
    """
    levels = rng.random((2, len(blurred), 1, 1, 1)) * np.array([shot, read]).reshape(2, 1, 1, 1, 1) / 255
    s, r = torch.from_numpy(levels).to(blurred)
    noise = torch.from_numpy(rng.standard_normal(tuple(blurred.shape), dtype=np.float32)).to(blurred.device)
    return quantize(blurred + noise * (s**2 * blurred + r**2).sqrt())
