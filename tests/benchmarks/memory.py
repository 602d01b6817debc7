"""Memory of `kdsharp sharpen` beyond the photo itself, against the size of the photo: flat, because it works in tiles.

python tests/benchmarks/memory.py
"""

import argparse
import subprocess
import sys

from rich.console import Console
from rich.table import Table

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="small")
parser.add_argument("--quick", action="store_true", help="small photos: does it run?")
options = parser.parse_args()

SCRIPT = """
import resource, sys
import numpy as np
from kdsharp import checkpoints, inference
side, model = int(sys.argv[1]), checkpoints.load(sys.argv[2]).model
pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
inference.sharpen(model, pixels[:64, :64])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
inference.sharpen(model, pixels)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3)
"""

table = Table("photo", "megapixels", "input and output, MB", "memory beyond the input, MB", "beyond both, MB")
for side in (64, 96) if options.quick else (1000, 2000, 4000, 8000, 12000):
    command = [sys.executable, "-c", SCRIPT, str(side), options.model]
    more = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    output = side * side * 3 / 1e6
    table.add_row(
        f"{side} x {side}", f"{side**2 / 1e6:.1f}", f"{2 * output:.0f}", f"{more:.0f}", f"{more - output:.0f}"
    )
Console(width=110).print(table)
