"""The smallest student: one kernel of 11x11 weights, trained in the reader's browser (floor 7; lessons 06 and 09).

What the page computes is computed here once more, by NumPy: :func:`train` is what a saved notebook shows, and what the
page is tested against.
"""

import base64
import html
import math
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from torch import nn
from torch.nn import functional as F

from kdsharp import kernels
from kdsharp.checks import check_range
from kdsharp.datasets import photos
from kdsharp.explore import Slider
from kdsharp.images import luma, to_array, to_tensor
from kdsharp.inference import sharpen
from kdsharp.island import Island, note
from kdsharp.plots import COLOURS, WIDTH, Picture, figure

SIDE, HELD, KERNEL, MOST = 26, 74, 11, 32
"""Pixels a side of a training crop and of a held-out one, weights a side of the kernel, training crops."""
BATCH = 4
"""Crops a step that the truth judges, and as many that the teacher judges."""
RATE = 0.03
NOISES = (0, 2, 5, 10)
"""Grey levels of the noise slider; an unsharp mask is tuned for each."""
Crops = tuple[np.ndarray, np.ndarray]


class OneKernel(Island):
    """A student that is one kernel, with a teacher: sliders for alpha, labels, noise and steps; trains in the page.

    Args:
        teacher: from (1, 3, H, W) in [0, 1] to the same; its answers are stored.
        title: what stands above.
        sigma: of the Gaussian that blurs, in pixels.
        alpha, labels, noise, steps: where the sliders start.
        taught: whether the reader mixes truth and teacher; otherwise the kernel learns from the truth alone, and
            alpha and labels cannot be moved.
    """

    module: ClassVar[str] = "kernel"

    def __init__(
        self,
        teacher: nn.Module,
        title: str,
        sigma: float = 1.5,
        alpha: float = 1.0,
        labels: int = MOST,
        noise: float = 2.0,
        steps: int = 400,
        taught: bool = True,
    ) -> None:
        check_range(alpha, 0, 1, "alpha")
        self.title, self.sigma, self.taught = title, sigma, taught
        self.data = stored(teacher, sigma)
        self.sliders = {
            "alpha": Slider("alpha, the truth's share", tuple(sorted({0, 0.25, 0.5, 0.75, 1, alpha})), alpha),
            "labels": Slider("labelled crops", (1, 2, 4, 8, MOST), labels),
            "noise": Slider("noise (grey levels)", NOISES, noise),
            "steps": Slider("steps", (100, 200, 400, 1000), steps),
        }

    def facts(self, live: bool) -> dict[str, Any]:
        packed = {
            name: base64.b64encode(each.tobytes()).decode() for name, each in self.data.items() if name != "masks"
        }
        return packed | {
            "title": self.title,
            "taught": self.taught,
            "sliders": [slider.facts() for slider in self.sliders.values()],
            "side": SIDE,
            "heldSide": HELD,
            "kernel": KERNEL,
            "rate": RATE,
            "batch": BATCH,
            "sigma": self.sigma,
            "masks": {level: each.ravel().tolist() for level, each in zip(NOISES, self.data["masks"], strict=True)},
        }

    def still(self) -> str:
        values = {name: slider.values[slider.index()] for name, slider in self.sliders.items()}
        kernel = train(self.data, values["alpha"], int(values["labels"]), values["noise"], 100)
        scores = {
            name: score(self.data, each, values["noise"]) for name, each in self._known(kernel, values["noise"]).items()
        }
        told = ", ".join(f"{name} {value:.2f} dB" for name, value in scores.items())
        made = figure(WIDTH // 2, 220)
        axes = made.add_subplot(1, 2, 1)
        most = float(np.abs(kernel).max()) ** 0.5
        axes.imshow(np.sign(kernel) * np.abs(kernel) ** 0.5, cmap="bwr", vmin=-most, vmax=most)
        axes.set_axis_off()
        curve = made.add_subplot(1, 2, 2)
        places = np.linspace(0, 0.5, 33)
        curve.plot(places, np.exp(2 * (math.pi * places * self.sigma) ** 2), color="grey", label="1/G")
        curve.plot(places, gains(kernel, 33), color=COLOURS[0], label="the kernel")
        curve.set(xlabel="cycles a pixel", ylabel="gain", ylim=(0, 6))
        curve.legend()
        made.tight_layout()
        picture = Picture(made, f"The kernel after 100 steps, and its gain beside 1/G: {told}.")
        hint = f"After 100 steps, held-out crops: {told}. The student trains in JupyterLab and on the published page."
        return f"<p><b>{html.escape(self.title)}</b></p>{picture.tag()}{note(hint)}"

    def _known(self, kernel: np.ndarray, noise: float) -> dict[str, np.ndarray]:
        mask = self.data["masks"][NOISES.index(noise)]
        return {"the kernel": kernel, "tuned unsharp mask": mask, "the blurred input": dot()}


def dot() -> np.ndarray:
    """The kernel that leaves a photo as it is."""
    kernel = np.zeros((KERNEL, KERNEL))
    kernel[KERNEL // 2, KERNEL // 2] = 1
    return kernel


def stored(teacher: nn.Module, sigma: float) -> dict[str, np.ndarray]:
    """What the page gets, uint8: blurred and sharp crops, the teacher's answers, held-out crops; and ``masks``, tuned
    for each of ``NOISES`` on every third training crop (amount 0 leaves the input as it is).

    Training crops are those with the most detail of the training photos, held-out ones of the validation photos.
    Targets are the inner part of a crop, where a kernel fits.
    """
    edge = KERNEL // 2
    blurred, sharp, answers = [], [], []
    for photo in photos("train"):
        for before, after, answer in _crops(photo.pixels, teacher, sigma, SIDE, 4):
            blurred.append(before)
            sharp.append(after[edge:-edge, edge:-edge])
            answers.append(answer[edge:-edge, edge:-edge])
    held = [crop for photo in photos("validation") for crop in _crops(photo.pixels, teacher, sigma, HELD, 2)][:4]
    data = {
        "blurred": np.stack(blurred[:MOST]),
        "sharp": np.stack(sharp[:MOST]),
        "teacher": np.stack(answers[:MOST]),
        "heldBlurred": np.stack([before for before, _, _ in held]),
        "heldSharp": np.stack([after[edge:-edge, edge:-edge] for _, after, _ in held]),
    }
    grid = [(radius, amount) for radius in (0.7, 1.0, 1.4, 2.0) for amount in (0, 0.5, 1, 1.5, 2, 3, 4)]
    known = {"heldBlurred": data["blurred"][::3], "heldSharp": data["sharp"][::3]}
    best = [max(grid, key=lambda each: score(known, unsharp(*each), level)) for level in NOISES]  # noqa: B023
    return data | {"masks": np.stack([unsharp(*each) for each in best])}


def _crops(pixels: np.ndarray, teacher: nn.Module, sigma: float, side: int, count: int) -> Iterator[tuple]:
    """The luma of ``count`` places of a photo with the most detail: blurred, sharp, and the teacher's answer, uint8."""
    soft = to_array(kernels.convolve(to_tensor(pixels), kernels.gaussian(sigma)).clamp(0, 1))
    answer = sharpen(teacher, soft)
    grey = [to_array(luma(to_tensor(each)).expand(-1, 3, -1, -1))[..., 0] for each in (soft, pixels, answer)]
    detail = F.avg_pool2d(to_tensor(np.abs(pixels.astype(int) - soft).astype(np.uint8)).mean(1, keepdim=True), side)
    places = detail.flatten().argsort(descending=True)[:count]
    for place in places.tolist():
        top, left = (side * each for each in divmod(place, detail.shape[-1]))
        yield tuple(each[top : top + side, left : left + side] for each in grey)


def unsharp(radius: float, amount: float) -> np.ndarray:
    """The unsharp mask as one kernel: ``(1 + amount) dot - amount gaussian``, cut to 11x11 and summing to 1."""
    soft = kernels.gaussian(radius, truncate=KERNEL // 2 / radius).double().numpy()
    missing = (KERNEL - soft.shape[0]) // 2
    return (1 + amount) * dot() - amount * np.pad(soft, missing)


def generator(seed: int) -> Iterator[float]:
    """The page's random numbers: mulberry32, 32 bits of state, public domain (T. Ettinger)."""
    state, mask = seed & 0xFFFFFFFF, 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & mask
        t = (state ^ state >> 15) * (1 | state) & mask
        t = (t + ((t ^ t >> 7) * (61 | t) & mask) & mask) ^ t
        yield (t ^ t >> 14) / 4294967296


def noise(random: Iterator[float], count: int) -> np.ndarray:
    """The page's noise of variance 1: sums of four uniform numbers, scaled."""
    return np.array([next(random) + next(random) + next(random) + next(random) - 2 for _ in range(count)]) * math.sqrt(
        3
    )


def stripes(kernel: np.ndarray) -> np.ndarray:
    """A kernel as its share of each pattern of stripes, and back: Hartley's transform, which is its own inverse.

    ``H(u, v) = 1/11 sum k(x, y) cas(2 pi (u x + v y) / 11)`` with cas = cos + sin. Steps are taken there, because a
    blur weakens each pattern by itself, so that no weight pulls against another (lesson 02).
    """
    spectrum = np.fft.fft2(kernel)
    return (spectrum.real - spectrum.imag) / KERNEL


def _windows(image: np.ndarray) -> np.ndarray:
    """What each weight of the kernel sees: (out, out, 11, 11)."""
    return np.lib.stride_tricks.sliding_window_view(image, (KERNEL, KERNEL))


def train(
    data: dict[str, np.ndarray], alpha: float, labels: int, level: float, steps: int, seed: int = 1
) -> np.ndarray:
    """The kernel (11, 11) after ``steps`` of Adam, as the page trains it.

    ``loss = alpha mean (k * x - sharp)^2 + (1 - alpha) mean (k * x - teacher)^2``, each over four crops a step, x with
    noise of ``level`` grey levels; the rate falls to 0 in a line.
    """
    random, kernel = generator(seed), dot()
    mean, square = np.zeros_like(kernel), np.zeros_like(kernel)
    for step in range(steps):
        gradient = np.zeros_like(kernel)
        for name, share, count in (("sharp", alpha, labels), ("teacher", 1 - alpha, len(data["blurred"]))):
            for _ in range(BATCH):
                crop = int(next(random) * count)
                grain = noise(random, SIDE * SIDE).reshape(SIDE, SIDE) * (level / 255)
                seen = _windows(data["blurred"][crop] / 255 + grain)
                error = np.einsum("yxij,ij->yx", seen, kernel) - data[name][crop] / 255
                gradient += 2 * share / BATCH * np.einsum("yxij,yx->ij", seen, error) / error.size
        kernel, mean, square = moved(kernel, gradient, mean, square, step, steps)
    return kernel


def moved(
    kernel: np.ndarray, gradient: np.ndarray, mean: np.ndarray, square: np.ndarray, step: int, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The kernel (11, 11) after one step of Adam among the stripes, and Adam's two memories.

    Args:
        kernel, gradient: among the pixels.
        mean, square: the memories of the steps before, among the stripes; 0 before the first.
        step, steps: from 0, and how many in all: the rate falls to 0 in a line.
    """
    pull = stripes(gradient)
    mean = 0.9 * mean + 0.1 * pull
    square = 0.999 * square + 0.001 * pull**2
    rate = RATE * (1 - step / steps)
    move = rate * (mean / (1 - 0.9 ** (step + 1))) / (np.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-8)
    return kernel - stripes(move), mean, square


def score(data: dict[str, np.ndarray], kernel: np.ndarray, level: float) -> float:
    """Mean PSNR in dB of a kernel on the held-out crops, with noise that is the same for every kernel."""
    random, found = generator(7), []
    for blurred, sharp in zip(data["heldBlurred"], data["heldSharp"], strict=True):
        grain = noise(random, blurred.size).reshape(blurred.shape) * (level / 255)
        answer = np.einsum("yxij,ij->yx", _windows(blurred / 255 + grain), kernel).clip(0, 1)
        found.append(-10 * math.log10(np.mean((answer - sharp / 255) ** 2)))
    return float(np.mean(found))


def gains(kernel: np.ndarray, count: int) -> np.ndarray:
    """What a kernel does to stripes along x, at ``count`` frequencies from 0 to half a cycle a pixel."""
    places = np.arange(KERNEL) - KERNEL // 2
    return np.array([(kernel * np.cos(math.pi * n * places / (count - 1))).sum() for n in range(count)])
