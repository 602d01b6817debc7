"""What a network does to a background that is out of focus: each of two validation photos with its right half soft.

    python tests/benchmarks/background.py NAME... [--quick]

The truth is soft there, by a Gaussian of some standard deviation or by a disk of twice that radius; then comes a
protocol's blur (`shake`, `motion`, `bilinear-60`). Prints Markdown: the gain over the input in dB, of the soft part
alone, the mean over photos and protocols and the worst of them.
"""

import argparse

import numpy as np
import torch

from kdsharp import checkpoints, datasets, degrade, kernels
from kdsharp.datasets.augment import right_half_soft
from kdsharp.images import quantize, to_array, to_tensor
from kdsharp.metrics import psnr

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="*", default=["base"], help="bundled networks or checkpoint files")
parser.add_argument("--quick", action="store_true", help="one photo, one protocol, two strengths")
options = parser.parse_args()
sigmas = (3.0, 10.0) if options.quick else (1.5, 3.0, 6.0, 10.0)
protocols = ("shake",) if options.quick else ("shake", "motion", "bilinear-60")
lenses = {"Gaussian": kernels.gaussian, "disk": lambda sigma: kernels.disk(2 * sigma)}


def pairs(lens, sigma):
    """Blurred and sharp pictures whose right half is out of focus in the truth."""
    for photo in datasets.photos("validation")[: 1 if options.quick else None]:
        truth = right_half_soft(to_tensor(photo.pixels), lens(sigma))
        for protocol in protocols:
            degradation = degrade.protocol(protocol)
            sharp = to_tensor(degradation.prepare(to_array(truth)))
            yield degradation(sharp, np.random.default_rng(5)), sharp


print(f"| out of focus by | {' | '.join(options.names)} |\n|---|{'---|' * len(options.names)}")
networks = [checkpoints.load(name).model for name in options.names]
for lens, draw in lenses.items():
    for sigma in sigmas:
        cells = []
        for network in networks:
            gains = []
            for blurred, sharp in pairs(draw, sigma):
                with torch.inference_mode():
                    answer = quantize(network(blurred))
                soft = (..., slice(sharp.shape[-1] * 5 // 8, None))
                gains.append((psnr(answer[soft], sharp[soft]) - psnr(blurred[soft], sharp[soft])).item())
            cells.append(f"{np.mean(gains):+.2f} ({min(gains):+.2f})")
        print(f"| {lens}, sigma {sigma:g} | {' | '.join(cells)} |", flush=True)
