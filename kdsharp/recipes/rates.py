"""A learning rate for each optimizer: tuned alike, so that a comparison compares optimizers (lesson 12)."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from kdsharp.checkpoints import data_folder
from kdsharp.checks import atomic_path, check_name
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.models import build
from kdsharp.recipes.batches import synthetic_batches
from kdsharp.recipes.plan import Recipe, Stage
from kdsharp.recipes.training import mean_psnr
from kdsharp.train import OPTIMIZERS, Supervised, fit

GRID = tuple(float(f"{rate:.1g}") for rate in np.geomspace(1e-4, 10, 11))
"""The rates tried: 0.0001 to 10 in steps of about 3, wide enough for SGD and Adadelta."""


def tuned_rate(optimizer: str) -> float:
    """The rate of an optimizer in ``data/rates.toml``, found by :func:`tune_rates` (``kdsharp tune --optimizers``)."""
    table = tomllib.loads((data_folder() / "rates.toml").read_text(encoding="utf-8"))
    return float(table[check_name(optimizer, OPTIMIZERS, "optimizer")]["rate"])


def tried_rates(optimizer: str) -> dict[float, float]:
    """Every rate that was tried for an optimizer, and its PSNR in dB; -inf where training diverged."""
    table = tomllib.loads((data_folder() / "rates.toml").read_text(encoding="utf-8"))
    tried = table[check_name(optimizer, OPTIMIZERS, "optimizer")]["tried"]
    return {float(rate): float(score) for rate, score in tried.items()}


def tune_rates(recipe: Recipe, steps: int = 200, progress: bool = False) -> dict[str, dict[float, float]]:
    """PSNR in dB on the validation photos after ``steps`` of the recipe's student alone, by optimizer and rate.

    Same first weights, same crops, everything else as the recipe has it; a run that diverges scores -inf. A short run
    favours rates that are quick early; lesson 12 shows what a longer one says.
    """
    plan = recipe.student
    assert isinstance(plan, Stage)
    batches = synthetic_batches(recipe, replace(plan, crop=plan.lab_crop, leaves=0))
    validation = list(synthetic_pairs(protocol(recipe.protocol), photos("validation")))
    scores: dict[str, dict[float, float]] = {name: {} for name in OPTIMIZERS}
    runs = [(name, rate) for name in OPTIMIZERS for rate in GRID]
    for name, rate in tqdm(runs, desc="rates", unit="run", disable=not progress):
        model = build(plan.architecture, plan.config.seed)
        config = replace(plan.config, steps=steps, optimizer=name, learning_rate=rate, log_every=steps)
        try:
            fit(Supervised(model, "mse"), batches, config, progress=False)
            score = mean_psnr(model, validation)
        except ValueError:  # it diverged
            score = float("-inf")
        scores[name][rate] = score if np.isfinite(score) else float("-inf")
    return scores


def write_rates(path: Path, scores: dict[str, dict[float, float]]) -> dict[str, dict[str, float]]:
    """Write each optimizer's best rate, and what every rate scored, into a TOML file; the best rates come back."""
    found = {}
    lines = [
        "# The learning rate of each optimizer that scored best (PSNR in dB on the validation photos) after a short",
        "# training of report A's student alone. Renewed by: kdsharp tune --optimizers",
    ]
    for name, by_rate in scores.items():
        best = max(by_rate, key=by_rate.__getitem__)
        found[name] = {"rate": best, "psnr": round(by_rate[best], 2)}
        every = ", ".join(f'"{rate:g}" = {score:.2f}' for rate, score in by_rate.items())
        lines += ["", f"[{name}]", f"rate = {best:g}", f"psnr = {by_rate[best]:.2f}", f"tried = {{ {every} }}"]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return found
