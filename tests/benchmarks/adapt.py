"""What a clip teaches its own student, beside the control that could explain it: the same with random motion.

    python tests/benchmarks/adapt.py --clip FOLDER [--photos FOLDER] [--minutes 0.5 2 5] [--model base] [--quick]

FOLDER holds ``blur/`` and ``sharp/``, frames of one clip in order. PSNR in dB, means over the frames.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from torch import nn

from kdsharp import adapt, checkpoints, datasets, degrade, evaluate, images

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
real = os.environ.get("KDSHARP_REAL_DATA")
parser.add_argument("--clip", type=Path, default=real and Path(real, "reds_clip"), help="the folder of frames")
parser.add_argument("--photos", type=Path, help="sharp photos to learn from; the bundled ones by default")
parser.add_argument(
    "--minutes", type=float, nargs="+", default=[2.0], help="of learning, for each row; the control has the most"
)
parser.add_argument("--model", default="base", help="the network to begin with")
parser.add_argument("--quick", action="store_true", help="seconds, and a small network: does it run?")
options = parser.parse_args()
if options.clip is None:
    parser.error("give the folder of frames with --clip, or the folder of real images in KDSHARP_REAL_DATA")
if options.quick:
    options.minutes, options.model = [0.01], "tiny"
blurred = [Path(path) for path in images.list_images(options.clip / "blur")]
sharp = images.list_images(options.clip / "sharp")
pairs = [
    (one.name, *(images.to_tensor(images.read(path)) for path in (one, other)))
    for one, other in zip(blurred, sharp, strict=True)
]
own = datasets.folder_paths(options.photos)[0] if options.photos else None
first = checkpoints.load(options.model).model
movement = adapt.motion_of(adapt.neighbours(blurred))
print(f"the clip {movement.sentence()}")
table = Table(
    "network", "PSNR", "gain over the input", "worst frame", "steps", "on held-back photos under the clip's motion"
)
still = evaluate.image_scores(nn.Identity(), pairs)


def row(name, network, told=None):
    scores = evaluate.image_scores(network, pairs)
    gains = scores - still
    held = "" if told is None else f"{told.after - told.before:+.2f} dB, {'used' if told.better else 'not used'}"
    steps = "" if told is None else f"{told.steps}"
    table.add_row(name, f"{np.mean(scores):.2f}", f"{gains.mean():+.2f}", f"{gains.min():+.2f}", steps, held)


row("input", nn.Identity())
row(options.model, first)
own_motion, longest = degrade.ClipMotion(vectors=movement.as_tuple()), max(options.minutes)
for minutes, name, motion in [
    *((minutes, "on the clip's motion", own_motion) for minutes in options.minutes),
    (longest, "control: on random motion", degrade.LinearMotion()),
]:
    learned = adapt.adapt(first, motion, minutes, own)
    row(f"{options.model} tuned {name}, {minutes:g} minutes", learned.model, learned)
Console(width=140).print(table)
