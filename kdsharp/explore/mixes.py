"""Which alpha for how many labels? One position of a measured grid: its gain among its neighbours, and what that
student makes of a photo (lesson 10, floor 7)."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from kdsharp import checkpoints, plots
from kdsharp.evaluate import mean_interval, verdict
from kdsharp.images import quantize, to_array
from kdsharp.metrics import psnr
from kdsharp.plots import COLOURS, WIDTH
from kdsharp.plots.narrow import NARROW, wide_and_narrow
from kdsharp.sweep import Grid

SIDE, ZOOM = 96, 2
"""Pixels of the photo a side that are shown, and how large each is drawn."""
GREY, DASHES = "#6e6e6e", ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1, 1, 1)))
"""How the other numbers of labels are drawn: each has dashes of its own, the same at every position."""


def words(labels: float) -> str:
    """A number of labelled pairs in words; 0 is a label for every crop."""
    return f"{labels:g} labelled pair{'s' * (labels != 1)}" if labels else "a label for every crop"


def worth(grid: Grid, alpha: float, labels: float) -> str:
    """The verdict on a mix and its gain in dB; and whether it is below its own input."""
    below = grid.psnr_input - float(grid.psnr(alpha=alpha, labels=labels).mean())
    gain, half = mean_interval(grid.gains(alpha=alpha, labels=labels).tolist())
    text = "the student alone" if alpha == 1 else f"{verdict(gain, half)}, {gain:+z.2f} ± {half:.2f} dB"
    return text + (f"; {below:.2f} dB below its own input" if below > 0 else "")


def told(grid: Grid, alpha: float, labels: float) -> str:
    """What a position says: where it is, and what it is worth."""
    return f"alpha {alpha:g}, {words(labels)}: {worth(grid, alpha, labels)}"


def best_mix(grid: Grid, labels: float) -> float:
    """The alpha with the highest mean PSNR at this number of labels; 1 is the student alone."""
    return max(grid.values("alpha"), key=lambda alpha: float(grid.psnr(alpha=alpha, labels=labels).mean()))


def by_labels(grid: Grid) -> list[float]:
    """The numbers of labels of a grid from the fewest to the most; 0, a label for every crop, is the most."""
    return sorted(grid.values("labels"), key=lambda labels: labels or float("inf"))


def gains_of(runs: dict[float, np.ndarray]) -> tuple[list[float], list[float], list[float]]:
    """Gains in dB, (seeds,), by what was varied, as :func:`kdsharp.plots.curves` takes a line: values, means, and half
    the width of the 95 % intervals.
    """
    bars = [mean_interval(gains.tolist()) for gains in runs.values()]
    return list(runs), [mean for mean, _ in bars], [half for _, half in bars]


class Mixes:
    """Draws any position of a grid over alpha and labels, with what its student makes of one photo.

    Args:
        grid: with its students.
        blurred, sharp: a photo (1, 3, H, W) in [0, 1] that none of them has met.
        at: (top, left) of the crop that is shown.
    """

    def __init__(self, grid: Grid, blurred: Tensor, sharp: Tensor, at: tuple[int, int]) -> None:
        self.grid, self.blurred, self.sharp, self.at = grid, blurred, sharp, at
        self._restored: dict[tuple[float, float], Tensor] = {}

    def restored(self, alpha: float, labels: float) -> Tensor:
        """What the student of this position makes of the photo, in steps of an 8-bit file."""
        if (alpha, labels) not in self._restored:
            network = checkpoints.load(self.grid.student(alpha=alpha, labels=labels)).model
            with torch.inference_mode():
                self._restored[alpha, labels] = quantize(network(self.blurred))
        return self._restored[alpha, labels]

    def render(self, alpha: float, labels: float, alone: bool = False) -> plots.Picture:
        """The gain against alpha at one number of labels, the others in grey, each with its name; and the crop.

        Args:
            alpha, labels: the position.
            alone: show the student alone in place of this mix, to blink between the two.
        """
        scores = {at: psnr(self.restored(at, labels), self.sharp).item() for at in (alpha, 1.0)}
        untouched = psnr(self.blurred, self.sharp).item()
        shown = 1.0 if alone else alpha
        name = "student alone" if shown == 1 else f"alpha {shown:g}"
        headline = told(self.grid, shown, labels)
        made = chart_and_crop(
            headline,
            lambda axes: _chart(axes, self.grid, alpha, labels),
            plots.crop(self.restored(shown, labels), *self.at, SIDE),
            f"this photo, {name}: {scores[shown]:.2f} dB\nthis photo, untouched: {untouched:.2f} dB",
        )
        alt = f"{told(self.grid, alpha, labels)}. The photo: {scores[alpha]:.2f} dB with this mix, "
        alt += f"alone {scores[1.0]:.2f}, input {untouched:.2f}."
        return plots.Picture(made, alt)


def chart_and_crop(headline: str, chart: Callable[[Axes], None], seen: Tensor, title: str) -> Figure:
    """A chart with a line above it and a crop beside it; on a phone the crop stands below.

    Args:
        headline: of the whole; a phone breaks it after the first colon.
        chart: draws on its axes.
        seen: (1, 3, SIDE, SIDE) in [0, 1].
        title: of the crop.
    """
    pixels = to_array(seen).repeat(ZOOM, 0).repeat(ZOOM, 1)

    def drawn(wide: bool) -> Figure:
        side, gap = SIDE * ZOOM, 12
        width, tall, head = (WIDTH, 300, 34) if wide else (NARROW, 300, 54)
        height = head + tall + (0 if wide else side + 70)
        made = plots.figure(width, height)
        left, right = 72, width - (side + 3 * gap if wide else 8)
        box = (left, height - head - tall + 46, right - left, tall - 52)
        chart(made.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height)))
        line = headline if wide else headline.replace(": ", ":\n", 1)
        made.text(6 / width, 1 - 6 / height, line, fontsize=10.5, va="top")
        x, y = (width - side - gap, height - head - 44 - side) if wide else ((width - side) // 2, 10)
        axes = made.add_axes((x / width, y / height, side / width, side / height))
        axes.imshow(pixels, interpolation="none")
        axes.set_title(title, fontsize=8.5)
        axes.set_axis_off()
        return made

    return wide_and_narrow(drawn)


def _chart(axes: Axes, grid: Grid, alpha: float, labels: float) -> None:
    """Gains against alpha on a scale that is the same at every position."""
    alphas = grid.values("alpha")
    every = {n: [mean_interval(grid.gains(alpha=a, labels=n).tolist()) for a in alphas] for n in grid.values("labels")}
    for number, dashes in zip(by_labels(grid), DASHES, strict=False):
        if number != labels:
            line = [mean for mean, _ in every[number]]
            axes.plot(alphas, line, color=GREY, linestyle=dashes, linewidth=1.2, zorder=1, label=words(number))
    means, halves = zip(*every[labels], strict=True)
    axes.axhline(0, color="black", linewidth=1)
    axes.text(0.02, 0.02, "alone", fontsize=8.5, va="bottom")
    still = {n: grid.psnr_input - float(grid.alone(n).mean()) for n in every}
    axes.axhline(still[labels], color=COLOURS[1], linestyle="--", linewidth=1)
    axes.text(0.02, still[labels] - 0.02, "input, untouched", fontsize=8.5, color=COLOURS[1], va="top")
    axes.errorbar(alphas, means, halves, color=COLOURS[0], capsize=3, marker="o", ms=4)
    axes.plot([alpha], [means[alphas.index(alpha)]], "D", color=COLOURS[1], ms=9, zorder=3)
    tops = [mean + half for bars in every.values() for mean, half in bars]
    lows = [mean - half for bars in every.values() for mean, half in bars] + list(still.values())
    axes.set(xlabel="alpha (weight of the truth)", ylabel="gain over alone (dB)")
    low, high = min(lows), max(tops)
    axes.set_ylim(low - 0.25, high + 0.28 * (high - low))  # room for the input's name below, for the others above
    axes.legend(loc="upper right", fontsize=8.5, frameon=False, labelcolor=GREY, borderaxespad=0.2, handlelength=2.6)
    axes.set_xlim(-0.04, 1.04)
    axes.grid(alpha=0.3)
