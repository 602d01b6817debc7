"""What a stage trains on: photos that a recipe blurs, real pairs, or both side by side."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from kdsharp.datasets import (
    BesideUnlabelled,
    Crops,
    FewLabels,
    PairCrops,
    PairedFolder,
    SideBySide,
    training_pictures,
)
from kdsharp.degrade import Degradation
from kdsharp.images import to_array, to_tensor
from kdsharp.recipes.plan import Recipe, Stage

UNLABELLED, PAIRS = 10_000, 1_000
"""What the seed of the unlabelled crops is more, and the seed of the few labelled pairs, which are the same for all."""
REAL = 4
"""Where real pairs stand beside photos, one crop of so many is of a pair."""


def batches_of(
    recipe: Recipe, plan: Stage, own: list[Path] | None, pairs: PairedFolder | None, progress: bool
) -> Dataset:
    """The batches of a stage: photos that its recipe blurs, real ``pairs``, or both where one's ``own`` are given."""
    if pairs is None:
        return synthetic_batches(recipe, plan, own, progress)
    count, each = (plan.batch, 4 if plan.resize is None else 1) if own is None else (max(1, plan.batch // REAL), 1)
    real = PairCrops(pairs, plan.crop, count, plan.config.seed, plan.resize, each)
    if own is None:
        return real
    return SideBySide(real, synthetic_batches(recipe, replace(plan, batch=plan.batch - count), own, progress))


def synthetic_batches(recipe: Recipe, plan: Stage, own: list[Path] | None = None, progress: bool = False) -> Dataset:
    """The batches of a stage on sharp photos (the user's ``own``, or the bundled ones) that the recipe blurs."""
    degradation = recipe.training
    pictures = training_pictures(
        degradation, plan.leaves, plan.config.seed, progress=progress, own=own, weaves=plan.weaves
    )
    if plan.whole:
        return PairCrops(_blurred(pictures, degradation), plan.crop, plan.batch, plan.config.seed, grid=plan.grid)
    scenes = (plan.contrast, plan.softness, plan.choices, plan.altered, plan.wholly)
    seed, margin = plan.config.seed, plan.margin
    labelled = Crops(pictures, degradation, plan.crop, plan.batch, seed, margin, *scenes)
    if not plan.unlabelled:
        return labelled
    others = Crops(pictures, degradation, plan.crop, plan.unlabelled, seed + UNLABELLED, margin, *scenes)
    if not plan.labels:
        return BesideUnlabelled(labelled, others)
    pairs = Crops(pictures, degradation, 3 * plan.crop, plan.labels, seed=PAIRS, margin=margin)[0]
    return FewLabels(*pairs, others, seed)


def _blurred(pictures: Sequence[np.ndarray], degradation: Degradation) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, blurred, sharp) of whole pictures, uint8 (H, W, 3)."""
    rng = np.random.default_rng(0)
    return [(str(index), to_array(degradation(to_tensor(each), rng)), each) for index, each in enumerate(pictures)]
