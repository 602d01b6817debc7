"""A grid of scores over alpha and what acts with it: those that come with kdsharp, and how a sweep's folder becomes one
(lessons 09 and 10)."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdsharp import checkpoints
from kdsharp.checks import UsageError, atomic_path, check_name, make_folder
from kdsharp.recipes import RECIPES
from kdsharp.sweep.records import is_done, read_records

AXES = ("alpha", "labels", "temperature", "pull")
"""What a grid may vary, in the order of its columns."""
MEASURED = ("psnr", "psnr_input", "ssim_to_teacher", "steps", "precision")
Row = dict[str, float]


@dataclass(frozen=True)
class Grid:
    """The scores of one student at many mixes of truth and teacher, with several seeds.

    Args:
        axes: the names of what varies, of :data:`AXES`, ``alpha`` among them.
        rows: one for each run: a value for each axis, ``seed``, ``psnr`` (dB on the held-out photos).
        psnr_input: dB of the blurred input itself.
        steps: of each training.
        folder: where the students of one seed lie, if they do.
    """

    axes: tuple[str, ...]
    rows: tuple[Row, ...]
    psnr_input: float
    steps: int
    folder: Path

    def values(self, axis: str) -> tuple[float, ...]:
        """The values of an axis, ascending."""
        check_name(axis, self.axes, "axis")
        return tuple(sorted({row[axis] for row in self.rows}))

    def psnr(self, **where: float) -> np.ndarray:
        """dB of the runs at these values, (seeds,), in the order of their seeds."""
        found = [row for row in self.rows if all(row[name] == value for name, value in where.items())]
        if not found:
            raise UsageError(f"the grid has no run at {where}")
        return np.array([row["psnr"] for row in sorted(found, key=lambda row: row["seed"])])

    def alone(self, labels: float | None = None) -> np.ndarray:
        """dB of the student alone (alpha 1), (seeds,): neither temperature nor pull acts there, so that runs which
        differ in them alone are averaged.
        """
        rows = [row for row in self.rows if row["alpha"] == 1 and (labels is None or row["labels"] == labels)]
        seeds = sorted({row["seed"] for row in rows})
        return np.array([np.mean([row["psnr"] for row in rows if row["seed"] == seed]) for seed in seeds])

    def gains(self, **where: float) -> np.ndarray:
        """What the teacher is worth in dB at these values, seed by seed: PSNR minus that of the student alone with the
        same seed and as many labels.
        """
        return self.psnr(**where) - self.alone(where.get("labels"))

    def student(self, **where: float) -> Path:
        """The checkpoint of one seed at these values; :func:`bundle` keeps them on wish."""
        return self.folder / _file_name([where[name] for name in self.axes], self.axes)


def load_grid(name: str | Path) -> Grid:
    """A grid that comes with kdsharp, by name, or the one in a folder that :func:`bundle` wrote.

    Raises:
        UsageError: for a folder without a whole grid.
    """
    folder = checkpoints.data_folder() / "grid" / name  # an absolute path stays what it is
    path = folder / "scores.csv"
    if not path.is_file():
        raise UsageError(f"{folder} holds no grid: {path.name} is missing; sweep.bundle makes one from a sweep")
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    axes = tuple(axis for axis in AXES if axis in found[0])
    rows = tuple({each: float(row[each]) for each in (*axes, "seed", "psnr")} for row in found)
    cells = {tuple(row[axis] for axis in axes) for row in rows}
    seeds = {row["seed"] for row in rows}
    missing = len(cells) * len(seeds) - len({(*(row[axis] for axis in axes), row["seed"]) for row in rows})
    if missing or not any(row["alpha"] == 1 for row in rows):
        raise UsageError(f"{path} is no whole grid up to alpha 1: {missing} runs are missing")
    return Grid(axes, rows, float(found[0]["psnr_input"]), int(found[0]["steps"]), folder)


def bundle(out: str | Path, folder: str | Path, axes: Sequence[str], keep: int | None = None) -> Grid:
    """Make a grid of the folder of ``kdsharp sweep``: every score, and the students of one seed.

    Args:
        out: what the sweep wrote; several commands may have written there, one after the other.
        folder: gets ``scores.csv``.
        axes: what varies, of :data:`AXES`; where a run was not asked for one, it is the recipe's own, such as the
            temperature of a student alone.
        keep: the seed whose checkpoints are kept, in float16.

    Raises:
        UsageError: when the sweep is not finished, or is over something else.
    """
    axes = tuple(axis for axis in AXES if axis in axes)
    records = list(read_records(Path(out)).values())
    if not records or not all(map(is_done, records)):
        raise UsageError(f"{out} holds no finished sweep; the command that began it goes on")
    if not all(any(axis in record["parameters"] for record in records) for axis in axes):
        raise UsageError(f"{out} is not a sweep over {' and '.join(axis.upper() for axis in axes)}")
    target = make_folder(folder)
    rows = []
    for record in sorted(records, key=lambda each: (*_cell(each, axes), each["seed"])):
        cell, results = _cell(record, axes), record["results"]
        rows.append([*cell, record["seed"], *(results.get(name) for name in MEASURED)])
        rows[-1] += [record["seconds"], record["commit"]]
        if record["seed"] == keep:
            loaded = checkpoints.load(Path(out) / results["checkpoint"])
            checkpoints.save(target / _file_name(cell, axes), loaded.model, loaded.meta["architecture"], half=True)
    with atomic_path(target / "scores.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*axes, "seed", *MEASURED, "seconds", "commit"], *rows])
    return load_grid(target.resolve())


def _cell(record: dict, axes: Sequence[str]) -> list[float]:
    own = RECIPES[record["target"].split()[0]].student
    return [float(record["parameters"].get(axis, getattr(own, axis))) for axis in axes]


def _file_name(cell: Sequence[float], axes: Sequence[str]) -> str:
    return "-".join(f"{axis}-{value:g}" for axis, value in zip(axes, cell, strict=True)) + ".safetensors"
