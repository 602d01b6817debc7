"""Filters with the settings that suit a protocol best, found on the training photos (floor 5; lesson 13).

A baseline deserves as much tuning as the network beside it: every filter is tuned, on the same photos, by the same
score. The settings stand in ``data/filters.toml`` and come from ``kdsharp tune``.
"""

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm.auto import tqdm

from kdsharp.checkpoints import data_folder
from kdsharp.checks import UsageError, atomic_path, check_name
from kdsharp.datasets import photos, synthetic_pairs, true_psfs
from kdsharp.degrade import PROTOCOLS, Degradation
from kdsharp.filters import FILTERS, ORACLES, unsharp_mask
from kdsharp.images import quantize
from kdsharp.metrics import psnr

Settings = dict[str, float | str]

RADII = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
AMOUNTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
CUTOFFS = (0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3)

GRIDS: dict[str, dict[str, tuple]] = {
    "unsharp": {"radius": RADII},
    "high-pass": {"kind": ("box", "gaussian")},
    "laplacian": {"neighbours": (4, 8)},
    "log": {"sigma": (0.5, 0.7, 1.0, 1.5, 2.0, 3.0)},
    "gradient": {"radius": (0.7, 1.0, 1.5, 2.0, 3.0), "threshold": (0.001, 0.003, 0.01, 0.03)},
    "ideal": {"cutoff": CUTOFFS},
    "butterworth": {"cutoff": CUTOFFS, "order": (1, 2, 4)},
    "gaussian": {"cutoff": CUTOFFS},
    "wavelet": {"levels": (1, 2, 3), "finest": (1, 2)},
    "polyblur": {"alpha": (1.0, 2.0, 4.0, 6.0, 8.0), "beta": (0.5, 1.0, 2.0, 4.0, 6.0)},
    "wiener": {"noise": (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)},
    "richardson-lucy": {"iterations": (5, 10, 20, 40, 80, 160)},
}
"""What is tried: every combination, and for each blind filter every one of ``AMOUNTS`` with it.

Richardson-Lucy would still gain a little after 160 iterations, at twice the time for each step further.
"""


@dataclass(frozen=True)
class Unsharp:
    """An unsharp mask with fixed settings: the baseline that needs no training. Shape (B, C, H, W) to the same."""

    radius: float
    amount: float

    def __call__(self, image: Tensor) -> Tensor:
        return unsharp_mask(image, self.radius, self.amount)


def settings(name: str, protocol: str) -> Settings:
    """The settings of a filter that scored best on the training photos of a protocol, from ``data/filters.toml``.

    Real pairs have no training photos here, so they take the values of ``motion``.

    Raises:
        UsageError: for an unknown filter or protocol, and for an oracle where no PSF is known.
    """
    check_name(name, [*FILTERS, *ORACLES], "filter")
    check_name(protocol, PROTOCOLS, "protocol")
    if name in ORACLES and not knows_psf(protocol):
        allowed = " or ".join(each for each in PROTOCOLS if knows_psf(each))
        raise UsageError(f"{name} needs the true PSF, which protocol {protocol!r} does not have; use {allowed}")
    table = tomllib.loads((data_folder() / "filters.toml").read_text(encoding="utf-8"))
    row = table["motion" if PROTOCOLS[protocol] is None else protocol][name]
    return {key: value for key, value in row.items() if key != "psnr"}


def knows_psf(protocol: str) -> bool:
    """Whether each image of a protocol is blurred by one PSF, which an oracle can then be told."""
    found = PROTOCOLS[protocol]
    return found is not None and found.psf_for(np.random.default_rng(0)) is not None


def tuned(name: str, protocol: str) -> Callable[[Tensor], Tensor]:
    """A filter of ``FILTERS`` as a function of the image alone, with its best settings for a protocol."""
    return partial(FILTERS[check_name(name, FILTERS, "filter")], **settings(name, protocol))


def tuned_unsharp(protocol: str) -> Unsharp:
    """The unsharp mask whose radius and amount scored best on the *training* photos of a protocol."""
    best = settings("unsharp", protocol)
    return Unsharp(float(best["radius"]), float(best["amount"]))


def tune(name: str, degradation: Degradation, progress: bool = False) -> tuple[Settings, float]:
    """Try the whole grid of a filter on the training photos; the best settings and their mean PSNR in dB.

    Raises:
        UsageError: for an oracle where the degradation has no PSF.
    """
    pictures = photos("train")
    pairs = [(blurred, sharp) for _, blurred, sharp in synthetic_pairs(degradation, pictures)]
    psfs = true_psfs(degradation, len(pictures)) if name in ORACLES else []
    grid = [dict(zip(GRIDS[name], values, strict=True)) for values in product(*GRIDS[name].values())]
    scores: list[tuple[float, Settings]] = []
    for choice in tqdm(grid, desc=name, disable=not progress, leave=False):
        if name in ORACLES:
            oracle = partial(ORACLES[name], linear_light=degradation.linear_light, **choice)
            found = [_score(oracle(blurred, psf), sharp) for (blurred, sharp), psf in zip(pairs, psfs, strict=True)]
            scores.append((float(np.mean(found)), choice))
        else:
            scores += _amounts(partial(FILTERS[name], **choice), pairs, choice)
    score, best = max(scores, key=lambda each: each[0])
    return best, score


def _amounts(
    function: Callable[..., Tensor], pairs: list[tuple[Tensor, Tensor]], choice: Settings
) -> Iterator[tuple[float, Settings]]:
    """The scores of rising amounts, until they fall.

    Filters answer ``image + amount * detail``: the detail is computed once, and the squared error is a parabola in
    the amount (but for the clamping), so that nothing better follows once it grows.
    """
    details = [function(blurred, amount=1.0) - blurred for blurred, _ in pairs]
    before = -np.inf
    for amount in AMOUNTS:
        score = float(np.mean([_score(x + amount * detail, y) for (x, y), detail in zip(pairs, details, strict=True)]))
        if score < before:
            return
        before = score
        yield score, choice | {"amount": amount}


def _score(image: Tensor, sharp: Tensor) -> float:
    return psnr(quantize(image), sharp).item()


def write(path: Path, found: dict[str, dict[str, Settings]]) -> None:
    """Write settings, protocol by protocol and filter by filter, into a file; what else stood there is kept."""
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    lines = [
        "# The tuned settings of each filter under each protocol: those with the best mean PSNR (dB) on the bundled",
        "# training photos, out of a grid. Renewed by: kdsharp tune",
    ]
    for protocol in (name for name in PROTOCOLS if name in table or name in found):
        rows = table.get(protocol, {}) | found.get(protocol, {})
        for name in (name for name in GRIDS if name in rows):
            lines += [
                "",
                f"[{protocol}.{name}]",
                *(f"{key} = {json.dumps(value)}" for key, value in rows[name].items()),
            ]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
