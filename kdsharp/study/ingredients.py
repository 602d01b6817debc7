"""What is each ingredient of the synthetic blur worth on real pairs? One network, the same steps, one thing changed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from kdsharp import adapt, checkpoints, evaluate
from kdsharp.checks import check_name, make_folder
from kdsharp.datasets import PairedFolder, photos
from kdsharp.degrade import ClipMotion, Compressed, Degradation, LinearMotion, Mix, Motion, Rolling, Soft
from kdsharp.images import to_tensor
from kdsharp.recipes import RECIPES, Recipe, train_stage
from kdsharp.study.distillation import Record, kept

STRATA = {"over 30 dB": (30.0, np.inf), "24 to 30 dB": (24.0, 30.0), "under 24 dB": (-np.inf, 24.0)}
"""Of the pairs, by the PSNR of their input."""
PLAIN, SHARPER, NOISIER = LinearMotion(), LinearMotion(still=0.25), LinearMotion(shot=2.4, read=3.0)
LETS_GO = (("loss", "200 mse + psnr-40"),)


@dataclass(frozen=True)
class Ingredient:
    """One row: what blurs, and what else of the recipe is changed (fields of :class:`kdsharp.recipes.Stage`)."""

    blur: Degradation
    changes: tuple[tuple[str, Any], ...] = ()


INGREDIENTS: dict[str, Ingredient] = {
    "straight paths": Ingredient(PLAIN),
    "JPEG after it": Ingredient(Compressed(PLAIN, share=0.25)),
    "a loss that ends at 40 dB": Ingredient(PLAIN, LETS_GO),
    "a loss by tiles": Ingredient(PLAIN, (("loss", "200 mse + psnr-tiles"),)),
    "more that is sharp": Ingredient(SHARPER),
    "more that is sharp, psnr-40": Ingredient(SHARPER, LETS_GO),
    "nothing that is sharp": Ingredient(LinearMotion(still=0.0)),
    "a fifth soft": Ingredient(Mix(((0.8, PLAIN), (0.2, Soft())))),
    "two motions, curls, lights": Ingredient(Motion(length=(2.0, 45.0))),
    "arcs of a turning camera": Ingredient(Rolling()),
    "brighter lights": Ingredient(LinearMotion(lights=3.0)),
    "longer paths": Ingredient(LinearMotion(length=(2.0, 90.0)), (("margin", 46),)),
    "three times the noise": Ingredient(NOISIER),
    "three times the noise, psnr-40": Ingredient(NOISIER, LETS_GO),
    "nothing out of focus": Ingredient(PLAIN, (("softness", 0.0),)),
    "half flat and soft": Ingredient(PLAIN, (("contrast", 0.2), ("softness", 2.5), ("altered", 0.5))),
    "as many leaves as photos": Ingredient(PLAIN, (("leaves", 150),)),
    "crops as they come": Ingredient(PLAIN, (("choices", 1),)),
    "the recipe": Ingredient(RECIPES["base"].training),
}
"""Each differs from the first in one thing, or in the two that its name says; the last has the blur of ``kdsharp train
base``. All learn alone: a teacher knows one blur, and would favour it."""
CLIP = "a clip's own paths"


def run(
    pairs: PairedFolder,
    out: str | Path,
    own: Sequence[Path] | None = None,
    steps: int = 4000,
    names: Iterable[str] = (),
    size: str = "base",
    profile: str = "full",
    progress: bool = True,
    clip: Path | Sequence[Path] | None = None,
    seed: int = 0,
) -> dict[str, Record]:
    """Train a student with each ingredient and score it on real pairs; finished rows are kept in ``out``.

    Args:
        pairs: real pairs to choose by, never those that are only measured.
        out: folder of the records and checkpoints.
        own: sharp photos by path; the bundled training photos by default.
        steps: of every row.
        names: which ingredients; all by default.
        size: the recipe that is changed: ``tiny``, ``small`` or ``base``.
        profile: of the recipe.
        progress: show bars.
        clip: a video, or its frames in order: one row more (``CLIP``), whose paths are those of its optical flow.
        seed: of the first weights and of the crops; two seeds of one row say what a difference is worth.

    Returns:
        by ingredient: mean ``gain`` over the input in dB, ``worst`` gain, ``below`` (pairs that lost), ``jpeg`` (mean
        gain after JPEG of quality 75), one gain for each stratum that has pairs, and ``sharp`` (the least PSNR in dB at
        which a sharp validation photo comes back).
    """
    known = INGREDIENTS if clip is None else INGREDIENTS | {CLIP: Ingredient(_blur_of(clip))}
    chosen = [check_name(name, known, "ingredient") for name in names] or list(known)
    folder, recipe = make_folder(out), RECIPES[check_name(size, ("tiny", "small", "base"), "size")]
    found = {}
    for name in chosen:
        again = f", seed {seed}" if seed else ""
        weights = folder / f"{name}{again}"
        row = partial(_row, name, known[name], recipe, pairs, weights, own, steps, profile, progress, seed)
        found[name + again] = kept(folder / f"{name}, {size}, {steps} steps{again}.json", row)
    return found


def _blur_of(clip: Path | Sequence[Path]) -> ClipMotion:
    """Straight paths as long and as wide as :data:`PLAIN` allows, in the directions and lengths of a clip's motion."""
    return ClipMotion(vectors=adapt.motion_of(adapt.neighbours(clip)).as_tuple())


def _row(
    name: str,
    found: Ingredient,
    recipe: Recipe,
    pairs: PairedFolder,
    out: Path,
    own: Sequence[Path] | None,
    steps: int,
    profile: str,
    progress: bool,
    seed: int,
) -> Record:
    assert not isinstance(recipe.student, str)
    changed = replace(recipe, training=found.blur, student=replace(recipe.student, **dict(found.changes)))
    given = list(own) if own is not None else None
    path = train_stage(
        changed, "student", profile, out, progress=progress, own=given, steps=steps, alpha=1.0, seed=seed
    )
    return scores(checkpoints.load(path).model, pairs) | {"ingredient": name, "changes": asdict(found)["changes"]}


def scores(network: nn.Module, pairs: PairedFolder) -> Record:
    """What :func:`run` says of one network."""
    still = evaluate.image_scores(nn.Identity(), evaluate.real_pairs(pairs))
    gains = evaluate.image_scores(network, evaluate.real_pairs(pairs)) - still
    packed = [
        evaluate.image_scores(each, evaluate.compressed(evaluate.real_pairs(pairs), 75))
        for each in (network, nn.Identity())
    ]
    sharp = [(photo.name, to_tensor(photo.pixels), to_tensor(photo.pixels)) for photo in photos("validation")]
    strata = {name: gains[(still >= low) & (still < high)] for name, (low, high) in STRATA.items()}
    return {
        "gain": float(gains.mean()),
        "worst": float(gains.min()),
        "below": int((gains < 0).sum()),
        "jpeg": float((packed[0] - packed[1]).mean()),
        "sharp": float(evaluate.image_scores(network, sharp).min()),
    } | {name: float(values.mean()) for name, values in strata.items() if len(values)}


COLUMNS = ("gain", "worst", "below", "jpeg", *STRATA, "sharp")


def markdown(records: dict[str, Record]) -> str:
    """The table of a study: one row an ingredient, gains in dB."""
    heads = [name for name in COLUMNS if any(name in record for record in records.values())]
    lines = ["| ingredient | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, record in records.items():
        lines.append("| " + " | ".join([name, *(cell(record, head) for head in heads)]) + " |")
    return "\n".join(lines) + "\n"


def cell(record: Record, head: str) -> str:
    """One number of a row as text."""
    if head not in record:
        return ""
    return (
        f"{record[head]}" if head == "below" else f"{record[head]:.1f}" if head == "sharp" else f"{record[head]:+.2f}"
    )
