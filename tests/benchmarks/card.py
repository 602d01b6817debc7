"""The scores of a model card: one network beside its input and a tuned unsharp mask, with the image it did worst on.

    python tests/benchmarks/card.py NAME --data FOLDER [--quick]

FOLDER holds real images that nothing here was trained on: ``gopro/`` and ``reds/`` (pairs), ``set14/`` (sharp photos).
Prints Markdown. PSNR in dB, means over the images; *worst* is the least gain over the input.
"""

import argparse
import os
from pathlib import Path

import torch

from kdsharp import datasets, degrade, evaluate, images
from kdsharp.inference import sharpen
from kdsharp.metrics import psnr

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("name", nargs="?", default="small", help="a bundled network or a checkpoint file")
parser.add_argument("--data", type=Path, default=os.environ.get("KDSHARP_REAL_DATA"), help="the folder of real images")
parser.add_argument("--quick", action="store_true", help="one image of each kind")
options = parser.parse_args()
if options.data is None or not Path(options.data).is_dir():
    parser.error("give the folder of real images with --data, or in KDSHARP_REAL_DATA")
data, most = Path(options.data), 1 if options.quick else None
kinds = {"4 held-out photos": datasets.photos("test")[:most], "set14": datasets.folder_photos(data / "set14")[0][:most]}
called = Path(options.name).stem
print(f"| measured on | input | unsharp | {called} | worst | below |\n|---|---:|---:|---:|---:|---:|")


def row(words, pairs, protocol):
    functions = evaluate.contestants([options.name], protocol)
    still, mask, found = evaluate.evaluate(functions, pairs, protocol, timing=False)
    below = f"{found.below} of {found.images}"
    print(f"| {words} | {still.psnr:.2f} | {mask.psnr:.2f} | {found.psnr:.2f} | {found.worst_gain:+.2f} | {below} |")


for protocol in ("shake", "motion", "gaussian-256", "bilinear-60", "bicubic-4x"):
    for kind, photos in kinds.items():
        pairs = list(datasets.synthetic_pairs(degrade.protocol(protocol), photos))
        row(f"`--protocol {protocol}`, {kind}", pairs, protocol)
        if protocol == "shake":
            row(f"`--protocol shake --jpeg 75`, {kind}", list(evaluate.compressed(pairs, 75)), protocol)
for name in ("gopro", "reds"):
    pairs = list(evaluate.real_pairs(datasets.PairedFolder(data / name)))[:most]
    row(f"`--pairs {name}`, {len(pairs)} real pairs", pairs, "gopro")
function = evaluate.network(options.name)
kept = []
for photo in kinds["set14"]:
    kept.append(psnr(images.to_tensor(sharpen(function, photo.pixels)), images.to_tensor(photo.pixels)).item())
middle = torch.tensor(kept).median()
print(f"\nSharp photos (set14) come back with {min(kept):.1f} dB or more, {middle:.1f} in the median.")
