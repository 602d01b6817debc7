"""Whole systems as data: what is trained, on what, how long (floor 5; lessons 06 and 09).

``kdsharp train RECIPE`` runs one. The five reports' systems stand here too, as far as they are built.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from kdsharp import checkpoints
from kdsharp.checks import atomic_path, check_name
from kdsharp.datasets import Crops, photos, synthetic_pairs, training_pictures
from kdsharp.degrade import Degradation, Shake, protocol
from kdsharp.distill import Distillation
from kdsharp.images import quantize
from kdsharp.metrics import psnr
from kdsharp.models import build, count_macs, count_parameters
from kdsharp.provenance import commit, device_name
from kdsharp.train import Supervised, TrainConfig, fit

PROFILES = ("smoke", "lab", "full")
STAGES = ("teacher", "student")


@dataclass(frozen=True)
class Stage:
    """One network's training.

    Args:
        checkpoint: the name that ``--model`` takes afterwards.
        architecture: a name in ``kdsharp.models.MODELS``.
        config: the full profile's run.
        lab: steps of the lab profile.
        batch, crop: crops a batch, and their side in pixels.
        leaves: dead-leaves pictures beside the bundled photos.
        loss: reconstruction loss.
        alpha, temperature, terms: the distillation (students only).
    """

    checkpoint: str
    architecture: str
    config: TrainConfig
    lab: int = 300
    batch: int = 8
    crop: int = 96
    leaves: int = 20
    loss: str = "charbonnier"
    alpha: float = 1.0
    temperature: float = 4.0
    terms: tuple[tuple[str, float], ...] = ()

    def at(self, profile: str) -> "Stage":
        """The same stage, shortened for a profile: minutes in ``lab``, seconds in ``smoke``."""
        check_name(profile, PROFILES, "profile")
        if profile == "full":
            return self
        steps = self.lab if profile == "lab" else 6
        short = replace(
            self.config, steps=steps, warmup=min(20, steps // 4), average=0.98, save_every=max(3, steps // 3)
        )
        size = {"lab": (self.batch, self.crop, 8), "smoke": (2, 48, 0)}[profile]
        return replace(self, config=short, batch=size[0], crop=size[1], leaves=size[2])


@dataclass(frozen=True)
class Recipe:
    """A teacher, a student, and the protocol that both are trained for."""

    name: str
    protocol: str
    training: Degradation
    teacher: Stage
    student: Stage


RECIPES: dict[str, Recipe] = {
    "shake": Recipe(
        name="shake",
        protocol="shake",
        training=Shake(still=0.05),  # the protocol, and a few sharp photos, so that they are left alone
        teacher=Stage(
            "teacher",
            "unet",
            TrainConfig(steps=9_000, learning_rate=8e-4, warmup=500, clip=0.1, precision="bf16", save_every=1000),
        ),
        student=Stage(
            "small",
            "unet-small",
            TrainConfig(steps=20_000, learning_rate=2.5e-3, warmup=500, clip=0.1, precision="bf16", save_every=1000),
            alpha=0.5,
            terms=(("output", 1.0),),
        ),
    ),
}
"""Recipes by name."""


def train_stage(
    recipe: Recipe, stage: str, profile: str, out: Path, resume: bool = False, progress: bool = True
) -> Path:
    """Train one stage of a recipe and write ``<checkpoint>.safetensors`` and its model card into ``out``.

    A student learns from the teacher in ``out`` when there is one, else from the bundled one.

    Raises:
        UsageError: for an unknown stage or profile, or an ``out`` that cannot be written.
    """
    check_name(stage, STAGES, "stage")
    plan: Stage = getattr(recipe, stage).at(profile)
    started_from = commit()
    model = build(plan.architecture, plan.config.seed)
    teacher_name = None
    if stage == "teacher" or plan.alpha == 1:
        step: torch.nn.Module = Supervised(model, plan.loss)
    else:
        trained = out / f"{recipe.teacher.checkpoint}.safetensors"
        teacher = checkpoints.load(trained if trained.is_file() else recipe.teacher.checkpoint)
        teacher_name = teacher.name
        step = Distillation(model, teacher.model, plan.alpha, plan.temperature, dict(plan.terms), loss=plan.loss)
    pictures = training_pictures(recipe.training, plan.leaves, plan.config.seed, progress=progress)
    batches = Crops(pictures, recipe.training, plan.crop, plan.batch, plan.config.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    validation = list(synthetic_pairs(protocol(recipe.protocol), photos("validation")))
    label = f"{recipe.name} {stage}"
    setup = json.loads(json.dumps(asdict(plan) | {"recipe": recipe.name, "teacher": teacher_name}))
    del setup["config"]  # fit compares it by itself
    history = fit(
        step,
        batches,
        plan.config,
        out / stage,
        resume,
        validate=lambda network: mean_psnr(network, validation, device),
        progress=progress,
        label=label,
        setup=setup,
    )
    test = list(synthetic_pairs(protocol(recipe.protocol), photos("test")))
    meta = {
        "recipe": recipe.name,
        "stage": stage,
        "profile": profile,
        "protocol": recipe.protocol,
        "teacher": teacher_name,
        "alpha": plan.alpha,
        "temperature": plan.temperature,
        "terms": dict(plan.terms),
        "steps": plan.config.steps,
        "seed": plan.config.seed,
        "hours": round(max(row.get("seconds", 0) for row in history) / 3600, 3),
        "commit": started_from,
        "device": device_name(),
        "psnr_input": round(mean_psnr(torch.nn.Identity(), test, "cpu"), 2),
        "psnr": round(mean_psnr(model, test, device), 2),
        "parameters": count_parameters(model),
        "macs_per_pixel": round(count_macs(model)),
        "date": time.strftime("%Y-%m-%d"),
    }
    path = checkpoints.save(out / f"{plan.checkpoint}.safetensors", model, plan.architecture, **meta)
    with atomic_path(path.with_suffix(".md")) as file:
        file.write_text(model_card(plan, meta, history), encoding="utf-8")
    return path


def mean_psnr(network: torch.nn.Module, pairs: list[tuple[str, torch.Tensor, torch.Tensor]], device: str) -> float:
    """Mean PSNR in dB over (name, blurred, sharp), rounded to 8 bits as a file would be."""
    with torch.inference_mode():
        scores = [psnr(quantize(network(blurred.to(device))).cpu(), sharp) for _, blurred, sharp in pairs]
    return torch.stack(scores).mean().item()


def model_card(plan: Stage, meta: dict[str, Any], history: list[dict[str, float]]) -> str:
    """A model card in Markdown: what the network is, how it was made, its curve; scores are added by hand below it."""
    command = f"kdsharp train {meta['recipe']} --stage {meta['stage']} --profile {meta['profile']}"
    rows = [
        (
            "architecture",
            f"`{plan.architecture}`, {meta['parameters']:,} parameters, {meta['macs_per_pixel']:,} MACs a pixel",
        ),
        ("recipe", f"`{command}`"),
        ("data", f"bundled training photos (`data/photos.toml`) and {plan.leaves} dead-leaves pictures; nothing else"),
        ("protocol", f"`{meta['protocol']}`"),
        ("loss", plan.loss if not meta["teacher"] else _distillation(plan, meta["teacher"])),
        ("run", f"{meta['steps']:,} steps of {plan.batch} crops, {plan.crop}x{plan.crop}; seed {meta['seed']}"),
        ("time", f"{meta['hours']} h on {meta['device']}, precision {plan.config.precision}"),
        ("commit, date", f"{meta['commit']}, {meta['date']}"),
        ("held-out photos", f"{meta['psnr']} dB; the input itself has {meta['psnr_input']} dB"),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    points = [row for row in history if "validation" in row]
    curve = "\n".join(f"| {row['step']:,} | {row['validation']:.2f} |" for row in points)
    return (
        f"# Model card: {plan.checkpoint}\n\n| | |\n|---|---|\n{table}\n\n## Curve\n\nPSNR in dB on the validation "
        f"photos at each saved state.\n\n| step | dB |\n|---|---|\n{curve}\n"
    )


def _distillation(plan: Stage, teacher: str) -> str:
    terms = ", ".join(f"{weight:g} x {name}" for name, weight in plan.terms)
    mix = f"{plan.alpha:g} x {plan.loss} + {1 - plan.alpha:g} x ({terms})"
    return f"{mix}, teacher `{teacher}`, temperature {plan.temperature:g}"
