"""What to train on: photos, dead leaves, or both; scored on photos never seen."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from kdsharp.checks import make_folder
from kdsharp.datasets import Crops, training_pictures
from kdsharp.evaluate import mean_interval
from kdsharp.models import build
from kdsharp.recipes import mean_psnr
from kdsharp.study.distillation import Data, Record, Study, check_same_study, config_of, kept
from kdsharp.study.lines import Line
from kdsharp.train import Supervised, fit

PICTURES = ("both", "photos", "dead leaves")


def run(study: Study, out: str | Path, progress: bool = True) -> list[Line]:
    """Train the same student on each kind of pictures, for as many steps, and compare it with ``both``, seed by seed.

    The learning rate is the middle one of ``study.rates``, untuned: one rate, one budget, other pictures.

    Returns:
        one line a kind, with the gain over ``both`` in dB and its 95 % interval.
    """
    folder = make_folder(out)
    check_same_study(folder, asdict(study))
    data = Data(study, progress)
    leaves = data.pictures[len(data.pictures) - study.leaves :]
    kinds = {"both": data.pictures, "photos": training_pictures(data.degradation, leaves=0), "dead leaves": leaves}
    found: dict[str, list[Record]] = {kind: [] for kind in PICTURES}
    runs = [(seed, kind) for seed in range(study.seeds) for kind in PICTURES]

    def train(kind: str, seed: int) -> Record:
        student = build(study.student, seed)
        crops = Crops(kinds[kind], data.degradation, study.crop, study.batch, seed)
        fit(Supervised(student), crops, config_of(study, study.rates[len(study.rates) // 2], seed), progress=False)
        return {"psnr": mean_psnr(student.eval(), data.scores["test"])}

    for seed, kind in tqdm(runs, desc="runs", unit="run", disable=not progress):
        found[kind].append(kept(folder / f"{kind}, seed {seed}.json", partial(train, kind, seed)))
    lines = []
    for kind, records in found.items():
        both = found["both"]
        gain, half = mean_interval([one["psnr"] - other["psnr"] for one, other in zip(records, both, strict=True)])
        psnr, seconds = (float(np.mean([record[key] for record in records])) for key in ("psnr", "seconds"))
        lines.append(Line("pictures", kind, len(records), psnr, gain, half, seconds))
    return lines
