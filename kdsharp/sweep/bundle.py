"""A grid over alpha and temperature: the exhibit that comes with kdsharp, and how a sweep's folder becomes one
(lesson 10)."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdsharp import checkpoints
from kdsharp.checks import UsageError, atomic_path, make_folder
from kdsharp.sweep.records import is_done, read_records

MEASURED = ("psnr", "psnr_input", "ssim_to_teacher", "steps", "precision")
COLUMNS = ("alpha", "temperature", "seed", *MEASURED, "seconds", "commit")


@dataclass(frozen=True)
class Grid:
    """The scores of one student at every alpha and temperature, with several seeds.

    Args:
        alphas, temperatures: the axes, ascending.
        psnr: dB on the held-out photos, (alphas, temperatures, seeds).
        psnr_input: dB of the blurred input itself.
        steps: of each training.
    """

    alphas: tuple[float, ...]
    temperatures: tuple[float, ...]
    psnr: np.ndarray
    psnr_input: float
    steps: int

    def gains(self) -> np.ndarray:
        """PSNR minus that of the student alone (the last alpha, 1) of the same seed; shape as ``psnr``.

        At alpha = 1 the temperature acts on nothing, so that row is 0 up to what two runs of one seed differ by.
        """
        return self.psnr - self.psnr[-1:].mean(1, keepdims=True)


def load_grid(folder: str | Path | None = None) -> Grid:
    """The grid in a folder that :func:`bundle` wrote; by default the one that comes with kdsharp.

    Raises:
        UsageError: for a folder without a whole grid.
    """
    folder = checkpoints.data_folder() / "grid" if folder is None else Path(folder)
    path = folder / "scores.csv"
    if not path.is_file():
        raise UsageError(f"{folder} holds no grid: {path.name} is missing; sweep.bundle makes one from a sweep")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cells = {(float(row["alpha"]), float(row["temperature"]), int(row["seed"])): float(row["psnr"]) for row in rows}
    alphas, temperatures = (tuple(sorted({cell[axis] for cell in cells})) for axis in (0, 1))
    seeds = sorted({seed for _, _, seed in cells})
    missing = [(a, t, s) for a in alphas for t in temperatures for s in seeds if (a, t, s) not in cells]
    if missing or alphas[-1] != 1:
        raise UsageError(f"{path} is no whole grid up to alpha 1: {len(missing)} cells are missing")
    psnr = np.array([[[cells[a, t, s] for s in seeds] for t in temperatures] for a in alphas])
    return Grid(alphas, temperatures, psnr, float(rows[0]["psnr_input"]), int(rows[0]["steps"]))


def bundle(out: str | Path, folder: str | Path) -> Grid:
    """Make a grid of the folder of ``kdsharp sweep alpha-temperature``: every score.

    Args:
        out: what the sweep wrote: points over ``alpha`` and ``temperature``.
        folder: gets ``scores.csv``.

    Raises:
        UsageError: when the sweep is not finished, or is over something else.
    """
    records = list(read_records(Path(out)).values())
    if not records or not all(map(is_done, records)):
        raise UsageError(f"{out} holds no finished sweep; the command that began it goes on")
    if not all({"alpha", "temperature"} <= record["parameters"].keys() for record in records):
        raise UsageError(f"{out} is not a sweep over ALPHA and TEMPERATURE")
    target = make_folder(folder)
    rows = []
    for record in sorted(records, key=lambda each: (*_cell(each), each["seed"])):
        alpha, temperature = _cell(record)
        results = record["results"]
        rows.append([alpha, temperature, record["seed"], *(results.get(name) for name in MEASURED)])
        rows[-1] += [record["seconds"], record["commit"]]
    with atomic_path(target / "scores.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return load_grid(target)


def _cell(record: dict) -> tuple[float, float]:
    return float(record["parameters"]["alpha"]), float(record["parameters"]["temperature"])
