"""Is Adam better? Report A's student under six optimizers, at one rate and at a rate tuned for each (lesson 12)."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from kdsharp import checkpoints, claims, degrade
from kdsharp.checks import UsageError, check_name, make_folder
from kdsharp.datasets import Crops, Epochs, photos, training_pictures
from kdsharp.devices import device_of
from kdsharp.distill import Distillation
from kdsharp.images import quantize
from kdsharp.metrics import psnr
from kdsharp.models import build
from kdsharp.recipes.rates import GRID, tuned_rate
from kdsharp.study.distillation import Record, check_same_study, kept
from kdsharp.tables import Row, read
from kdsharp.train import OPTIMIZERS, Supervised, TrainConfig, fit

EQUAL_RATE = 1e-3
"""Report A's rate, for every optimizer."""

RATES = ("equal", "tuned")
TRIED = "tried"
"""How the rows are named, in place of a member of ``RATES``, of the runs that a rate is tuned by."""
ENDS = 3
"""Rows at the end of a run whose mean is its score: one row alone may be a fall (lesson 12)."""

DECAY = 0.01
"""AdamW's weight decay, torch's default; without one AdamW is Adam."""

MEASURED = claims.COLUMNS
"""What report A's tables hold for each split, and ours too."""


@dataclass(frozen=True)
class OptimizerStudy:
    """The experiment as data.

    Args:
        epochs: passes over the training pictures.
        every: epochs between two rows of the tables.
        pictures: training pictures, each with one blurred version; report A has 350.
        tests: test pictures.
        side: of every picture in pixels; report A has 128.
        batch: pictures a step, as in report A.
        seeds: 0 to seeds - 1; a seed decides first weights and the order of the pictures.
        alpha: weight of the reconstruction; the report names none.
        teacher, student: report A's networks; the teacher is trained first, as long as a student, by Adam.
        protocol: what blurs the pictures.
    """

    epochs: int = 50
    every: int = 5
    pictures: int = 40
    tests: int = 20
    side: int = 48
    batch: int = 2
    seeds: int = 3
    alpha: float = 0.5
    teacher: str = "report-a-teacher"
    student: str = "report-a-student"
    protocol: str = "shake"

    @property
    def steps(self) -> int:
        """Optimizer steps of a run."""
        return self.epochs * self.pictures // self.batch


OPTIMIZER_PROFILES = {
    "smoke": OptimizerStudy(epochs=2, every=1, pictures=2, tests=2, side=32, seeds=2),
    "lab": OptimizerStudy(pictures=10, tests=10, side=32),
    "full": OptimizerStudy(),
}
"""``lab`` takes about six minutes on one thread, ``full`` three quarters of an hour."""

Pairs = dict[str, tuple[Tensor, Tensor]]


CANDIDATES = 4
"""Crops drawn for each one that is kept: the second quarter by how much the blur has changed them.

A crop of sky has no blur to undo, and the most blurred ones are nearly beyond repair.
"""


@cache
def pairs(study: OptimizerStudy) -> Pairs:
    """The blurred and sharp pictures, (N, 3, side, side), of ``train``, ``validation`` and ``test``, from different
    photos.
    """
    shake = degrade.protocol(study.protocol)
    held = {split: [shake.prepare(photo.pixels) for photo in photos(split)] for split in ("validation", "test")}
    found = {"train": _blurred_crops(training_pictures(shake, leaves=0), study.pictures, study)}
    return found | {split: _blurred_crops(pictures, study.tests, study) for split, pictures in held.items()}


def _blurred_crops(pictures: Sequence[np.ndarray], count: int, study: OptimizerStudy) -> tuple[Tensor, Tensor]:
    """Of ``CANDIDATES * count`` crops, the second ``count`` by their distance from their sharp version."""
    crops = Crops(pictures, degrade.protocol(study.protocol), study.side, CANDIDATES * count, seed=1000)
    blurred, sharp = crops[0]
    order = (blurred - sharp).square().flatten(1).mean(1).argsort(descending=True)
    return blurred[order[count : 2 * count]], sharp[order[count : 2 * count]]


def run(
    study: OptimizerStudy,
    out: str | Path,
    optimizers: Iterable[str] = (),
    rates: Iterable[str] = RATES,
    progress: bool = True,
) -> list[Row]:
    """Train the student under each optimizer, seed by seed; each finished run is kept in ``out`` and not run again.

    Args:
        study: the experiment.
        out: folder of the records and of the teacher.
        optimizers: names of ``OPTIMIZERS``; all by default.
        rates: ``equal`` (0.001 for all), ``tuned`` (see :func:`climb`), or both.
        progress: show a bar.

    Returns:
        the tables in one: rows with rates, optimizer, learning_rate, seed, epoch, split (``train`` or ``test``), loss,
        reconstruction, feature and psnr (dB); the numbers are nan from where a run has diverged. The runs that a rate
        was tuned by come last, with rates ``tried`` and the split ``validation``.

    Raises:
        UsageError: for an unknown optimizer, or a folder that holds another study.
    """
    chosen = [check_name(name, OPTIMIZERS, "optimizer") for name in optimizers] or list(OPTIMIZERS)
    folder = make_folder(out)
    check_same_study(folder, asdict(study))
    data = pairs(study)
    teacher = _teacher(study, data, folder)
    kinds = [check_name(kind, RATES, "rates") for kind in rates]

    def trained(kind: str, name: str, rate: float, seed: int) -> list[Row]:
        path = folder / f"{name}, rate {rate:g}, seed {seed}.json"  # equal and tuned share a run at the same rate
        splits = ["validation"] if kind == TRIED else ["train", "test"]
        record = kept(path, partial(_train, study, data, teacher, name, rate, seed, splits))
        head = {"rates": kind, "optimizer": name, "learning_rate": rate, "seed": seed}
        return [head | row for row in record["rows"]]

    tried: list[Row] = []
    for name in tqdm(chosen if "tuned" in kinds else [], desc="rates", unit="optimizer", disable=not progress):

        def score(rate: float, name: str = name) -> float:
            tried.extend(trained(TRIED, name, rate, study.seeds))  # a seed that is not compared
            return hills(tried)[name][rate]

        climb(score, tuned_rate(name))
    best = {name: max(hill, key=hill.__getitem__) for name, hill in hills(tried).items()}
    runs = [(seed, name, kind) for seed in range(study.seeds) for name in chosen for kind in kinds]
    rows: list[Row] = []
    for seed, name, kind in tqdm(runs, desc="runs", unit="run", disable=not progress):
        rows += trained(kind, name, EQUAL_RATE if kind == "equal" else best[name], seed)
    return rows + tried


def climb(score: Callable[[float], float], start: float, rates: Sequence[float] = GRID) -> dict[float, float]:
    """Tune a rate at the length of its run: walk uphill from ``start`` until both neighbours are lower.

    Args:
        score: dB on the validation pictures after a whole run at a rate; -inf where it diverges.
        start: of ``rates``, such as the best one of much shorter runs (``data/rates.toml``).
        rates: what may be tried, ascending.

    Returns:
        the scores of the rates that were tried, by rate.
    """
    tried: dict[float, float] = {}
    at, best = -1, list(rates).index(start)
    while at != best:
        at = best
        for near in (at, at - 1, at + 1):
            if 0 <= near < len(rates) and rates[near] not in tried:
                tried[rates[near]] = score(rates[near])
        best = list(rates).index(max(tried, key=tried.__getitem__))
    return tried


def hills(rows: Sequence[Row]) -> dict[str, dict[float, float]]:
    """What each rate that was tried scored, by optimizer and rate: the mean dB of the last ``ENDS`` rows of its run on
    the validation pictures; -inf where it diverged.
    """
    runs: dict[tuple[str, float], list[float]] = {}
    for row in rows:
        if row["rates"] == TRIED:
            runs.setdefault((row["optimizer"], row["learning_rate"]), []).append(row["psnr"])
    found: dict[str, dict[float, float]] = {}
    for (name, rate), scores in runs.items():
        end = float(np.mean(scores[-ENDS:]))
        found.setdefault(name, {})[rate] = end if math.isfinite(end) else -math.inf
    return found


def config_of(study: OptimizerStudy, optimizer: str, rate: float, seed: int) -> TrainConfig:
    """How a run is trained: as report A does, without schedule, warm-up, average or limit on the gradient."""
    between = study.every * study.pictures // study.batch
    return TrainConfig(
        steps=study.steps,
        learning_rate=rate,
        optimizer=optimizer,
        schedule="constant",
        warmup=0,
        weight_decay=DECAY if optimizer == "adamw" else 0.0,
        average=0.0,
        clip=1e9,
        seed=seed,
        log_every=between,
        save_every=between,
    )


def _teacher(study: OptimizerStudy, data: Pairs, folder: Path) -> nn.Module:
    """Report A's teacher, trained on the training pictures, or as it was kept."""
    path = folder / "teacher.safetensors"
    if not path.is_file():
        teacher = build(study.teacher)
        config = config_of(study, "adam", EQUAL_RATE, 0)
        fit(Supervised(teacher, "mse"), Epochs(*data["train"], study.batch), config, progress=False)
        checkpoints.save(path, teacher, study.teacher)
    return checkpoints.load(path).model


def _train(
    study: OptimizerStudy,
    data: Pairs,
    teacher: nn.Module,
    optimizer: str,
    rate: float,
    seed: int,
    splits: Sequence[str] = ("train", "test"),
) -> Record:
    """One run, with a row for each of the splits at every ``study.every`` epochs."""
    student = build(study.student, seed)
    step = Distillation(student, teacher, study.alpha, terms={"hint": 1.0}, taps=("3", "3"), loss="mse", seed=seed)
    rows: list[Row] = []

    def look(network: nn.Module) -> float:
        epoch = len(rows) // len(splits) * study.every + study.every
        rows.extend({"epoch": epoch, "split": split} | measure(step, *data[split]) for split in splits)
        return rows[-1]["psnr"]

    batches = Epochs(*data["train"], study.batch, seed)
    try:
        fit(step, batches, config_of(study, optimizer, rate, seed), validate=look, progress=False)
    except UsageError:  # it diverged
        lost = dict.fromkeys(MEASURED, math.nan)
        rows = [row for row in rows if math.isfinite(row["loss"])]
        for epoch in range(len(rows) // len(splits) * study.every + study.every, study.epochs + 1, study.every):
            rows += [{"epoch": epoch, "split": split} | lost for split in splits]
    return {"optimizer": optimizer, "learning_rate": rate, "seed": seed, "rows": rows}


def measure(step: Distillation, blurred: Tensor, sharp: Tensor) -> dict[str, float]:
    """One row of report A's tables: total, reconstruction and feature loss, and the mean PSNR (dB) of whole files."""
    device = device_of(step)
    blurred, sharp = blurred.to(device), sharp.to(device)
    with torch.no_grad():
        terms = step(blurred, sharp)
        decibels = psnr(quantize(step.student(blurred)).cpu(), sharp.cpu()).mean()
    found = {"loss": terms["loss"], "reconstruction": terms["reconstruction"], "feature": terms["hint"]}
    return {name: value.item() for name, value in found.items()} | {"psnr": decibels.item()}


def stored() -> tuple[OptimizerStudy, list[Row]]:
    """The study whose rows come with kdsharp, in ``data/tables/optimizers.csv``, and the rows."""
    table = read("optimizers")
    return OPTIMIZER_PROFILES[table.note.split(":")[0].split()[-1]], table.rows
