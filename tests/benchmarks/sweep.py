"""How a sweep scales from one worker to two: the same training runs of one thread each.

    python tests/benchmarks/sweep.py

Times are of the runs, from the first that starts to the last that ends, without the seconds that a cluster takes to
start. Aim: 1.8 times as fast with two workers. The last row runs the same in two plain processes that share nothing, no
scheduler between them: what this machine's two cores allow.
"""

import argparse
import multiprocessing
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kdsharp import sweep
from kdsharp.sweep.run import run_point

WAYS = ("1 worker", "2 workers", "2 plain processes")


def records_of(way: str, points: list[sweep.Point], folder: Path) -> Iterable[dict[str, Any]]:
    """Run all points in one of the ways."""
    if way.endswith("processes"):
        os.environ["OMP_NUM_THREADS"] = "1"  # as the workers of a sweep have it
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(partial(run_point, out=folder), points))
    return sweep.sweep(points, folder, int(way[0]), progress=False).values()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=8)
    parser.add_argument("--steps", type=int, default=200, help="of each training run")
    parser.add_argument("--quick", action="store_true", help="two runs of two steps: does it run?")
    options = parser.parse_args()
    count, steps = (2, 2) if options.quick else (options.points, options.steps)

    target = sweep.find_target("alpha-temperature", "student", None)
    table = Table("way", "runs", "seconds", "seconds a run", "ratio")
    first = 0.0
    for way in WAYS:
        points = sweep.grid_points(target, {"STEPS": [steps]}, count, "smoke" if options.quick else "lab")
        with tempfile.TemporaryDirectory() as folder:
            records = records_of(way, points, Path(folder))
        assert all(record["status"] == "done" for record in records), records
        begin = min(datetime.fromisoformat(record["started"]) for record in records)
        end = max(datetime.fromisoformat(record["finished"]) for record in records)
        seconds = (end - begin).total_seconds()
        first = first or seconds
        mean = sum(record["seconds"] for record in records) / count
        table.add_row(way, str(count), f"{seconds:.1f}", f"{mean:.1f}", f"{first / seconds:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":  # each worker is a new process that imports this file
    main()
