"""Named protocols to a table: scores, cost, and the baselines that belong beside them (floor 5; lesson 13)."""

import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn
from tqdm.auto import tqdm

from kdsharp import checkpoints
from kdsharp.checks import UsageError, check_name, check_positive, check_range
from kdsharp.datasets import PairedFolder, photos, synthetic_pairs
from kdsharp.degrade import PROTOCOLS, Degradation
from kdsharp.filters import unsharp_mask
from kdsharp.images import quantize, to_array, to_tensor
from kdsharp.inference import sharpen
from kdsharp.metrics import psnr, ssim, ssim_volumetric
from kdsharp.models import count_parameters

Pair = tuple[str, Tensor, Tensor]

RADII = (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
AMOUNTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Row:
    """One line of a table: means over the images of one protocol. PSNR in dB, times on this machine."""

    model: str
    protocol: str
    images: int
    psnr: float
    ssim: float
    ssim_volumetric: float
    parameters: int
    ms_per_megapixel: float

    def as_dict(self) -> dict[str, str | int | float]:
        """The row as JSON holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Unsharp:
    """An unsharp mask with fixed settings: the baseline that needs no training. Shape (B, C, H, W) to the same."""

    radius: float
    amount: float

    def __call__(self, image: Tensor) -> Tensor:
        return unsharp_mask(image, self.radius, self.amount)


def tuned_unsharp(protocol: str) -> Unsharp:
    """The unsharp mask whose radius and amount scored best on the *training* photos of a protocol.

    The values stand in ``data/unsharp.toml`` and come from :func:`tune_unsharp` (``kdsharp tune``). Real pairs have
    no training photos here, so they take the values of ``shake``.
    """
    table = tomllib.loads((checkpoints.data_folder() / "unsharp.toml").read_text(encoding="utf-8"))
    row = table["shake" if PROTOCOLS[check_name(protocol, PROTOCOLS, "protocol")] is None else protocol]
    return Unsharp(row["radius"], row["amount"])


def tune_unsharp(degradation: Degradation, progress: bool = False) -> tuple[Unsharp, float]:
    """Try every radius and amount of the grid on the training photos; the best one and its mean PSNR in dB."""
    pairs = list(synthetic_pairs(degradation, photos("train")))
    scores: dict[Unsharp, float] = {}
    for radius in tqdm(RADII, desc="radius", disable=not progress):
        for amount in AMOUNTS:
            mask = Unsharp(radius, amount)
            found = [psnr(quantize(mask(blurred)), sharp).item() for _, blurred, sharp in pairs]
            scores[mask] = float(np.mean(found))
    best = max(scores, key=scores.__getitem__)
    return best, scores[best]


def real_pairs(folder: PairedFolder) -> Iterator[Pair]:
    """(name, blurred, sharp) of a folder of pairs, as (1, 3, H, W) tensors, one at a time."""
    for index in range(len(folder)):
        name, blurred, sharp = folder[index]
        yield name, to_tensor(blurred), to_tensor(sharp)


def contestants(models: Iterable[str], protocol: str) -> dict[str, Callable[[Tensor], Tensor]]:
    """What a table compares: ``input``, ``unsharp``, then each model, as functions of (1, 3, H, W) images.

    Raises:
        UsageError: for an unknown model.
    """
    functions: dict[str, Callable[[Tensor], Tensor]] = {"input": nn.Identity(), "unsharp": tuned_unsharp(protocol)}
    for name in models:
        if name not in functions:
            functions[name] = checkpoints.load(name).model
    return functions


def evaluate(
    functions: dict[str, Callable[[Tensor], Tensor]],
    pairs: Iterable[Pair],
    protocol: str,
    progress: bool = False,
    timing: bool = True,
) -> list[Row]:
    """Score every function on every pair; one row each, in the order given.

    Each output is clamped and rounded to 8 bits, then scored at its full size in RGB with peak 1: PSNR per image and
    then the mean, SSIM per channel, SSIM volumetric. Pairs are taken one at a time, so memory does not grow with them.

    Raises:
        UsageError: when there are no pairs.
    """
    scores: dict[str, list[tuple[float, float, float]]] = {name: [] for name in functions}
    for _, blurred, sharp in tqdm(pairs, desc="images", unit="image", disable=not progress, leave=False):
        for name, function in functions.items():
            output = to_tensor(sharpen(function, to_array(blurred)))
            row = (psnr(output, sharp), ssim(output, sharp), ssim_volumetric(output, sharp))
            scores[name].append(tuple(value.item() for value in row))  # type: ignore[arg-type]
    if not any(scores.values()):
        raise UsageError("there is nothing to evaluate: no pairs were found")
    rows = []
    for name, function in functions.items():
        means = [float(mean) for mean in np.mean(scores[name], axis=0)]
        parameters = count_parameters(function) if isinstance(function, nn.Module) else 0
        cost = milliseconds_per_megapixel(function) if timing else float("nan")
        rows.append(Row(name, protocol, len(scores[name]), means[0], means[1], means[2], parameters, cost))
    return rows


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


def milliseconds_per_megapixel(function: Callable[[Tensor], Tensor], repeats: int = 3) -> float:
    """Median time of ``function`` on a 1280x720 image in float32, per million pixels, after one warm-up."""
    if isinstance(function, nn.Identity):
        return 0.0
    image = torch.rand(1, 3, 720, 1280, generator=torch.Generator().manual_seed(0))
    image = image.contiguous(memory_format=torch.channels_last)
    times = []
    with torch.inference_mode():
        for _ in range(repeats + 1):
            start = time.perf_counter()
            function(image)
            times.append(time.perf_counter() - start)
    return float(np.median(times[1:])) * 1e3 / (720 * 1280 / 1e6)
