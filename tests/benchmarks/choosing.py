"""What the bundled networks were chosen by, and nothing that they are measured on (STUDY.md, *Longer*).

    python tests/benchmarks/choosing.py NAME... --crops FOLDER [--quick]

FOLDER holds real pairs of GoPro's training split (`blur/`, `sharp/`; here 48 crops of 256 pixels at half resolution).
Prints Markdown, gains over the input in dB: of the crops whose scenes no training has met (*unseen*), of all, and of
forty pictures: two validation photos, as they are and with their right half out of focus by Gaussians of 2, 4 and 8
pixels, under five protocols. Then in dB how sharp pictures come back: regular patterns that no training has met.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from kdsharp import checkpoints, datasets, degrade, evaluate, kernels
from kdsharp.datasets import woven
from kdsharp.datasets.augment import right_half_soft
from kdsharp.images import quantize, to_array, to_tensor
from kdsharp.metrics import psnr

LEARNED = {f"a{number:03}" for number in (4, 7, 9, 12, 14, 19, 23, 24, 26, 27)}
LEARNED |= {f"b{number:03}" for number in (65, 67, 70, 71, 72, 73, 76, 79, 82, 83, 86)}
"""The 21 crops that `--pairs` of the last parts had."""
PROTOCOLS = ("gaussian-256", "bilinear-60", "bicubic-4x", "motion", "shake")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="*", default=["base", "small", "tiny"], help="bundled networks or checkpoint files")
parser.add_argument("--crops", type=Path, help="the folder of real pairs; without it their columns are left out")
parser.add_argument("--quick", action="store_true", help="one protocol, two patterns")
options = parser.parse_args()
torch.set_num_threads(1)


def forty():
    """(name, blurred, sharp) of the validation photos, whose right half is out of focus or not."""
    for photo in datasets.photos("validation"):
        picture = to_tensor(photo.pixels)
        for sigma in (0, 2, 4, 8):
            truth = right_half_soft(picture, kernels.gaussian(float(sigma))) if sigma else picture
            for protocol in PROTOCOLS[:1] if options.quick else PROTOCOLS:
                degradation = degrade.protocol(protocol)
                sharp = to_tensor(degradation.prepare(to_array(truth)))
                yield f"{photo.name} {sigma} {protocol}", degradation(sharp, np.random.default_rng(5)), sharp


def cells(values):
    """Mean, worst, and how many are below their input."""
    return f"{values.mean():+.2f} | {values.min():+.2f} | {(values < 0).sum()} of {len(values)}"


crops = list(evaluate.real_pairs(datasets.PairedFolder(options.crops))) if options.crops else []
unseen = [pair for pair in crops if Path(pair[0]).stem not in LEARNED]
sets = {name: pairs for name, pairs in (("unseen", unseen), ("crops", crops), ("forty", list(forty()))) if pairs}
inputs = {name: evaluate.image_scores(torch.nn.Identity(), pairs) for name, pairs in sets.items()}
rng = np.random.default_rng(1000)
patterns = [to_tensor(woven(320, rng)) for _ in range(2 if options.quick else 12)]
print("| network | " + "".join(f"{name} | worst | below | " for name in sets) + "patterns | worst |")
print("|---" * (3 * len(sets) + 3) + "|")
for name in options.names:
    network = checkpoints.load(name).model.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        back = np.array([psnr(quantize(network(each)), each).clamp(max=80).item() for each in patterns])
    row = "".join(f"{cells(evaluate.image_scores(network, pairs) - inputs[each])} | " for each, pairs in sets.items())
    print(f"| {name} | {row}{back.mean():.1f} | {back.min():.1f} |", flush=True)
