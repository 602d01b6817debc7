"""Students of one job, trained for the same time on the same crops: ours beside the reports'.

    python tests/benchmarks/students.py

Each network is trained alone (no teacher) on one thread, supervised on the `shake` protocol, and gets as many steps as
fit into the same minutes. Its learning rate is the best of three, by a trial of a tenth of the time each, scored on the
validation photos. Aim: `unet-tiny` and `unet-base` above every report's student.
"""

import argparse
import time

import torch
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from kdsharp.checks import UsageError
from kdsharp.datasets import Crops, photos, synthetic_pairs, training_pictures
from kdsharp.degrade import protocol
from kdsharp.models import build, count_parameters
from kdsharp.recipes import mean_psnr
from kdsharp.study.distillation import Study, config_of
from kdsharp.train import Supervised, fit

RATES = (1e-3, 2.5e-3, 5e-3)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--minutes", type=float, default=2, help="of each network's training, without its trials")
parser.add_argument("--quick", action="store_true", help="two networks for a second each: does it run?")
options = parser.parse_args()
seconds = 1.0 if options.quick else 60 * options.minutes
names = ["unet-tiny", "unet-small", "unet-base", *(f"report-{letter}-student" for letter in "abcde")]

torch.set_num_threads(1)
degradation = protocol("shake")
scores = {
    split: list(synthetic_pairs(degradation, photos(split)))[: 1 if options.quick else None]
    for split in ("validation", "test")
}
pictures = training_pictures(degradation, 0 if options.quick else Study.leaves)
batches = Crops(pictures, degradation, Study.crop, Study.batch, 0)


def trained(name: str, rate: float, steps: int) -> torch.nn.Module | None:
    """The network after so many steps; None where the rate was too high for it."""
    network = build(name, 0)
    try:
        fit(Supervised(network), batches, config_of(Study(steps=steps), rate, 0), progress=False)
    except UsageError:
        return None
    return network.eval()


def seconds_a_step(name: str) -> float:
    """The pace of the last ten of fourteen steps."""
    clocks: list[float] = []
    fit(
        Supervised(build(name, 0)),
        batches,
        config_of(Study(steps=14), RATES[0], 0),
        progress=False,
        watch=lambda step, loss: clocks.append(time.perf_counter()),
    )
    return (clocks[-1] - clocks[3]) / 10


table = Table("student", "parameters", "rate", "steps", "seconds", "PSNR (dB)")
table.add_row("input", "0", "", "", "", f"{mean_psnr(torch.nn.Identity(), scores['test']):.2f}")
for name in tqdm(names[::7] if options.quick else names, desc="students", unit="student"):
    steps, trials = max(2, round(seconds / seconds_a_step(name))), {}
    for rate in RATES[-1:] if options.quick else RATES:
        network = trained(name, rate, max(2, steps // 10))
        trials[rate] = float("-inf") if network is None else mean_psnr(network, scores["validation"])
    best = max(trials, key=trials.__getitem__)
    start = time.perf_counter()
    network = trained(name, best, steps)
    spent = time.perf_counter() - start
    score = "diverged" if network is None else f"{mean_psnr(network, scores['test']):.2f}"
    table.add_row(name, f"{count_parameters(build(name)):,}", f"{best:g}", f"{steps:,}", f"{spent:.0f}", score)
Console(width=100).print(table)
