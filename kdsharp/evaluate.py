"""Named protocols to a table: scores, cost, and the baselines that belong beside them (floor 5; lesson 13)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn
from tqdm.auto import tqdm

from kdsharp import checkpoints, degrade
from kdsharp.checks import UsageError, check_name, check_positive, check_range
from kdsharp.datasets import PairedFolder, true_psfs
from kdsharp.filters import ORACLES
from kdsharp.images import quantize, to_array, to_tensor
from kdsharp.inference import milliseconds, sharpen
from kdsharp.metrics import MEASURES, psnr, ssim, ssim_volumetric
from kdsharp.models import count_parameters
from kdsharp.tune import settings, tuned, tuned_unsharp

Pair = tuple[str, Tensor, Tensor]
PERFECT = 100.0
"""Decibels that a picture without any error counts."""


@dataclass(frozen=True)
class Row:
    """One line of a table: means over the images of one protocol. PSNR in dB, times on this machine.

    ``worst`` is the image that gained least over its input, ``worst_gain`` its gain in dB, ``below`` how many lost.
    ``measures`` has what further measures were asked for (``kdsharp.metrics.MEASURES``).
    """

    model: str
    protocol: str
    images: int
    psnr: float
    ssim: float
    ssim_volumetric: float
    parameters: int
    ms_per_megapixel: float
    worst: str = ""
    worst_gain: float = 0.0
    below: int = 0
    measures: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Oracle:
    """A deconvolution that is told the true PSF of each picture, in the order in which the pictures come.

    Nobody knows the PSF of a real photo: its row is a bound for blind methods, not a competitor.
    """

    deconvolve: Callable[..., Tensor]
    psfs: list[Tensor]

    def __call__(self, image: Tensor, index: int) -> Tensor:
        return self.deconvolve(image, self.psfs[index])


def compressed(pairs: Iterable[Pair], quality: int) -> Iterator[Pair]:
    """The pairs with their blurred image as it comes back from a JPEG file: what a user's photo went through."""
    for name, blurred, sharp in pairs:
        yield name, degrade.jpeg(blurred, quality), sharp


def real_pairs(folder: PairedFolder) -> Iterator[Pair]:
    """(name, blurred, sharp) of a folder of pairs, as (1, 3, H, W) tensors, one at a time."""
    for index in range(len(folder)):
        name, blurred, sharp = folder[index]
        yield name, to_tensor(blurred), to_tensor(sharp)


def contestants(
    models: Iterable[str], protocol: str, filters: Iterable[str] = ()
) -> dict[str, Callable[[Tensor], Tensor]]:
    """What a table compares: ``input``, ``unsharp``, then each filter, tuned for the protocol, then each model.

    All are functions of (1, 3, H, W) images.

    Raises:
        UsageError: for an unknown filter or model.
    """
    functions: dict[str, Callable[[Tensor], Tensor]] = {"input": nn.Identity(), "unsharp": tuned_unsharp(protocol)}
    for name in filters:
        if name not in functions:
            functions[name] = tuned(name, protocol)
    for name in models:
        if name not in functions:
            functions[name] = network(name)
    return functions


def network(name: str, runtime: str = "torch") -> Callable[[Tensor], Tensor]:
    """A network by name, checkpoint file or ONNX file; with the runtime ``onnx`` a checkpoint is exported on the way.

    Raises:
        UsageError: for an unknown name or runtime, or a missing or foreign file.
    """
    if check_name(runtime, ("torch", "onnx"), "runtime") == "onnx" or name.endswith(".onnx"):
        from kdsharp import export  # not needed otherwise, and not installed everywhere

        return export.load(name)
    return checkpoints.load(name).model


def oracles(names: Iterable[str], protocol: str, count: int) -> dict[str, Oracle]:
    """The oracles by name, tuned for the protocol, with the PSFs of its first ``count`` synthetic pairs.

    Raises:
        UsageError: for an unknown oracle, or a protocol whose blur is not one known PSF.
    """
    found = {}
    for name in names:
        deconvolve = ORACLES[check_name(name, ORACLES, "oracle")]
        best = settings(name, protocol)
        degradation = degrade.protocol(protocol)
        restore = partial(deconvolve, linear_light=degradation.linear_light, **best)
        found[f"{name} (true PSF)"] = Oracle(restore, true_psfs(degradation, count))
    return found


def evaluate(
    functions: Mapping[str, Callable[[Tensor], Tensor] | Oracle],
    pairs: Iterable[Pair],
    protocol: str,
    progress: bool = False,
    timing: bool = True,
    measures: Sequence[str] = (),
) -> list[Row]:
    """Score every function on every pair; one row each, in the order given.

    Each output is clamped and rounded to 8 bits, then scored at its full size in RGB with peak 1: PSNR per image and
    then the mean (a perfect picture counts as 100 dB, so that one does not make a mean infinite), SSIM per channel,
    SSIM volumetric. Pairs are taken one at a time, so memory does not grow with them.
    Oracles have no time (nan): what nobody can run needs none.

    Raises:
        UsageError: when there are no pairs, or for an unknown measure.
    """
    further = {name: MEASURES[check_name(name, MEASURES, "measure")] for name in measures}
    scores: dict[str, list[tuple[float, ...]]] = {name: [] for name in functions}
    gains: dict[str, list[tuple[float, str]]] = {name: [] for name in functions}
    bar = tqdm(pairs, desc="images", unit="image", disable=not progress, leave=False)
    for index, (image, blurred, sharp) in enumerate(bar):
        before = psnr(quantize(blurred), sharp).item()
        for name, function in functions.items():
            told = partial(function, index=index) if isinstance(function, Oracle) else function
            output = _answer(told, blurred)
            row = [score(output, sharp) for score in (psnr, ssim, ssim_volumetric, *further.values())]
            after, *alike = (value.item() for value in row)
            scores[name].append((min(after, PERFECT), *alike))
            gain = 0.0 if after == before else after - before  # two perfect pictures: infinite both
            gains[name].append((gain, image))
    if not any(scores.values()):
        raise UsageError("there is nothing to evaluate: no pairs were found")
    rows = []
    for name, function in functions.items():
        means = [float(mean) for mean in np.mean(scores[name], axis=0)]
        parameters = count_parameters(function) if isinstance(function, nn.Module) else 0
        cost = float("nan")
        if timing and not isinstance(function, Oracle):
            cost = milliseconds_per_megapixel(function)
        least, worst = min(gains[name])
        below = sum(gain < 0 for gain, _ in gains[name])
        found = (len(scores[name]), means[0], means[1], means[2], parameters, cost, worst, least, below)
        rows.append(Row(name, protocol, *found, dict(zip(further, means[3:], strict=True))))
    return rows


def image_scores(function: Callable[[Tensor], Tensor], pairs: Iterable[Pair]) -> np.ndarray:
    """PSNR in dB of each image, (N,) float64: what differences between two methods are taken of, image by image.

    As in :func:`evaluate`, the output is clamped and rounded to 8 bits first. Lesson 13.
    """
    return np.array([psnr(_answer(function, blurred), sharp).item() for _, blurred, sharp in pairs])


def _answer(function: Callable[[Tensor], Tensor], blurred: Tensor) -> Tensor:
    """What a user would get in a file, as an image again: in tiles where it is large, clamped, rounded to 8 bits."""
    return to_tensor(sharpen(function, to_array(blurred)))


@dataclass(frozen=True)
class Tile:
    """A square of one image and what a method did to it: ``gain`` over the input in dB, ``contrast`` in grey levels."""

    name: str
    corner: tuple[int, int]
    gain: float
    contrast: float
    images: tuple[Tensor, Tensor, Tensor]
    """Input, output and truth, (1, 3, side, side) each."""


def tile_gains(function: Callable[[Tensor], Tensor], pairs: Iterable[Pair], side: int = 64) -> list[Tile]:
    """Every whole tile of every image, the worst first: where a mean hides its failures.

    ``gain = 10 log10(e_input / e_output)`` with the mean squared errors e of the tile, to which 1e-8 is added so that
    a perfect tile has a finite gain. ``contrast`` is the standard deviation of the true tile times 255. Lesson 13.
    """
    check_positive(side, "side")
    tiles = []
    for name, blurred, sharp in pairs:
        output = _answer(function, blurred)
        for top in range(0, sharp.shape[-2] - side + 1, side):
            for left in range(0, sharp.shape[-1] - side + 1, side):
                place = (..., slice(top, top + side), slice(left, left + side))
                before, after, truth = blurred[place], output[place], sharp[place]
                errors = [(image - truth).square().mean().item() + 1e-8 for image in (before, after)]
                gain, contrast = 10 * np.log10(errors[0] / errors[1]), truth.std().item() * 255
                tiles.append(Tile(name, (top, left), float(gain), contrast, (before, after, truth)))
    return sorted(tiles, key=lambda tile: tile.gain)


def mean_interval(differences: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Mean of paired differences and the half-width of its confidence interval (Student's t).

    Take the differences pair by pair (same seed, or same photo) first: what both sides share then cancels. A gain
    whose interval contains 0 is no gain. With fewer than two differences the half-width is infinite.
    """
    values = np.asarray(differences, float)
    check_range(level, 0, 1, "level")
    check_positive(len(values), "number of differences")
    if len(values) < 2:
        return float(values.mean()), float("inf")
    factor = stats.t.ppf((1 + level) / 2, len(values) - 1)
    return float(values.mean()), float(factor * values.std(ddof=1) / np.sqrt(len(values)))


def verdict(gain: float, half_width: float) -> str:
    """``better`` or ``worse``, or ``no gain`` where the interval ``gain ± half_width`` contains 0 (lesson 09)."""
    return "no gain" if abs(gain) <= half_width else "better" if gain > 0 else "worse"


def milliseconds_per_megapixel(
    function: Callable[[Tensor], Tensor], repeats: int = 3, size: tuple[int, int] = (720, 1280)
) -> float:
    """Median time of ``function`` on a float32 image of ``size`` (H, W), per million pixels, after one warm-up.

    Report the default size: a small image fits into the processor's cache, and its time says little about a photo's.
    """
    if isinstance(function, nn.Identity):
        return 0.0
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    image = image.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return milliseconds(lambda: function(image), repeats) / (size[0] * size[1] / 1e6)
