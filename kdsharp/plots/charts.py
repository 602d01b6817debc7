"""Charts: curves, points with intervals, quality against cost."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kdsharp.plots.figure import WIDTH, figure

COLOURS = ("#1b4f72", "#d35400", "#7d3c98", "#148f77", "#7b7d7d")
"""Line colours that also differ in brightness; curves differ in their dashes as well."""
DASHES = ("-", "--", ":", "-.", (0, (5, 1)))


def _chart(height: int, names: Sequence[str] = ()) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, and with margins in pixels, where labels and the legend of ``names`` fit."""
    rows = -(-len(names) // _columns(names)) if len(names) > 1 else 0
    height += 24 * rows
    made = figure(WIDTH, height)
    left, right, bottom, top = 84, 20, 48, 14 + 24 * rows
    return made, made.add_axes((left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height))


def _columns(names: Sequence[str]) -> int:
    """How many names fit side by side above a chart."""
    return max(1, min(3, 84 // max(len(name) + 6 for name in names)))


def _legend(axes: Axes, names: Sequence[str]) -> None:
    """The names above the axes, where they hide no point; none for a single one."""
    if len(names) > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=_columns(names), frameon=False)


def curves(
    lines: Mapping[str, tuple[Sequence[float], ...]], x: str, y: str, log: bool = False, height: int = 300
) -> Figure:
    """Line plot: name to (x values, y values) or (x values, y values, half-widths of their intervals), with axis labels
    that carry the units.
    """
    made, axes = _chart(height, list(lines))
    for index, (name, (xs, ys, *halves)) in enumerate(lines.items()):
        colour = COLOURS[index % 5]
        axes.plot(
            xs,
            ys,
            linestyle=DASHES[index % 5],
            color=colour,
            label=name,
            marker="o" if len(xs) < 12 else "",
        )
        for half in halves:
            axes.errorbar(xs, ys, half, fmt="none", ecolor=colour, capsize=3)
    if log:
        axes.set_yscale("log")
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    _legend(axes, list(lines))
    return made


def bars(
    values: Mapping[str, float], errors: Mapping[str, float] | None, y: str, baseline: float | None = None
) -> Figure:
    """Points with 95 % intervals for a few named results; a dashed line marks the ``baseline``."""
    made, axes = _chart(280)
    names = list(values)
    spread = [errors[name] for name in names] if errors else None
    axes.errorbar(
        range(len(names)), [values[name] for name in names], yerr=spread, fmt="o", capsize=5, color=COLOURS[0]
    )
    if baseline is not None:
        axes.axhline(baseline, linestyle="--", color=COLOURS[1])
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylabel(y)
    axes.grid(axis="y", alpha=0.3)
    return made


def pareto(rows: Sequence[Mapping[str, float | str]], x: str, y: str, x_label: str, y_label: str) -> Figure:
    """Quality against cost, one labelled point a row (keys ``model``, ``x``, ``y``); the cost axis is logarithmic."""
    made, axes = _chart(320)
    for index, row in enumerate(rows):
        axes.plot(row[x], row[y], "osD^v"[index % 5], color=COLOURS[index % 5], markersize=8)
        axes.annotate(str(row["model"]), (row[x], row[y]), xytext=(8, 4), textcoords="offset points")  # type: ignore[arg-type]
    axes.set_xscale("log")
    axes.margins(0.15)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3, which="both")
    return made


def scatter(
    groups: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    baseline: float | None = None,
    log: bool = False,
    ticks: Sequence[str] = (),
) -> Figure:
    """Points without lines: name to (x values, y values), a marker and a colour for each group.

    Args:
        groups: the points; a legend appears for two groups or more.
        x, y: axis labels with their units.
        baseline: a dashed line at this y.
        log: a logarithmic x axis.
        ticks: names of the x values 0, 1, 2, ... where x is a category; the groups are then set a little apart.
    """
    made, axes = _chart(300, list(groups))
    for index, (name, (xs, ys)) in enumerate(groups.items()):
        shift = 0.16 * (index - (len(groups) - 1) / 2) if ticks else 0.0
        places = np.asarray(xs, float) + shift
        axes.plot(places, ys, "osD^v"[index % 5], color=COLOURS[index % 5], markersize=5, alpha=0.7, label=name)
    if baseline is not None:
        axes.axhline(baseline, linestyle="--", color=COLOURS[4])
    if ticks:
        axes.set_xticks(range(len(ticks)), ticks)
    if log:
        axes.set_xscale("log")
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.3, which="both", axis="y" if ticks else "both")
    _legend(axes, list(groups))
    return made
