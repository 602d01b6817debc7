"""Figures of the course (floor 6): every one has alt text, pixels at an integer zoom, and units on its axes.

``show(figure, alt)`` displays a figure as an image with alt text, in JupyterLab and in the book alike.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from kdsharp.checks import UsageError, check_images
from kdsharp.filters.frequency import amplitude_spectrum
from kdsharp.images import quantize, to_array
from kdsharp.metrics import psnr, ssim

DPI = 100
WIDTH = 720
"""Width of a figure in pixels: what fits the text column of the published book at 1:1."""
COLOURS = ("#1b4f72", "#d35400", "#7d3c98", "#148f77", "#7b7d7d")
"""Line colours that also differ in brightness; curves differ in their dashes as well."""
DASHES = ("-", "--", ":", "-.", (0, (5, 1)))


class Picture:
    """A rendered figure with its alt text; notebooks and pages show it as one ``<img>``."""

    def __init__(self, figure: Figure, alt: str) -> None:
        self.alt = alt
        self.webp = _render(figure)
        self.width = round(figure.get_figwidth() * DPI)

    def src(self) -> str:
        """The image as a data URL."""
        return "data:image/webp;base64," + base64.b64encode(self.webp).decode()

    def tag(self) -> str:
        """The ``<img>`` of a page."""
        return f'<img src="{self.src()}" alt="{html.escape(self.alt)}" width="{self.width}" style="max-width:100%">'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.tag(), "text/plain": f"[figure: {self.alt}]"}


def show(figure: Figure, alt: str) -> None:
    """Display ``figure`` with alt text: what a reader who cannot see it needs to know."""
    from IPython.display import display

    display(Picture(figure, alt))


def figure(width: float = WIDTH, height: float = 300) -> Figure:
    """An empty figure of ``width`` x ``height`` pixels, drawn without any window."""
    made = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(made)
    return made


def _render(made: Figure) -> bytes:
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=DPI)
    packed = io.BytesIO()
    Image.open(buffer).convert("RGB").save(packed, format="webp", quality=88, method=4)
    return packed.getvalue()


def crop(image: Tensor, top: int, left: int, size: int) -> Tensor:
    """The square of ``size`` pixels at (top, left) of (1, C, H, W)."""
    check_images(image)
    if top < 0 or left < 0 or top + size > image.shape[-2] or left + size > image.shape[-1]:
        raise UsageError(f"crop {size}x{size} at ({top}, {left}) leaves the image of shape {tuple(image.shape)}")
    return image[..., top : top + size, left : left + size]


def panels(
    images: Mapping[str, Tensor],
    truth: Tensor | None = None,
    at: tuple[int, int] | None = None,
    zoom: int = 2,
    difference: bool = True,
    gain: float = 4.0,
) -> Figure:
    """Images side by side: the same crop at an integer zoom, the score of the whole image, and the difference map.

    Args:
        images: title to (1, 3, H, W) in [0, 1], all of one size.
        truth: the sharp image; scores and differences are taken against it.
        at: (top, left) of the crop; the centre when None. Its size follows from the number of panels.
        zoom: screen pixels per image pixel.
        difference: add a row of ``0.5 + gain * (luma(image) - luma(truth))``: mid-grey means no error.
        gain: of the difference map.
    """
    check_images(*images.values(), *([] if truth is None else [truth]))
    first = next(iter(images.values()))
    side = min((WIDTH // len(images) - 8) // zoom, *first.shape[-2:], 110)
    top, left = at if at is not None else ((first.shape[-2] - side) // 2, (first.shape[-1] - side) // 2)
    top, left = min(top, first.shape[-2] - side), min(left, first.shape[-1] - side)
    rows = 2 if difference and truth is not None else 1
    box, step = side * zoom, side * zoom + 8
    labels = [title if truth is None else f"{title}\n{score(image, truth)}" for title, image in images.items()]
    text = 8 + 16 * max(label.count("\n") + 1 for label in labels)
    height = text + 22 + rows * (box + 6)
    width = step * len(images)
    made = figure(width, height)
    for column, (label, image) in enumerate(zip(labels, images.values(), strict=True)):
        cells = [to_array(crop(quantize(image), top, left, side))]
        if rows == 2 and truth is not None:
            cells.append(_difference(crop(image, top, left, side), crop(truth, top, left, side), gain))
        for row, cell in enumerate(cells):
            y = height - text - (row + 1) * (box + 6)
            axes = made.add_axes((column * step / width + 4 / width, y / height, box / width, box / height))
            axes.imshow(np.kron(cell, np.ones((zoom, zoom, 1), np.uint8)), interpolation="none")
            axes.set_axis_off()
        made.text((column + 0.5) * step / width, 1 - 6 / height, label, ha="center", va="top", fontsize=9)
    note = f"{side}x{side} pixels at {zoom}:1"
    if rows == 2:
        note += f"; below: error x {gain:g}, mid-grey = none"
    made.text(0.5, 4 / height, note, ha="center", va="bottom", fontsize=8, color="#444444")
    return made


def _difference(image: Tensor, truth: Tensor, gain: float) -> np.ndarray:
    error = (quantize(image) - truth).mean(1, keepdim=True)
    return to_array((0.5 + gain * error).expand(-1, 3, -1, -1))


def score(image: Tensor, truth: Tensor) -> str:
    """``31.20 dB, SSIM 0.912``: PSNR and SSIM per channel of two (1, 3, H, W) images, after rounding to 8 bits."""
    rounded = quantize(image)
    decibels = psnr(rounded, truth).item()
    shown = "identical" if np.isinf(decibels) else f"{decibels:.2f} dB"
    return f"{shown}, SSIM {ssim(rounded, truth).item():.3f}"


def _chart(height: int) -> tuple[Figure, Axes]:
    """A figure with one pair of axes; the margins are pixels, so that labels fit at any height."""
    made = figure(WIDTH, height)
    left, right, bottom, top = 84, 20, 48, 14
    return made, made.add_axes((left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height))


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, log: bool = False, height: int = 300
) -> Figure:
    """Line plot: name to (x values, y values), with axis labels that carry the units."""
    made, axes = _chart(height)
    for index, (name, (xs, ys)) in enumerate(lines.items()):
        axes.plot(
            xs,
            ys,
            linestyle=DASHES[index % 5],
            color=COLOURS[index % 5],
            label=name,
            marker="o" if len(xs) < 12 else "",
        )
    if log:
        axes.set_yscale("log")
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    if len(lines) > 1:
        axes.legend(frameon=False)
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


def maps(images: Mapping[str, np.ndarray], colour_map: str = "cividis") -> Figure:
    """2-D maps (h, w) side by side, each scaled to its own range, under one perceptual colour map."""
    box = WIDTH // len(images) - 8
    made = figure(WIDTH, box + 28)
    scale = matplotlib.colormaps[colour_map]
    for column, (title, values) in enumerate(images.items()):
        low, high = float(values.min()), float(values.max())
        axes = made.add_axes(((column * (box + 8) + 4) / WIDTH, 4 / (box + 28), box / WIDTH, box / (box + 28)))
        axes.imshow(scale((values - low) / max(high - low, 1e-12)), interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
    return made


def spectrum_pixels(image: Tensor) -> np.ndarray:
    """The amplitude spectrum of (1, C, H, W) as colours (H, W, 4), zero frequency in the middle.

    One scale for all pictures, so that they can be compared: 10^-5 is dark, 10^-2 bright, a factor of 10 a third of it.
    """
    decades = amplitude_spectrum(image)[0, 0].clamp_min(1e-9).log10().numpy()
    return matplotlib.colormaps["cividis"](((decades + 5) / 3).clip(0, 1))


def spectra(images: Mapping[str, Tensor]) -> Figure:
    """Up to three pictures of one size, each above its amplitude spectrum, all pixels 1:1; lesson 02 explains them.

    Args:
        images: title to (1, C, H, W) in [0, 1], at most 220 pixels wide.
    """
    check_images(*images.values())
    rows, columns = next(iter(images.values())).shape[-2:]
    if columns > 220 or len(images) > 3:
        raise UsageError(f"expected up to 3 pictures of at most 220 pixels, found {len(images)} of {columns} pixels")
    width, height, step = WIDTH, 2 * rows + 78, WIDTH // len(images)
    made = figure(width, height)
    for index, (title, image) in enumerate(images.items()):
        x = index * step + (step - columns) // 2
        grey = to_array(image.expand(-1, 3, -1, -1))
        upper = made.add_axes((x / width, (height - 24 - rows) / height, columns / width, rows / height))
        upper.imshow(grey, interpolation="none")
        upper.set_axis_off()
        made.text((x + columns / 2) / width, 1 - 5 / height, title, ha="center", va="top", fontsize=9)
        lower = made.add_axes((x / width, 46 / height, columns / width, rows / height))
        lower.imshow(spectrum_pixels(image), interpolation="none", extent=(-0.5, 0.5, 0.5, -0.5), aspect="auto")
        lower.set_xticks([-0.5, -0.25, 0, 0.25, 0.5], ["-0.5", "-0.25", "0", "0.25", "0.5"], fontsize=7)
        lower.set_yticks([])
    note = "pixels 1:1; below: amplitude of each stripe pattern over cycles per pixel, bright = strong (log scale)"
    made.text(0.5, 4 / height, note, ha="center", va="bottom", fontsize=8, color="#444444")
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
    made, axes = _chart(300)
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
    if len(groups) > 1:
        axes.legend(frameon=False)
    return made
