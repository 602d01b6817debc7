"""What the bundled networks are meant to do for a user, and what they do: every aim with its command.

    python tests/benchmarks/aims.py --data FOLDER [--quick]

FOLDER holds real images that nothing here was trained on: ``gopro/`` and ``reds/`` (pairs), ``set14/`` (sharp photos).
Gains are in dB over the input, means over images. The aims were set for other images of the same kinds; these few are
what can be measured without them.
"""

import argparse
import os
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from kdsharp import checkpoints, datasets, degrade, evaluate, images
from kdsharp.inference import sharpen
from kdsharp.metrics import psnr

SETS = ("gopro", "reds")
"""Folders of real pairs."""
GAINS = [
    ("base", "gopro", 1.1),
    ("small", "gopro", 0.5),
    ("tiny", "gopro", 0.5),
    ("base", "reds", 1.1),
    ("tiny", "reds", 0.6),
    ("gaussian-256", "gaussian-256", 4.6),
    ("bilinear-60", "bilinear-60", 4.1),
    ("bicubic-4x", "bicubic-4x", 1.0),
]
"""Network, what it is measured on, the mean gain that is meant."""
HARM, SHARP = -0.1, 45.0
"""No image may lose more against its input; a sharp photo comes back with at least so many dB."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=os.environ.get("KDSHARP_REAL_DATA"), help="the folder of real images")
parser.add_argument("--quick", action="store_true", help="one image of each kind")
options = parser.parse_args()
if options.data is None or not Path(options.data).is_dir():
    parser.error("give the folder of real images with --data, or in KDSHARP_REAL_DATA")
data, most = Path(options.data), 1 if options.quick else None
photos = datasets.folder_photos(data / "set14")[0][:most]


def pairs(name):
    """The pairs of a real set, or the photos blurred by a protocol."""
    if name in SETS:
        folder = datasets.PairedFolder(data / name, blur="blur")
        return list(evaluate.real_pairs(folder))[:most]
    return list(datasets.synthetic_pairs(degrade.protocol(name), photos))


def command(model, name):
    where = f"--pairs {data / name}" if name in SETS else f"--photos {data / 'set14'} --protocol {name}"
    return f"kdsharp evaluate --model {model} {where} --each"


table = Table("network", "on", "aim", "measured", "", "command")
table.columns[-1].overflow = "fold"


def row(model, name, aim, measured, met, how):
    table.add_row(model, name, aim, measured, "met" if met else "missed", how)


def measured(model, name):
    functions = {"input": torch.nn.Identity(), model: evaluate.network(model)}
    still, found = evaluate.evaluate(functions, pairs(name), name, timing=False)
    return found.psnr - still.psnr, found


known = checkpoints.bundled()
for model, name, aim in GAINS:
    if model not in known:
        row(model, name, f"{aim:+.1f} dB", "not there", False, "")
        continue
    gain, _ = measured(model, name)
    row(model, name, f"{aim:+.1f} dB", f"{gain:+.2f} dB", gain >= aim, command(model, name))
for model in ("tiny", "small", "base"):
    for name in (*SETS, *(each for each, found in degrade.PROTOCOLS.items() if found is not None)):
        _, found = measured(model, name)
        told = f"{found.worst_gain:+.2f} dB on {found.worst}; {found.below} of {found.images} below"
        row(model, name, f"no image below {HARM} dB", told, found.worst_gain >= HARM, command(model, name))
    function = evaluate.network(model)
    kept = [psnr(images.to_tensor(sharpen(function, photo.pixels)), images.to_tensor(photo.pixels)) for photo in photos]
    least = torch.stack(kept).min().item()
    aim, how = f"at least {SHARP:.0f} dB", f"kdsharp sharpen {data / 'set14'}/*.png --model {model}"
    row(model, "sharp photos", aim, f"{least:.1f} dB", least >= SHARP, how)
Console(width=160).print(table)
