"""My student is worse than its baseline: why? Six usual causes, each looked for by a measurement of seconds (floor 7).

A finding is no proof: it says where to look first. ``book/doctor.md`` has the remedy for each, and the lesson.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from kdsharp import checkpoints
from kdsharp.checks import UsageError, check_positive
from kdsharp.datasets import Crops, photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.distill import Distillation
from kdsharp.evaluate import Pair
from kdsharp.models import build
from kdsharp.recipes import RECIPES, Stage, mean_psnr
from kdsharp.train import Supervised, TrainConfig, fit
from kdsharp.tune import tuned_unsharp

Batch = tuple[Tensor, Tensor]


class Repeated(Dataset):
    """One batch, again and again."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __getitem__(self, step: int) -> Batch:
        return self.batch


@dataclass(frozen=True)
class Finding:
    """One cause that was looked for: its name, whether it was found (None: it cannot be told here), and in words."""

    cause: str
    found: bool | None
    said: str


def baseline(student: nn.Module, pairs: Sequence[Pair], filter_name: str) -> Finding:
    """Is the student below its own input, or below a filter that was tuned for the protocol ``filter_name``?"""
    own, floor = mean_psnr(student, list(pairs)), mean_psnr(nn.Identity(), list(pairs))
    mask = mean_psnr(tuned_unsharp(filter_name), list(pairs))
    said = f"student {own:.2f} dB, its input {floor:.2f} dB, the tuned unsharp mask {mask:.2f} dB"
    return Finding("below its baseline", own < max(floor, mask), said)


def teacher_below(student: nn.Module, teacher: nn.Module, pairs: Sequence[Pair]) -> Finding:
    """Does the teacher know less than the student?"""
    own, other = mean_psnr(student, list(pairs)), mean_psnr(teacher, list(pairs))
    said = f"teacher {other:.2f} dB, student {own:.2f} dB on the same photos"
    return Finding("teacher below student", other < own, said)


def scale_of_terms(step: Distillation, batch: Batch) -> Finding:
    """Does one side of the loss drown the other? The norm of its gradient, with alpha and the weights in it.

    Found where one side pulls ten times as hard as the other: the weaker one then has no say.
    """
    named = step(*batch)
    weights = zip(step.terms.items(), step.scales, strict=True)
    distilled = sum(weight * scale * named[name] for (name, weight), scale in weights)
    truth = _norm(step.alpha * named["reconstruction"], step.student)
    teacher = _norm((1 - step.alpha) * distilled, step.student)
    said = f"gradient of the truth's side {truth:.3g}, of the teacher's side {teacher:.3g}"
    if min(truth, teacher) == 0:
        return Finding("scale of terms", step.alpha not in (0, 1), said + "; one of them has no pull at all")
    return Finding("scale of terms", not 0.1 <= truth / teacher <= 10, said)


def side_of_alpha(alpha: float, teacher_named: bool) -> Finding:
    """Does alpha lie on the side that was meant? Here it is the weight of the *truth*; some count from the teacher."""
    said = f"alpha {alpha:g}: the truth has {alpha:.0%} of the loss, the teacher {1 - alpha:.0%}"
    if alpha == 1 and teacher_named:
        return Finding("side of alpha", True, said + "; a teacher is named and has no say")
    if alpha < 0.25:
        return Finding(
            "side of alpha", True, said + "; if you meant the teacher to have the small share, turn it round"
        )
    return Finding("side of alpha", False, said)


def rate(architecture: str, learning_rate: float, batch: Batch, steps: int = 30, seed: int = 0) -> Finding:
    """Can a fresh network learn one batch by heart at this rate (lesson 06)?

    Found where the loss of that batch, on average over the last third of the steps, has not fallen by 2 %.
    """
    check_positive(learning_rate, "learning rate")
    network = build(architecture, seed)
    losses: list[float] = []
    config = TrainConfig(steps, learning_rate, schedule="constant", warmup=0, average=0.0, clip=1e9)
    try:
        fit(Supervised(network), Repeated(batch), config, progress=False, watch=lambda _, loss: losses.append(loss))
    except UsageError as error:
        return Finding("learning rate", True, f"one batch at rate {learning_rate:g}: {error}")
    end = sum(losses[-(steps // 3) :]) / (steps // 3)
    said = f"one batch, {steps} steps at rate {learning_rate:g}: its loss goes from {losses[0]:.4f} to {end:.4f}"
    return Finding("learning rate", not end < 0.98 * losses[0], said)


def teacher_mode(teacher: nn.Module, image: Tensor) -> Finding:
    """Does the teacher answer otherwise in training mode? Then a teacher that was left in it teaches something else."""
    with torch.no_grad():
        right = copy.deepcopy(teacher).eval()(image)
        wrong = copy.deepcopy(teacher).train()(image)
    levels = 255 * (right - wrong).abs().max().item()
    if levels == 0:
        return Finding("teacher in training mode", False, "it answers the same in both modes")
    said = f"its answers differ by up to {levels:.1f} grey levels between the modes; call teacher.eval() first"
    return Finding("teacher in training mode", True, said)


def digits(step: Supervised | Distillation, batch: Batch) -> Finding:
    """Are digits lost: weights that are no number or stored in half precision, terms that bf16 changes by over 5 %?"""
    values = list(step.student.state_dict().values())
    if not all(torch.isfinite(value).all() for value in values):
        return Finding("digits lost", True, "some weights are no number")
    if any(value.dtype in (torch.float16, torch.bfloat16) for value in values):
        return Finding("digits lost", True, "weights are stored in half precision")
    with torch.no_grad():
        exact = {name: value.item() for name, value in step(*batch).items()}
        with torch.autocast("cpu", dtype=torch.bfloat16):
            short = {name: value.item() for name, value in step(*batch).items()}
    off = {name: abs(short[name] - value) / max(abs(value), 1e-12) for name, value in exact.items()}
    name = max(off, key=lambda each: off[each])
    said = f"in bf16 the term that changes most is {name}, by {off[name]:.1%}"
    return Finding("digits lost", off[name] > 0.05, said)


def diagnose(
    checkpoint: str, teacher: str | None = None, learning_rate: float | None = None, count: int = 2, crop: int = 64
) -> list[Finding]:
    """All findings about a checkpoint that kdsharp wrote; from its metadata, and by measuring on validation photos.

    Args:
        checkpoint: a bundled name or a file.
        teacher: a name or a file, where the metadata names none, or another one.
        learning_rate: of its training; by default its recipe's.
        count: of the validation photos.
        crop: side of the crops of the batch in pixels.

    Raises:
        UsageError: for a file that is no checkpoint of kdsharp, or a teacher that cannot be loaded.
    """
    found = checkpoints.load(checkpoint)
    meta = found.meta
    blur = protocol(meta.get("protocol", "shake"))
    pairs = list(synthetic_pairs(blur, photos("validation")[:count]))
    batch = Crops([photo.pixels for photo in photos("validation")], blur, crop, 4, 0)[0]
    plan = RECIPES[meta["recipe"]].student if meta.get("recipe") in RECIPES else None
    findings = [baseline(found.model, pairs, meta.get("protocol", "shake"))]
    named = teacher if teacher is not None else meta.get("teacher")
    alpha = float(meta.get("alpha", 1.0))
    student = found.model.requires_grad_(True)
    step: Supervised | Distillation = Supervised(student, meta.get("loss", "charbonnier"))
    if named is None:
        findings.append(Finding("teacher below student", None, "the file names no teacher; give one with --teacher"))
    else:
        master = checkpoints.load(named).model
        findings.append(teacher_below(student, master, pairs))
        terms = dict(meta.get("terms") or {})
        if alpha < 1 and terms:
            taps = plan.taps if isinstance(plan, Stage) else ("bottom", "bottom")
            mix = (alpha, meta.get("temperature", 1.0), terms, taps, meta["loss"])
            weighed = {name: meta[name] for name in ("weighting", "pull") if name in meta}
            step = Distillation(student, master, *mix, **weighed)
            findings.append(scale_of_terms(step, batch))
        findings += [side_of_alpha(alpha, True), teacher_mode(master, batch[0])]
    chosen = learning_rate if learning_rate is not None else plan.config.learning_rate if plan is not None else None
    if chosen is None:
        findings.append(Finding("learning rate", None, "its recipe is not known here; give one with --rate"))
    else:
        findings.append(rate(meta["architecture"], chosen, batch))
    return [*findings, digits(step, batch)]


def _norm(loss: Tensor, network: nn.Module) -> float:
    """The norm of the gradient of ``loss`` by a network's weights."""
    weights = [value for value in network.parameters() if value.requires_grad]
    slopes = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return torch.sqrt(sum((slope.square().sum() for slope in slopes if slope is not None), torch.zeros(()))).item()
