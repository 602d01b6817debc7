"""What the optimizer study found, in tables and a figure (lesson 12)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from kdsharp.evaluate import mean_interval
from kdsharp.plots import COLOURS, WIDTH
from kdsharp.plots import figure as empty
from kdsharp.study.optimizers import MEASURED
from kdsharp.tables import Row


@dataclass(frozen=True)
class Final:
    """One optimizer at the end: its PSNR on test pictures, gain over Adam, paired by seed; 95 % intervals, dB."""

    rates: str
    optimizer: str
    learning_rate: float
    seeds: int
    psnr: float
    half_width: float
    gain: float
    gain_half_width: float

    @property
    def verdict(self) -> str:
        """In words: of an interval that contains 0 no difference is shown."""
        if self.optimizer == "adam":
            return "the baseline"
        if not math.isfinite(self.psnr):
            return "diverged"
        if not abs(self.gain) > self.gain_half_width:
            return "not shown"
        return "better" if self.gain > 0 else "worse"


def finals(rows: Sequence[Row]) -> list[Final]:
    """What the last epoch says of every optimizer, at equal rates first."""
    last = max(row["epoch"] for row in rows)
    ends = [row for row in rows if row["epoch"] == last and row["split"] == "test"]
    found = []
    for kind in dict.fromkeys(row["rates"] for row in ends):
        here = [row for row in ends if row["rates"] == kind]
        adam = {row["seed"]: row["psnr"] for row in here if row["optimizer"] == "adam"}
        for name in dict.fromkeys(row["optimizer"] for row in here):
            mine = [row for row in here if row["optimizer"] == name]
            scores = [row["psnr"] for row in mine]
            gains = mean_interval([row["psnr"] - adam.get(row["seed"], math.nan) for row in mine])
            found.append(Final(kind, name, mine[0]["learning_rate"], len(mine), *mean_interval(scores), *gains))
    return found


def mean_table(rows: Sequence[Row], optimizer: str, rates: str = "equal") -> list[Row]:
    """The mean over seeds of one optimizer's table: a row for each epoch and split."""
    mine = [row for row in rows if row["optimizer"] == optimizer and row.get("rates", rates) == rates]
    found = []
    for epoch, split in dict.fromkeys((row["epoch"], row["split"]) for row in mine):
        same = [row for row in mine if (row["epoch"], row["split"]) == (epoch, split)]
        means = {key: float(np.mean([row[key] for row in same])) for key in MEASURED}
        found.append({"epoch": epoch, "split": split} | means)
    return found


def report_table(rows: Sequence[Row]) -> str:
    """Rows of one optimizer in the layout of report A's tables, as Markdown: losses in thousandths, PSNR in dB.

    A cell that is not known stays empty.
    """
    short = dict(zip(MEASURED, ("total", "rec.", "feat.", "dB"), strict=True))
    names = [(split, key) for split in ("train", "test") for key in MEASURED]
    lines = ["| epoch | " + " | ".join(f"{split} {short[key]}" for split, key in names) + " |", "|---" * 9 + "|"]
    for epoch in dict.fromkeys(row["epoch"] for row in rows):
        both = {row["split"]: row for row in rows if row["epoch"] == epoch}
        lines.append(f"| {epoch} | " + " | ".join(_cell(both[split][key], key) for split, key in names) + " |")
    return "\n".join(lines)


def _cell(value: float | None, key: str) -> str:
    return "" if value is None else f"{value if key == 'psnr' else 1000 * value:.2f}"


def falls(rows: Sequence[Row], least: float = 1.0) -> list[tuple[int, float, float]]:
    """Where the test PSNR of one optimizer's table fell by ``least`` dB or more from one row to the next.

    Returns:
        (epoch, change of the test PSNR, change of the training PSNR), changes in dB.
    """
    lines = {
        split: [(row["epoch"], row["psnr"]) for row in rows if row["split"] == split] for split in ("train", "test")
    }
    found = []
    for index in range(1, len(lines["test"])):
        test, train = (lines[split][index][1] - lines[split][index - 1][1] for split in ("test", "train"))
        if test <= -least:
            found.append((lines["test"][index][0], test, train))
    return found


COLUMNS = ("rates", "optimizer", "rate", "test PSNR, dB", "against Adam, dB", "verdict")
"""What :func:`cells` gives of an optimizer."""


def cells(line: Final) -> tuple[str, ...]:
    """A line of the table as text."""
    gain = "" if line.optimizer == "adam" else f"{line.gain:+.2f} ± {line.gain_half_width:.2f}"
    score = f"{line.psnr:.2f} ± {line.half_width:.2f}"
    return line.rates, line.optimizer, f"{line.learning_rate:g}", score, gain, line.verdict


def markdown(lines: Sequence[Final]) -> str:
    """The last epoch as a table."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(cells(line) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def figure(lines: Sequence[Final], doing_nothing: float | None = None) -> Figure:
    """Test PSNR with 95 % intervals at equal and at tuned rates; a dashed line for the blurred input itself."""
    names = list(dict.fromkeys(line.optimizer for line in lines))
    height = 320
    made = empty(WIDTH, height)
    axes = made.add_axes((64 / WIDTH, 46 / height, (WIDTH - 78) / WIDTH, (height - 60) / height))
    for index, kind in enumerate(dict.fromkeys(line.rates for line in lines)):
        mine = [line for line in lines if line.rates == kind and math.isfinite(line.psnr)]
        places = [names.index(line.optimizer) + 0.24 * index - 0.12 for line in mine]
        values, widths = [line.psnr for line in mine], [line.half_width for line in mine]
        axes.errorbar(
            places, values, yerr=widths, fmt="os"[index], capsize=5, color=COLOURS[index], label=f"{kind} rate"
        )
    if doing_nothing is not None:
        axes.axhline(doing_nothing, linestyle="--", color=COLOURS[4], label="the blurred input as it is")
    axes.set_xticks(range(len(names)), names)
    axes.set(xlim=(-0.5, len(names) - 0.5), ylabel="PSNR on test pictures, dB")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=8)  # with a frame: a mark in it is no measurement
    return made
