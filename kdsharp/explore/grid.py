"""What the explorer of lesson 10 draws: the alpha x temperature grid, and the student of one of its cells."""

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from kdsharp import plots
from kdsharp.evaluate import mean_interval
from kdsharp.images import quantize, to_array
from kdsharp.sweep import Grid


def render_grid(grid: Grid) -> plots.Picture:
    """The gain of every cell over the student alone: the mean over the seeds, its 95 % interval, and a colour."""
    made = plots.figure(plots.WIDTH, 300)
    _heat(made.add_axes((0.1, 0.17, 0.87, 0.8)), grid, 9)
    means = grid.gains()[:-1].mean(-1)
    return plots.Picture(
        made,
        f"Gain in dB over the student alone at {means.size} mixes of alpha and temperature, mean of "
        f"{grid.psnr.shape[-1]} seeds: from {means.min():+.2f} to {means.max():+.2f} dB.",
    )


def render_cell(
    grid: Grid, blurred: Tensor, sharp: Tensor, alpha: float, temperature: float, at: tuple[int, int], size: int = 104
) -> plots.Picture:
    """One cell: where it lies in the grid, a crop by its student, and ten times what it changed against alpha 1.

    Args:
        grid: see :func:`kdsharp.sweep.load_grid`.
        blurred, sharp: a photo, (1, 3, H, W) in [0, 1].
        alpha, temperature: one of the grid's.
        at, size: (top, left) and side of the crop that is shown, in pixels; it is drawn at 2:1.
    """
    with torch.inference_mode():
        restored, alone = (quantize(grid.student(a, temperature)(blurred)) for a in (alpha, grid.alphas[-1]))
    change = (0.5 + 10 * (restored - alone).mean(1, keepdim=True)).clamp(0, 1).expand(-1, 3, -1, -1)
    made = plots.figure(plots.WIDTH, 2 * size + 62)
    height, box = 2 * size + 62, 2 * size
    _heat(
        made.add_axes((46 / plots.WIDTH, 48 / height, 236 / plots.WIDTH, (height - 56) / height)),
        grid,
        7,
        (alpha, temperature),
    )
    titles = (
        f"this cell's student\n{plots.score(restored, sharp)}",
        "its change against alpha = 1, x 10\nmid-grey = none",
    )
    for index, (title, image) in enumerate(zip(titles, (restored, change), strict=True)):
        left = 292 + index * (box + 6)
        axes = made.add_axes((left / plots.WIDTH, 12 / height, box / plots.WIDTH, box / height))
        pixels = np.kron(to_array(plots.crop(image, *at, size)), np.ones((2, 2, 1), np.uint8))
        axes.imshow(pixels, interpolation="none")
        axes.set_axis_off()
        made.text((left + box / 2) / plots.WIDTH, 1 - 6 / height, title, ha="center", va="top", fontsize=8)
    row, column = grid.alphas.index(alpha), grid.temperatures.index(temperature)
    mean, half = mean_interval(grid.gains()[row, column].tolist())
    return plots.Picture(
        made,
        f"alpha {alpha:g}, temperature {temperature:g}: {mean:+.2f} dB against the student alone, 95 % interval plus "
        f"or minus {half:.2f}; the photo of one seed has {plots.score(restored, sharp)}.",
    )


def _heat(axes: Axes, grid: Grid, size: int, marked: tuple[float, float] | None = None) -> None:
    gains = grid.gains()
    limit = max(0.05, float(np.abs(gains.mean(-1)).max()))
    colours = matplotlib.colormaps["PuOr"]
    axes.imshow(colours(0.5 - gains.mean(-1) / (2 * limit)), aspect="auto", interpolation="nearest")
    for row, column in np.ndindex(gains.shape[:2]):
        mean, half = mean_interval(gains[row, column].tolist())
        text = f"{mean:+.2f}\n± {half:.2f}" if row < len(grid.alphas) - 1 else "alone"
        dark = abs(mean) > 0.6 * limit
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if dark else "black")
    if marked is not None:
        row, column = grid.alphas.index(marked[0]), grid.temperatures.index(marked[1])
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#d00000", linewidth=2.5))
    axes.set_xticks(range(len(grid.temperatures)), [f"{value:g}" for value in grid.temperatures], fontsize=size)
    axes.set_yticks(range(len(grid.alphas)), [f"{value:g}" for value in grid.alphas], fontsize=size)
    axes.set_xlabel("temperature tau; gain in dB over the student alone", fontsize=size)
    axes.set_ylabel("alpha (weight of the truth)", fontsize=size)
