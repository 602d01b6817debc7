"""What to train on: photos, dead leaves, or both; scored on photos never seen."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from kdsharp import provenance
from kdsharp.checks import atomic_path, make_folder
from kdsharp.datasets import Crops, training_pictures
from kdsharp.evaluate import mean_interval
from kdsharp.models import build
from kdsharp.recipes import mean_psnr
from kdsharp.study.distillation import Data, Line, Study, check_same_study, config_of
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
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in PICTURES}
    runs = [(seed, kind) for seed in range(study.seeds) for kind in PICTURES]
    for seed, kind in tqdm(runs, desc="runs", unit="run", disable=not progress):
        path = folder / f"{kind}, seed {seed}.json"
        if not path.is_file():
            start, student = time.perf_counter(), build(study.student, seed)
            crops = Crops(kinds[kind], data.degradation, study.crop, study.batch, seed)
            fit(Supervised(student), crops, config_of(study, study.rates[len(study.rates) // 2], seed), progress=False)
            record = {
                "psnr": mean_psnr(student.eval(), data.scores["test"], "cpu"),
                "seconds": time.perf_counter() - start,
                "commit": provenance.commit(),
            }
            with atomic_path(path) as file:
                file.write_text(json.dumps(record, indent=1), encoding="utf-8")
        found[kind].append(json.loads(path.read_text(encoding="utf-8")))
    lines = []
    for kind, records in found.items():
        both = found["both"]
        gain, half = mean_interval([one["psnr"] - other["psnr"] for one, other in zip(records, both, strict=True)])
        psnr, seconds = (float(np.mean([record[key] for record in records])) for key in ("psnr", "seconds"))
        lines.append(Line("pictures", kind, len(records), psnr, gain, half, seconds))
    return lines
