"""Full HD, uint8 pixels in to uint8 pixels out, on two threads: our students beside the reports'.

    python tests/benchmarks/latency.py

One run on one machine: compare the rows with each other, not with another machine's. Aims: `tiny` at least 2.1 times as
fast as report E's student, `base` at most 2.5 times as slow. *Of the limit* is the share of the multiply-accumulates a
second that the same threads reach in a product of two large matrices.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from kdsharp import checkpoints, export, inference
from kdsharp.export.measure import FULL_HD, calibration_images, frame_time
from kdsharp.models import build, count_macs, count_parameters

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repeats", type=int, default=15)
parser.add_argument("--quick", action="store_true", help="one repeat, a small frame: does it run?")
options = parser.parse_args()
size = (108, 192, 3) if options.quick else FULL_HD
repeats = 1 if options.quick else options.repeats

torch.set_num_threads(options.threads)


def matrices_per_second(side=2048):
    """Multiply-accumulates a second of a product of two large matrices, in billions."""
    one = torch.rand(side, side)
    return side**3 / inference.milliseconds(lambda: one @ one, 5) / 1e6


ours = [name for name in ("tiny", "small", "base") if name in checkpoints.bundled()]
theirs = [f"report-{letter}-student" for letter in "abcde"]
if options.quick:
    ours, theirs = ours[:1], theirs[-1:]
limit = matrices_per_second()
networks = {name: checkpoints.load(name).model for name in ours} | {name: build(name).eval() for name in theirs}
frame = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
smaller = [frame[:48, :64], frame[:72, :128]] if options.quick else [frame[:480, :640], frame[:720, :1280]]
smaller = [np.ascontiguousarray(each) for each in smaller]
table = Table(
    "network",
    "parameters",
    "MACs a pixel",
    "PyTorch, ms",
    "ONNX, ms",
    "frames/s",
    "of the limit",
    "640x480, ms",
    "1280x720, ms",
    "int8, ms",
    title=f"{size[1]}x{size[0]}; the limit: {limit:.0f} billion multiply-accumulates a second",
)
with tempfile.TemporaryDirectory() as folder:
    for name, network in networks.items():
        row = [name, f"{count_parameters(network):,}", f"{count_macs(network):,.0f}"]
        row.append(f"{frame_time(lambda each, network=network: inference.sharpen(network, each), frame, repeats):.1f}")
        path = export.export(network, Path(folder) / f"{name}.onnx", pixels=True)
        session = export.Session(path, options.threads)
        milliseconds = frame_time(session.pixels, frame, repeats)
        share = count_macs(network) * size[0] * size[1] / milliseconds / 1e6 / limit
        row += [f"{milliseconds:.1f}", f"{1000 / milliseconds:.1f}", f"{share:.0%}"]
        row += [f"{frame_time(session.pixels, small, repeats):.1f}" for small in smaller]
        if name in ours:
            path = export.export(
                network, Path(folder) / f"{name}-int8.onnx", pixels=True, calibration=calibration_images("shake", 8)
            )
            row.append(f"{frame_time(export.Session(path, options.threads).pixels, frame, repeats):.1f}")
        table.add_row(*row)
Console(width=150).print(table)
