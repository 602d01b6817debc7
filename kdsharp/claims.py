"""What reports claim, and ways to check it: numbers against each other, and a system against its own recipe (floor 6).

The numbers stand in ``data/reports.toml``, and report A's tables in ``data/tables/report-a.csv``; lessons 12 and 15
read them.
"""

import math
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from torch import nn

from kdsharp import tables
from kdsharp.checkpoints import data_folder, load
from kdsharp.checks import check_name
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.evaluate import Pair, Row, contestants, evaluate
from kdsharp.models import build
from kdsharp.recipes import REPORTS, Stage
from kdsharp.recipes.batches import synthetic_batches
from kdsharp.recipes.training import training_step, without_missing_vgg
from kdsharp.train import fit


@dataclass(frozen=True)
class Claim:
    """One number of a report (``a`` to ``e``): of what, on which data, compared with what, and where it stands."""

    report: str
    what: str
    measure: str
    value: float
    data: str
    against: str
    where: str


@dataclass(frozen=True)
class Epoch:
    """One epoch of report A's tables, of the training or the test pictures: three losses, and the PSNR in dB."""

    epoch: int
    kd: float
    reconstruction: float
    feature: float
    psnr: float


COLUMNS = ("loss", "reconstruction", "feature", "psnr")
"""What :class:`Epoch` holds beside its number, as ``data/tables/report-a.csv`` calls it."""


@dataclass(frozen=True)
class Kept:
    """A score that was measured once, by a longer run than a lesson has time for. ``role`` is input to student."""

    recipe: str
    role: str
    protocol: str
    psnr: float
    ssim: float


@cache
def _numbers() -> dict[str, Any]:
    return tomllib.loads((data_folder() / "reports.toml").read_text(encoding="utf-8"))


def claims(report: str) -> list[Claim]:
    """What one report claims."""
    check_name(report, "abcde", "report")
    return [Claim(**row) for row in _numbers()["claims"] if row["report"] == report]


def disagreements(report: str) -> dict[tuple[str, str], list[Claim]]:
    """What a report states more than once, with more than one value: (of, measure) to the claims."""
    found: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims(report):
        found.setdefault((claim.what, claim.measure), []).append(claim)
    return {key: same for key, same in found.items() if len({claim.value for claim in same}) > 1}


def epochs(optimizer: str, part: str = "test") -> list[Epoch]:
    """Report A's table of an optimizer; ``part`` is ``train`` or ``test``. What is not legible is nan."""
    check_name(part, ("train", "test"), "part")
    rows = tables.read("report-a").rows
    check_name(optimizer, dict.fromkeys(row["optimizer"] for row in rows), "optimizer")
    return [
        Epoch(row["epoch"], *(math.nan if row[key] is None else row[key] for key in COLUMNS))
        for row in rows
        if (row["optimizer"], row["split"]) == (optimizer, part)
    ]


def kept(recipe: str) -> dict[str, Kept]:
    """Role to score, of the lab-profile runs whose commands stand in ``data/reports.toml``."""
    rows = [Kept(**row) for row in _numbers()["runs"]]
    own = [row for row in rows if row.recipe == check_name(recipe, REPORTS, "report's recipe")]
    shared = [row for row in rows if not row.recipe and row.protocol == REPORTS[recipe].protocol]
    return {row.role: row for row in shared + own}


def between(total: float, parts: Iterable[float], digits: float = 1e-5) -> bool:
    """Whether ``total`` can be ``sum w_i part_i`` with weights that are not negative and sum to 1, up to rounding."""
    parts = list(parts)
    return min(parts) - digits <= total <= max(parts) + digits


def implied_psnr(mse: float) -> float:
    """``-10 log10(mse)``: the PSNR in dB, for a peak of 1, of a *mean* squared error over pictures.

    The mean of the pictures' own PSNRs is never below it (Jensen: ``-log`` is convex), and equal where all pictures err
    alike. Nor is it below that of a mean *absolute* error, because the square of an error below 1 is smaller than the
    error. Lessons 04 and 12.
    """
    return -10 * math.log10(mse)


@dataclass(frozen=True)
class Rerun:
    """A report's system, trained here: networks and scores by role, and what could not be had (``left_out``)."""

    recipe: str
    networks: dict[str, nn.Module]
    scores: dict[str, Row]
    left_out: tuple[str, ...]

    def gain(self, role: str, measure: str = "psnr") -> float:
        """Score of a role less that of the input itself."""
        return asdict(self.scores[role])[measure] - asdict(self.scores["input"])[measure]


def train(
    recipe: str, stage: str, profile: str, steps: int | None = None, teacher: nn.Module | None = None
) -> nn.Module:
    """The network of one stage of a report's recipe, trained as ``kdsharp train`` does, without its files.

    Args:
        recipe: a name in :data:`kdsharp.recipes.REPORTS`.
        stage: ``teacher`` or ``student``; a teacher that the recipe takes as it is, is loaded.
        profile: how large the crops are and, where ``steps`` are not given, how long it takes.
        steps: optimizer steps.
        teacher: for the student, what it learns from.
    """
    plan = REPORTS[check_name(recipe, REPORTS, "report's recipe")]
    given = getattr(plan, check_name(stage, ("teacher", "student"), "stage"))
    if not isinstance(given, Stage):
        return load(given).model
    short, _ = without_missing_vgg(given.at(profile))
    config = short.config if steps is None else replace(short.config, steps=steps)
    network = build(short.architecture, config.seed)
    if not short.trained:
        return network.eval()
    step = training_step(short, network, teacher if stage == "student" else None)
    fit(step, synthetic_batches(plan, short), config, progress=False)
    return network.to("cpu").eval().requires_grad_(False)


def held_out(recipe: str, count: int | None = None) -> list[Pair]:
    """The first ``count`` held-out photos under a recipe's own protocol."""
    return list(synthetic_pairs(protocol(REPORTS[recipe].protocol), photos("test")[:count]))


def rerun(recipe: str, profile: str, steps: dict[str, int] | None = None, count: int | None = None) -> Rerun:
    """Train a report's teacher and student and score both beside the input and a tuned unsharp mask.

    Args:
        recipe, profile: as in :func:`train`.
        steps: of ``teacher`` and ``student``; by default the profile's.
        count: of the test photos.
    """
    teacher = train(recipe, "teacher", profile, (steps or {}).get("teacher"))
    student = train(recipe, "student", profile, (steps or {}).get("student"), teacher)
    networks: dict[str, nn.Module] = {"teacher": teacher, "student": student}
    name = REPORTS[recipe].protocol
    rows = evaluate({**contestants([], name), **networks}, held_out(recipe, count), name, timing=False)
    left_out = without_missing_vgg(REPORTS[recipe].student.at(profile))[1]
    return Rerun(recipe, networks, {row.model: row for row in rows}, tuple(left_out))


def claims_table(report: str) -> str:
    """What a report claims, as a Markdown table."""
    lines = ["| of | measure | value | on | compared with | where |", "|---|---|---|---|---|---|"]
    for each in claims(report):
        value = {"PSNR": f"{each.value:.2f} dB", "SSIM": f"{each.value:.4f}"}.get(each.measure, f"{each.value:g}")
        lines.append(f"| {each.what} | {each.measure} | {value} | {each.data} | {each.against} | {each.where} |")
    return "\n".join(lines)


def scores_table(run: Rerun) -> str:
    """A rerun's scores beside those of the kept longer run, as a Markdown table; all against the truth."""
    long = kept(run.recipe)
    lines = ["| | this run: PSNR, dB | SSIM | kept longer run: PSNR, dB | SSIM |", "|---|---|---|---|---|"]
    for role, row in run.scores.items():
        other = f"{long[role].psnr:.2f} | {long[role].ssim:.4f}" if role in long else " | "
        lines.append(f"| {role} | {row.psnr:.2f} | {row.ssim:.4f} | {other} |")
    return "\n".join(lines)


def kept_table(recipe: str) -> str:
    """The scores of a recipe's kept run, as a Markdown table with the gain over the input; all against the truth."""
    rows = kept(recipe)
    lines = ["| | PSNR, dB | over its input, dB | SSIM |", "|---|---|---|---|"]
    for role, row in rows.items():
        lines.append(f"| {role} | {row.psnr:.2f} | {row.psnr - rows['input'].psnr:+.2f} | {row.ssim:.4f} |")
    return "\n".join(lines)


def steps(recipe: str) -> tuple[int, int]:
    """Optimizer steps of a student: of the kept run, and of as much training as its report describes."""
    student = REPORTS[check_name(recipe, REPORTS, "report's recipe")].student
    return student.at("lab").config.steps, student.at("full").config.steps


def passing_table(recipes: Iterable[str]) -> str:
    """Has the student passed its own input by the end of the kept run? A Markdown table, one line a recipe."""
    lines = [
        "| system | steps of the kept run | share of its report's | student over its input, dB | has it passed? |",
        "|---|---|---|---|---|",
    ]
    for recipe in recipes:
        rows, (done, whole) = kept(recipe), steps(recipe)
        gain = rows["student"].psnr - rows["input"].psnr
        word = f"yes, within {done:,} steps" if gain > 0 else f"not in {done:,} steps"
        lines.append(f"| {recipe} | {done:,} | {done / whole:.0%} | {gain:+.2f} | {word} |")
    return "\n".join(lines)
