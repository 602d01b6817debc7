"""How a sweep scales from one worker to two: the same training runs of one thread each.

    python tests/benchmarks/sweep.py

Times are of the runs, from the first that starts to the last that ends, without the seconds that a cluster takes to
start. Aim: 1.8 times as fast with two workers.
"""

import argparse
import tempfile
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kdsharp import sweep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=8)
    parser.add_argument("--steps", type=int, default=200, help="of each training run")
    parser.add_argument("--quick", action="store_true", help="two runs of two steps: does it run?")
    options = parser.parse_args()
    count, steps = (2, 2) if options.quick else (options.points, options.steps)

    target = sweep.find_target("alpha-temperature", "student", None)
    table = Table("workers", "runs", "seconds", "seconds a run", "ratio")
    first = 0.0
    for workers in (1, 2):
        points = sweep.grid_points(target, {"STEPS": [steps]}, count, "smoke" if options.quick else "lab")
        with tempfile.TemporaryDirectory() as folder:
            records = sweep.sweep(points, Path(folder), workers, progress=False).values()
        assert all(record["status"] == "done" for record in records), records
        begin = min(datetime.fromisoformat(record["started"]) for record in records)
        end = max(datetime.fromisoformat(record["finished"]) for record in records)
        seconds = (end - begin).total_seconds()
        first = first or seconds
        mean = sum(record["seconds"] for record in records) / count
        table.add_row(str(workers), str(count), f"{seconds:.1f}", f"{mean:.1f}", f"{first / seconds:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":  # each worker is a new process that imports this file
    main()
