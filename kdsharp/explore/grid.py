"""A table of gains over alpha and temperature, as lesson 10 draws it."""

from collections.abc import Sequence

import matplotlib
import numpy as np

from kdsharp import plots
from kdsharp.evaluate import mean_interval
from kdsharp.sweep import Grid


def render_grid(grid: Grid, caption: str = "", **fixed: float) -> plots.Picture:
    """The gain over alpha and temperature: the mean over the seeds, its 95 % interval, and a colour.

    ``fixed`` holds what else the grid varies, such as ``pull=1``.
    """
    alphas, temperatures = grid.values("alpha"), grid.values("temperature")
    gains = np.array([[grid.gains(alpha=a, temperature=t, **fixed) for t in temperatures] for a in alphas])
    return render_gains(gains, alphas, temperatures, "dB", "temperature tau", 2, caption)


def render_gains(
    gains: np.ndarray,
    alphas: Sequence[float],
    temperatures: Sequence[float],
    unit: str,
    temperature: str,
    digits: int = 1,
    caption: str = "",
) -> plots.Picture:
    """Gains over the student alone, (alphas, temperatures, seeds): mean, 95 % interval, and a colour for the sign.

    Args:
        gains: in ``unit``; the row of alpha 1, where there is one, is named *alone*.
        alphas, temperatures: the axes.
        unit: of the gains.
        temperature: words for the axis.
        digits: after the point.
        caption: what everybody sees below.
    """
    height = 90 + max(42 * len(alphas), 170)  # or the name of the upright axis is cut
    made = plots.figure(plots.WIDTH, height)
    axes = made.add_axes((0.1, 60 / height, 0.87, 1 - 70 / height))
    limit = max(10.0**-digits, float(np.abs(gains.mean(-1)).max()))
    axes.imshow(
        matplotlib.colormaps["PuOr"](0.5 - gains.mean(-1) / (2 * limit)), aspect="auto", interpolation="nearest"
    )
    for row, column in np.ndindex(gains.shape[:2]):
        mean, half = mean_interval(gains[row, column].tolist())
        text = "alone" if alphas[row] == 1 else f"{mean:+.{digits}f}\n± {half:.{digits}f}"
        dark = abs(mean) > 0.6 * limit
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color="white" if dark else "black")
    axes.set_xticks(range(len(temperatures)), [f"{value:g}" for value in temperatures])
    axes.set_yticks(range(len(alphas)), [f"{value:g}" for value in alphas])
    axes.set_xlabel(f"{temperature}; gain in {unit} over the student alone")
    axes.set_ylabel("alpha (weight of the truth)")
    mixes = gains[[row for row, alpha in enumerate(alphas) if alpha < 1]].mean(-1)
    return plots.Picture(
        made,
        f"Gain in {unit} over the student alone at {mixes.size} mixes of alpha and temperature, mean of "
        f"{gains.shape[-1]} seeds: from {mixes.min():+.{digits}f} to {mixes.max():+.{digits}f}.",
        caption,
    )
