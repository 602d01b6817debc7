"""The best unsharp mask of each photo: how far one filter gets when somebody turns its knobs with the truth in view.

    python tests/benchmarks/unsharp.py --protocol bilinear-60 --photos FOLDER

Radius and amount are searched for every photo alone, so that this is a bound that no fixed setting reaches.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from kdsharp import datasets, degrade
from kdsharp.filters import unsharp_mask
from kdsharp.images import quantize
from kdsharp.metrics import psnr, ssim
from kdsharp.tune import tuned_unsharp

RADII = (0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 2.7)
AMOUNTS = (0.0, 0.3, 0.5, 0.75, 1.0, 1.3, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5, 8.0, 10.0)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--protocol", default="bilinear-60")
parser.add_argument("--photos", type=Path, help="a folder of sharp photos; the held-out bundled ones by default")
parser.add_argument("--quick", action="store_true", help="four settings: does it run?")
options = parser.parse_args()

grid = list(itertools.product((0.7, 1.5), (0.5, 1.0)) if options.quick else itertools.product(RADII, AMOUNTS))
photos = datasets.folder_photos(options.photos)[0] if options.photos else datasets.photos("test")
tuned = tuned_unsharp(options.protocol)
scores = []
for _, blurred, sharp in tqdm(
    list(datasets.synthetic_pairs(degrade.protocol(options.protocol), photos)), desc="photos", unit="photo"
):
    found = [quantize(unsharp_mask(blurred, radius, amount)) for radius, amount in grid]
    best = max(found, key=lambda image: psnr(image, sharp).item())
    scores.append(
        [(psnr(image, sharp).item(), ssim(image, sharp).item()) for image in (blurred, quantize(tuned(blurred)), best)]
    )

table = Table("", "PSNR (dB)", "SSIM", title=f"protocol {options.protocol}, {len(scores)} photos")
for name, (decibels, similarity) in zip(
    ("input", "unsharp, one setting", "best unsharp of each photo"), np.mean(scores, axis=0), strict=True
):
    table.add_row(name, f"{decibels:.2f}", f"{similarity:.4f}")
Console().print(table)
