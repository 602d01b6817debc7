"""Does the teacher help? The same student with and without one, seed by seed."""

import copy
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.utils.data import Dataset, Subset
from tqdm.auto import tqdm

from kdsharp import checkpoints, degrade, provenance
from kdsharp.checks import UsageError, atomic_path, check_name, make_folder
from kdsharp.datasets import Crops, FewLabels, photos, synthetic_pairs, training_pictures
from kdsharp.distill import Distillation
from kdsharp.models import build
from kdsharp.recipes import mean_psnr
from kdsharp.study.arms import ARMS, REGIMES, Arm, best_mix, step_of
from kdsharp.train import TrainConfig, fit

Record = dict[str, Any]
TRIAL = "rate trial"
COLUMNS = ("regime", "arm", "seed", "learning_rate", "validation", "psnr", "seconds")
"""What a stored table keeps of a record; :func:`summary` reads such rows too."""


@dataclass(frozen=True)
class Study:
    """The experiment as data.

    Args:
        student: architecture; every arm of a seed starts from the same weights.
        teacher: a checkpoint's name; it was trained on labelled pairs, by whoever published it.
        protocol: of training and scores.
        steps: of every arm.
        seeds: how many; a seed decides first weights and batches.
        first: the first of them.
        rates: learning rates tried for the student alone; all arms take the one at which it did best.
        batch, crop: labelled crops a batch, and their side in pixels.
        labelled: pairs in the label-poor regime, each ``pair_side`` pixels square.
        leaves: dead-leaves pictures beside the bundled training photos.
        alpha: weight of the truth in the arms with a teacher.
        temperature: of the channel-wise term, in spreads.
        taps: what hint, attention, channel and affinity compare.
        precision: of the networks (see :class:`kdsharp.train.TrainConfig`).
    """

    student: str = "unet-tiny"
    teacher: str = "teacher"
    protocol: str = "shake"
    steps: int = 2000
    seeds: int = 5
    first: int = 0
    rates: tuple[float, ...] = (1e-3, 2.5e-3, 5e-3)
    batch: int = 8
    crop: int = 64
    labelled: int = 8
    pair_side: int = 192
    leaves: int = 20
    alpha: float = 0.5
    temperature: float = 1.0
    taps: tuple[str, str] = ("bottom", "encoders.1")
    precision: str = "float32"


PROFILES = {
    "smoke": Study(
        student="unshuffle-mini", steps=3, seeds=2, rates=(2.5e-3,), batch=2, leaves=0, taps=("body", "encoders.1")
    ),
    "lab": Study(steps=300, rates=(2.5e-3,), leaves=8),
    "full": Study(student="unet-small", rates=(1e-3, 2.5e-3, 5e-3, 1e-2)),
}


class Data:
    """The pictures of the study, made once."""

    def __init__(self, study: Study, progress: bool) -> None:
        self.study, self.degradation = study, degrade.protocol(study.protocol)
        self.pictures = training_pictures(self.degradation, study.leaves, progress=progress)
        self.scores = {
            split: list(synthetic_pairs(self.degradation, photos(split))) for split in ("validation", "test")
        }

    def batches(self, regime: str, seed: int, arm: Arm) -> Dataset:
        """The batches of a seed: the same for every arm, but for the one that takes more labelled crops."""
        study = self.study
        count = study.batch * 2 if arm.more == "double" else study.batch
        crops = Crops(self.pictures, self.degradation, study.crop, count, seed)
        if regime == "label-rich":
            return crops
        pairs = Crops(self.pictures, self.degradation, study.pair_side, study.labelled, seed=1000)[0]
        return FewLabels(*pairs, crops, seed)


def run(
    study: Study, out: str | Path, arms: Iterable[str] = (), progress: bool = True, regimes: Iterable[str] = ()
) -> list[Record]:
    """Train every arm in both regimes with every seed; each finished run is kept in ``out`` and not run again.

    Args:
        study: the experiment.
        out: folder of the records.
        arms: which ones, beside ``alone``; all and the best mix by default.
        progress: show bars.
        regimes: which ones; both by default.

    Returns:
        one record a run: regime, arm, seed, learning rate, ``validation`` and ``psnr`` (test photos) in dB, seconds.

    Raises:
        UsageError: for an unknown arm or regime, or a folder that holds another study.
    """
    chosen = {name: ARMS[check_name(name, ARMS, "arm")] for name in (["alone", *arms] if arms else ARMS)}
    wanted = [check_name(name, REGIMES, "regime") for name in regimes] or list(REGIMES)
    folder = make_folder(out)
    check_same_study(folder, asdict(study))
    data, teacher = Data(study, progress), checkpoints.load(study.teacher).model
    done: list[Record] = []
    seeds = range(study.first, study.first + study.seeds)
    total = len(wanted) * (len(study.rates) + study.seeds * (len(chosen) + (not arms)))
    with tqdm(total=total, desc="runs", unit="run", disable=not progress) as bar:

        def one(regime: str, name: str, arm: Arm, seed: int, rate: float) -> Record:
            path = folder / f"{regime}, {name}, seed {seed}, rate {rate:g}.json"
            record = kept(path, lambda: _train(data, teacher, regime, name, arm, seed, rate))
            bar.update()
            return record

        for regime in wanted:
            trials = [one(regime, TRIAL, ARMS["alone"], seeds.stop, rate) for rate in study.rates]
            rate = max(trials, key=lambda record: record["validation"])["learning_rate"]
            for seed in seeds:  # seed by seed, so that a study cut short compares what it has
                done += [one(regime, name, arm, seed, rate) for name, arm in chosen.items()]
            if not arms:
                mean = {
                    name: np.mean([r["validation"] for r in done if r["regime"] == regime and r["arm"] == name])
                    for name in chosen
                }
                mix = best_mix({name: float(value) for name, value in mean.items()})
                done += [one(regime, "best mix", mix, seed, rate) for seed in seeds]
    return done


def check_same_study(folder: Path, setup: dict[str, Any]) -> None:
    """Note in a folder what study it holds.

    Raises:
        UsageError: when it holds another one already.
    """
    setup, known = json.loads(json.dumps(setup)), folder / "study.json"
    if known.is_file() and json.loads(known.read_text(encoding="utf-8")) != setup:
        raise UsageError(f"{folder} holds a study with other settings; give another folder with --out")
    with atomic_path(known) as file:
        file.write_text(json.dumps(setup, indent=1), encoding="utf-8")


def config_of(study: Study, rate: float, seed: int) -> TrainConfig:
    """How every run of a study is trained."""
    return TrainConfig(
        steps=study.steps,
        learning_rate=rate,
        warmup=min(100, study.steps // 4),
        average=min(0.999, 1 - 10 / max(study.steps, 11)),
        clip=0.1,
        precision=study.precision,
        seed=seed,
        save_every=study.steps,
    )


def kept(path: Path, train: Callable[[], Record]) -> Record:
    """The record of one run: from its file where there is one, else of ``train``, with its time and provenance."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    start = time.perf_counter()
    record = train() | {
        "seconds": time.perf_counter() - start,
        "commit": provenance.commit(),
        "device": provenance.device_name(),
    }
    with atomic_path(path) as file:
        file.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return record


def _train(data: Data, teacher: nn.Module, regime: str, name: str, arm: Arm, seed: int, rate: float) -> Record:
    """Train one arm with one seed and score it."""
    study = data.study
    student, batches = build(study.student, seed), data.batches(regime, seed, arm)
    teacher = copy.deepcopy(teacher)
    step = step_of(arm, student, teacher, batches[0], study.taps, study.alpha, study.temperature)
    first = study.steps // 3 if arm.more == "hint first" else 0
    rest = Subset(batches, range(first, study.steps))
    try:
        if first:
            hint = Distillation(student, teacher, alpha=0, terms={"hint": 1.0}, taps=study.taps)
            fit(hint, batches, config_of(replace(study, steps=first), rate, seed), progress=False)
        fit(step, rest, config_of(replace(study, steps=study.steps - first), rate, seed), progress=False)
    except UsageError:  # it diverged, which settles a trial of a rate, and nothing else
        if name != TRIAL:
            raise
        scores = dict.fromkeys(data.scores, float("-inf"))
    else:
        scores = {split: mean_psnr(student.eval(), pairs) for split, pairs in data.scores.items()}
    return {
        "regime": regime,
        "arm": name,
        "terms": list(arm.terms),
        "seed": seed,
        "learning_rate": rate,
        "validation": scores["validation"],
        "psnr": scores["test"],
    }
