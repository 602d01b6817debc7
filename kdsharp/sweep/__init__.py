"""Sweeps (floor 7; lessons 10, 12): one lesson or training run at every point of a grid, with several seeds.

A *point* is one run: a target, its parameters, a seed, a profile. Dask carries the points to worker processes, on this
machine or on a cluster; every finished point leaves a record, and all records make one Parquet table.
"""

from kdsharp.sweep.bundle import Grid, bundle, load_grid
from kdsharp.sweep.points import Point, grid_points, parse_grid
from kdsharp.sweep.records import read_records, summary, table
from kdsharp.sweep.run import run_point, sweep
from kdsharp.sweep.targets import Lesson, Target, Training, find_target

__all__ = [
    "Grid",
    "Lesson",
    "Point",
    "Target",
    "Training",
    "bundle",
    "find_target",
    "grid_points",
    "load_grid",
    "parse_grid",
    "read_records",
    "run_point",
    "summary",
    "sweep",
    "table",
]
