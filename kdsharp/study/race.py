"""A race of two networks with equal work a pixel: a small Restormer against a plain U-Net (lesson 07).

Three runs a seed: both for the same steps, and the U-Net once more for as long as the Restormer took.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn
from tqdm.auto import tqdm

from kdsharp import checkpoints, degrade
from kdsharp.checks import make_folder
from kdsharp.datasets import Crops, photos, synthetic_pairs, training_pictures
from kdsharp.models import build
from kdsharp.recipes import mean_psnr
from kdsharp.study.distillation import Record, check_same_study, kept
from kdsharp.tables import Row
from kdsharp.train import Supervised, TrainConfig, fit

RESTORMER, UNET, LONGER = "small Restormer", "U-Net", "U-Net, as long"

CONTESTANTS = {RESTORMER: "restormer-mini", UNET: "unet-race"}
"""Two architectures of the same multiply-accumulates a pixel."""


POINTS = 10
"""Of the curve of a run."""


@dataclass(frozen=True)
class RaceStudy:
    """The experiment as data.

    Args:
        steps: of each run; ``LONGER`` takes as many as fit into the Restormer's seconds with the same seed, in tens.
        crop, batch: pixels of a side, crops a step.
        seeds: 0 to seeds - 1; a seed decides first weights and crops.
        rates: learning rates that each network tries with seed 0; the best on the validation photos is raced with.
        protocol: what blurs the photos.
    """

    steps: int = 2500
    crop: int = 48
    batch: int = 4
    seeds: int = 3
    rates: tuple[float, ...] = (7.5e-4, 1.5e-3, 3e-3, 5e-3, 8e-3)
    protocol: str = "gaussian-256"


RACES = {"smoke": RaceStudy(steps=3, crop=32, batch=2, seeds=2, rates=(3e-3,)), "full": RaceStudy()}
"""By profile; ``full`` takes about an hour on one thread."""


def train(
    study: RaceStudy, name: str, rate: float, seed: int, steps: int, points: int = 1
) -> tuple[nn.Module, list[Row]]:
    """Train a contestant from its first weights.

    Returns:
        the network, and ``points`` rows along the way: step, seconds of training alone, psnr on the validation photos
        and test_psnr on the test photos (dB, means over the photos).
    """
    degradation = degrade.protocol(study.protocol)
    held = {split: list(synthetic_pairs(degradation, photos(split), 0)) for split in ("validation", "test")}
    network = build(CONTESTANTS[name], seed)
    crops = Crops(training_pictures(degradation, leaves=0), degradation, study.crop, study.batch, seed)
    every = max(1, steps // points)
    config = TrainConfig(steps, rate, warmup=min(20, steps // 2), average=0.9, clip=0.1, save_every=every, seed=seed)
    rows: list[Row] = []
    start, looking = time.perf_counter(), 0.0

    def look(averaged: nn.Module) -> float:
        nonlocal looking
        began = time.perf_counter()
        found = {split: mean_psnr(averaged, pairs) for split, pairs in held.items()}
        looking += time.perf_counter() - began
        at = {"step": min(every * (len(rows) + 1), steps), "seconds": time.perf_counter() - start - looking}
        rows.append(at | {"psnr": found["validation"], "test_psnr": found["test"]})
        return found["validation"]

    fit(Supervised(network), crops, config, validate=look, progress=False)
    return network, rows


def run(study: RaceStudy, out: str | Path, progress: bool = True) -> list[Row]:
    """Tune a rate for each network, race with every seed; each finished run is kept in ``out`` and not run again.

    Returns:
        rows with run (``tried`` or ``race``), network, learning_rate, seed, step, seconds, psnr and test_psnr (dB).

    Raises:
        UsageError: for a folder that holds another study.
    """
    folder = make_folder(out)
    check_same_study(folder, asdict(study))

    def trained(name: str, rate: float, seed: int, steps: int, of: str) -> list[Row]:
        def record() -> Record:
            network, rows = train(study, of, rate, seed, steps, points=POINTS)
            if name != LONGER and seed == 0:  # the best rate's is bundled, for a look at what it can do
                file = folder / f"{CONTESTANTS[name]}, rate {rate:g}.safetensors"
                checkpoints.save(file, network, CONTESTANTS[name], half=True, steps=steps, learning_rate=rate)
            return {"rows": rows}

        return kept(folder / f"{name}, rate {rate:g}, seed {seed}.json", record)["rows"]

    rows: list[Row] = []
    best: dict[str, tuple[float, float]] = {}
    for name, rate in tqdm([(n, r) for n in CONTESTANTS for r in study.rates], desc="rates", disable=not progress):
        ways = trained(name, rate, 0, study.steps, name)
        rows += [_head("tried", name, rate, 0) | row for row in ways]
        best[name] = max(best.get(name, (0.0, 0.0)), (ways[-1]["psnr"], rate))
    for seed in tqdm(range(study.seeds), desc="seeds", disable=not progress):
        ends: dict[str, float] = {}
        for name in (RESTORMER, UNET, LONGER):
            of = UNET if name == LONGER else name
            steps = study.steps
            if name == LONGER:
                steps = POINTS * max(1, round(steps * ends[RESTORMER] / ends[UNET] / POINTS))
            ways = trained(name, best[of][1], seed, steps, of)
            ends[name] = ways[-1]["seconds"]
            rows += [_head("race", name, best[of][1], seed) | row for row in ways]
    return rows


def _head(kind: str, name: str, rate: float, seed: int) -> Row:
    return {"run": kind, "network": name, "learning_rate": rate, "seed": seed}


def final(rows: Iterable[Row], column: str = "test_psnr") -> dict[str, list[float]]:
    """What each network ended with, seed by seed, by name."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["run"] == "race":
            found.setdefault(row["network"], {})[row["seed"]] = row[column]
    return {name: [by_seed[seed] for seed in sorted(by_seed)] for name, by_seed in found.items()}


def curve(rows: Sequence[Row], name: str) -> tuple[list[float], list[float]]:
    """(seconds, test PSNR in dB) on the way, each a mean over the seeds."""
    races = [row for row in rows if row["run"] == "race" and row["network"] == name]
    seeds = [[row for row in races if row["seed"] == seed] for seed in sorted({row["seed"] for row in races})]
    points = list(zip(*seeds, strict=True))
    seconds, scores = ([sum(row[key] for row in at) / len(at) for at in points] for key in ("seconds", "test_psnr"))
    return seconds, scores
