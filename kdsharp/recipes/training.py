"""Running a recipe: from pictures to a checkpoint with its model card."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from kdsharp import checkpoints
from kdsharp.checks import UsageError, atomic_path, check_name
from kdsharp.datasets import PairedFolder, photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.devices import device_of, this_process
from kdsharp.distill import Distillation
from kdsharp.images import quantize
from kdsharp.losses import mixture, vgg_file
from kdsharp.metrics import psnr, ssim
from kdsharp.models import build, count_macs, count_parameters
from kdsharp.models.branches import add_branches, fold_branches
from kdsharp.provenance import commit, device_name
from kdsharp.recipes.batches import batches_of
from kdsharp.recipes.card import model_card
from kdsharp.recipes.plan import STAGES, Recipe, Stage
from kdsharp.sets.files import known
from kdsharp.train import Supervised, fit


def train_stage(
    recipe: Recipe,
    stage: str,
    profile: str,
    out: Path,
    resume: bool = False,
    progress: bool = True,
    teacher: str | Path | None = None,
    own: list[Path] | None = None,
    pairs: PairedFolder | None = None,
    start: str | Path | None = None,
    **changes: Any,
) -> Path:
    """Train one stage of a recipe and write ``<checkpoint>.safetensors`` and its model card into ``out``.

    Under ``accelerate launch`` every process trains on its own batches (see :func:`kdsharp.train.fit`), and the main
    process writes; ``out`` must be a folder that all processes see.

    Args:
        recipe, stage, profile: what to train, and how long.
        out: folder of the states and results.
        resume: go on from the newest state there.
        progress: show bars.
        teacher: a checkpoint's name or file for the student to learn from; by default the teacher in ``out`` when
            there is one, else the bundled one.
        own: paths of sharp photos of the user's instead of the bundled ones; they stay on disk.
        pairs: real pairs instead of synthetic ones; beside ``own`` photos, a quarter of each batch.
        start: a checkpoint's name or file whose weights are trained on, instead of random ones (fine-tuning).
        changes: fields of :class:`kdsharp.train.TrainConfig` or :class:`Stage` to set, such as ``alpha=0.3``.

    Raises:
        UsageError: for an unknown stage or profile, a teacher that is taken as it is, an unwritable ``out``, a start of
            another architecture.
    """
    check_name(stage, STAGES, "stage")
    process = this_process()
    progress = progress and process.is_main_process
    found = getattr(recipe, stage)
    if not isinstance(found, Stage):
        raise UsageError(f"recipe {recipe.name!r} takes its teacher {found!r} as it is; train the student")
    plan, left_out = without_missing_vgg(_changed(found.at(profile), changes))
    started_from = commit()
    model, begun = _first(plan, start)
    if plan.branches:
        model = add_branches(model)
    master = None if stage == "teacher" or plan.alpha == 1 else _teacher(recipe, out, teacher)
    step = training_step(plan, model, master.model if master else None)
    batches = batches_of(recipe, plan, own, pairs, progress)
    validation = list(synthetic_pairs(protocol(recipe.protocol), photos("validation")))
    data = ("pairs" if pairs is not None else "bundled") if own is None else known(own) or "own"
    if own is not None and pairs is not None:
        begun["pairs"] = len(pairs)
    setup = asdict(plan) | {"recipe": recipe.name, "teacher": master and master.name, "photos": data} | begun
    del setup["config"]  # fit compares it by itself
    history: list[dict[str, float]] = []
    if plan.trained:
        history = fit(
            step,
            batches,
            plan.config,
            out / stage,
            resume,
            validate=lambda network: mean_psnr(network, validation),
            progress=progress,
            label=f"{recipe.name} {stage}",
            setup=json.loads(json.dumps(setup)),
        )
    path = out / f"{plan.checkpoint}.safetensors"
    if not process.is_main_process:
        process.wait_for_everyone()  # until the file is there: the next stage loads it
        return path
    model = fold_branches(model.eval())
    test = list(synthetic_pairs(protocol(recipe.protocol), photos("test")))
    meta = {
        "recipe": recipe.name,
        "stage": stage,
        "profile": profile,
        "protocol": recipe.protocol,
        "photos": data,
        **begun,
        "teacher": master and master.name,
        "loss": plan.loss,
        "alpha": plan.alpha,
        "temperature": plan.temperature,
        "terms": dict(plan.terms),
        "weighting": plan.weighting,
        "pull": plan.pull,
        "left_out": left_out,
        "branches": plan.branches,
        "steps": plan.config.steps if plan.trained else 0,
        "processes": process.num_processes,
        "seed": plan.config.seed,
        "hours": round(max((row.get("seconds", 0) for row in history), default=0) / 3600, 3),
        "commit": started_from,
        "device": device_name(),
        "precision": plan.config.precision,
        "psnr_input": round(mean_psnr(torch.nn.Identity(), test), 4),
        "psnr": round(mean_psnr(model, test), 4),
        "parameters": count_parameters(model),
        "macs_per_pixel": round(count_macs(model)),
        "date": time.strftime("%Y-%m-%d"),
    }
    if master is not None:
        meta["ssim_to_teacher"] = round(_agreement(model, master.model, test), 4)
    checkpoints.save(path, model, plan.architecture, **meta)
    with atomic_path(path.with_suffix(".md")) as file:
        file.write_text(model_card(recipe, plan, meta, history), encoding="utf-8")
    process.wait_for_everyone()
    return path


def _first(plan: Stage, start: str | Path | None) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The network that is trained, at random weights or at those of ``start``, and what its card says of that."""
    if start is None:
        return build(plan.architecture, plan.config.seed), {}
    found = checkpoints.load(start)
    if found.meta["architecture"] != plan.architecture:
        raise UsageError(
            f"{start} is a {found.meta['architecture']!r}, but this recipe trains a {plan.architecture!r}; "
            "give a checkpoint of that architecture"
        )
    return found.model.requires_grad_(True), {"start": found.name}


def training_step(plan: Stage, model: torch.nn.Module, teacher: torch.nn.Module | None) -> torch.nn.Module:
    """What :func:`kdsharp.train.fit` minimises for a stage: supervised, or distilled where there is a ``teacher``."""
    if teacher is None:
        return Supervised(model, plan.loss)
    return Distillation(
        model,
        teacher,
        plan.alpha,
        plan.temperature,
        dict(plan.terms),
        plan.taps,
        plan.loss,
        weighting=plan.weighting,
        pull=plan.pull,
    )


def _changed(plan: Stage, changes: dict[str, Any]) -> Stage:
    """The stage with some of its own or its config's fields set."""
    given = {name: value for name, value in changes.items() if value is not None}
    config = {name: given.pop(name) for name in list(given) if hasattr(plan.config, name)}
    return replace(plan, config=replace(plan.config, **config), **given)


def _teacher(recipe: Recipe, out: Path, chosen: str | Path | None) -> checkpoints.Checkpoint:
    """The teacher that a student learns from."""
    if chosen is not None:
        return checkpoints.load(chosen)
    if isinstance(recipe.teacher, str):
        return checkpoints.load(recipe.teacher)
    trained = out / f"{recipe.teacher.checkpoint}.safetensors"
    if not trained.is_file() and recipe.teacher.checkpoint not in checkpoints.bundled():
        raise UsageError(f"{trained} does not exist; train the teacher first (--stage teacher, into the same folder)")
    return checkpoints.load(trained if trained.is_file() else recipe.teacher.checkpoint)


def without_missing_vgg(plan: Stage) -> tuple[Stage, list[str]]:
    """The stage without its VGG16 terms where torchvision's weights are not on this machine, and the terms left out.

    A random VGG16 would be another loss; leaving the term out, and saying so in the card, is the honest choice.
    """
    names = [name for name in mixture(plan.loss) if "vgg" in name] + [name for name, _ in plan.terms if "vgg" in name]
    if not names or vgg_file().is_file():
        return plan, []
    loss = " + ".join(f"{weight:g} {name}" for name, weight in mixture(plan.loss).items() if "vgg" not in name)
    terms = tuple((name, weight) for name, weight in plan.terms if "vgg" not in name)
    return replace(plan, loss=loss, terms=terms), names


def mean_psnr(
    network: Callable[[torch.Tensor], torch.Tensor], pairs: list[tuple[str, torch.Tensor, torch.Tensor]]
) -> float:
    """Mean PSNR in dB over (name, blurred, sharp), rounded to 8 bits as in a file, computed where the network is."""
    device = device_of(network)
    with torch.inference_mode():
        scores = [psnr(quantize(network(blurred.to(device))).cpu(), sharp) for _, blurred, sharp in pairs]
    return torch.stack(scores).mean().item()


def _agreement(
    student: torch.nn.Module, teacher: torch.nn.Module, pairs: list[tuple[str, torch.Tensor, torch.Tensor]]
) -> float:
    """Mean SSIM of the student's pictures to the *teacher's*: agreement, which says nothing about sharpness."""
    with torch.inference_mode():
        values = [ssim(quantize(student(blurred)), quantize(teacher(blurred))) for _, blurred, _ in pairs]
    return torch.stack(values).mean().item()
