"""Pictures side by side, pixel for pixel: crops with scores and differences, maps, spectra."""

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from kdsharp.checks import UsageError, check_images
from kdsharp.filters.frequency import amplitude_spectrum
from kdsharp.images import quantize, to_array
from kdsharp.metrics import psnr, ssim
from kdsharp.plots.figure import DPI, WIDTH, figure
from kdsharp.plots.narrow import NARROW, on_a_phone, wide_and_narrow

HALF = 172
"""Pixels of each of two pictures beside each other on a phone."""
LETTER = 6.5
"""Pixels that a letter of the note below takes, in the mean."""


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
        at: (top, left) of the crop; the centre when None. Its size follows from the number of panels; a phone shows
            its middle, so small that two stand beside each other.
        zoom: screen pixels per image pixel.
        difference: add a row of ``0.5 + gain * (luma(image) - luma(truth))``: mid-grey means no error.
        gain: of the difference map.
    """
    check_images(*images.values(), *([] if truth is None else [truth]))
    first = next(iter(images.values()))
    side = min((WIDTH // len(images) - 8) // zoom, *first.shape[-2:], 110)
    top, left = at if at is not None else ((first.shape[-2] - side) // 2, (first.shape[-1] - side) // 2)
    top, left = min(top, first.shape[-2] - side), min(left, first.shape[-1] - side)
    titles = {title: title if truth is None else f"{title}\n{score(image, truth)}" for title, image in images.items()}

    def middle(size: int) -> tuple[list[tuple[str, list[np.ndarray]]], str]:
        """The stacks with the middle ``size`` pixels of the crop, and the note below them."""
        off = (side - size) // 2
        cut = partial(crop, top=top + off, left=left + off, size=size)
        stacks = [(titles[title], [to_array(cut(quantize(image)))]) for title, image in images.items()]
        note = f"{'the middle ' if size < side else ''}{size}x{size} pixels at {zoom}:1"
        if not difference or truth is None:
            return stacks, note
        for (_, cells), image in zip(stacks, images.values(), strict=True):
            if image is not truth:  # nothing to see under the truth itself
                cells.append(_difference(cut(image), cut(truth), gain))
        return stacks, f"{note}; below: error x {gain:g}, mid-grey = none"

    stacks, note = middle(side)
    wide = _stacks(stacks, side * zoom, len(stacks), note, 4)
    if side * zoom > NARROW or wide.get_figwidth() * DPI <= NARROW:  # it is moved sideways, or fits as it is
        return wide
    half = min(side, HALF // zoom) if len(stacks) > 1 else side

    def narrow(_: Figure) -> Figure:
        small, below = middle(half)
        return _narrow_stacks(small, half * zoom, below)

    return on_a_phone(wide, narrow)


def _stacks(
    stacks: Sequence[tuple[str, Sequence[np.ndarray]]], box: int, columns: int, note: str = "", gap: int = 4
) -> Figure:
    """Labelled stacks of pictures, each ``box`` pixels a side, ``columns`` of them beside each other.

    Args:
        stacks: label to pictures (h, w, 3 or 4) that stand below each other; ``box`` is a multiple of their side.
        box: pixels a side of a picture; one that is wider than high takes less height.
        columns: how many stacks stand beside each other; further ones go below.
        note: what stands below all, broken into lines that fit.
        gap: pixels left and right of a picture.
    """
    step = box + 2 * gap
    lines = [stacks[first : first + columns] for first in range(0, len(stacks), columns)]
    rows = [max(len(cells) for _, cells in line) for line in lines]
    note = textwrap.fill(note, int(step * columns / LETTER))
    texts = [8 + 16 * max(label.count("\n") + 1 for label, _ in line) for line in lines]
    high = round(box * min(1.0, max(cell.shape[0] / cell.shape[1] for _, cells in stacks for cell in cells)))
    tall = [text + each * (high + 6) for text, each in zip(texts, rows, strict=True)]
    below = 6 + 16 * (note.count("\n") + 1) if note else 0
    width, height = step * columns, below + sum(tall)
    made = figure(width, height)
    for index, (label, cells) in enumerate(stacks):
        left, top = index % columns * step, sum(tall[: index // columns])
        for row, cell in enumerate(cells):
            y = height - top - texts[index // columns] - (row + 1) * (high + 6)
            axes = made.add_axes(((left + gap) / width, y / height, box / width, high / height))
            axes.imshow(cell, interpolation="none")
            axes.set_axis_off()
        made.text((left + step / 2) / width, 1 - (top + 6) / height, label, ha="center", va="top", fontsize=9)
    made.text(0.5, 4 / height, note, ha="center", va="bottom", fontsize=9, color="#444444")
    return made


def _narrow_stacks(stacks: Sequence[tuple[str, Sequence[np.ndarray]]], box: int, note: str = "") -> Figure:
    """The same stacks in as many columns as a phone has room for, every pixel as large as before."""
    room = NARROW + 6  # two of ``HALF`` fit
    columns = max(1, min(len(stacks), room // (box + 4)))
    gap = min(6, (room - columns * box) // (2 * columns))
    letters = int((box + 2 * gap) / LETTER)
    broken = [("\n".join(textwrap.fill(line, letters) for line in label.split("\n")), cells) for label, cells in stacks]
    return _stacks(broken, box, columns, note, gap)


def _difference(image: Tensor, truth: Tensor, gain: float) -> np.ndarray:
    error = (quantize(image) - truth).mean(1, keepdim=True)
    return to_array((0.5 + gain * error).expand(-1, 3, -1, -1))


def score(image: Tensor, truth: Tensor) -> str:
    """``31.20 dB, SSIM 0.912``: PSNR and SSIM per channel of two (1, 3, H, W) images, after rounding to 8 bits."""
    rounded = quantize(image)
    decibels = psnr(rounded, truth).item()
    shown = "identical" if np.isinf(decibels) else f"{decibels:.2f} dB"
    return f"{shown}, SSIM {ssim(rounded, truth).item():.3f}"


def maps(
    images: Mapping[str, np.ndarray],
    colour_map: str = "cividis",
    signed: Collection[str] = (),
    together: Collection[str] = (),
) -> Figure:
    """2-D maps (h, w) side by side, each scaled to its own range, under one perceptual colour map.

    Those whose titles are in ``signed`` have a middle instead: 0 is white, orange is above, violet below. Those in
    ``together`` share one range, so that they can be compared.
    """
    shared = np.concatenate([np.ravel(images[title]) for title in together]) if together else None
    stacks = []
    for title, values in images.items():
        limit = float(np.abs(values).max())
        scaled = shared if shared is not None and title in together else values
        low, high = (-limit, limit) if title in signed else (float(scaled.min()), float(scaled.max()))
        scale = matplotlib.colormaps["PuOr_r" if title in signed else colour_map]
        stacks.append((title, [scale((values - low) / max(high - low, 1e-12))]))
    box = WIDTH // len(images) - 8
    wide = _stacks(stacks, box, len(stacks))
    return on_a_phone(wide, lambda _: _narrow_stacks(stacks, min(box, NARROW if len(stacks) == 1 else HALF)))


def spectrum_pixels(image: Tensor) -> np.ndarray:
    """The amplitude spectrum of (1, C, H, W) as colours (H, W, 4), zero frequency in the middle.

    One scale for all pictures, so that they can be compared: 10^-5 is dark, 10^-2 bright, a factor of 10 a third of it.
    """
    decades = amplitude_spectrum(image)[0, 0].clamp_min(1e-9).log10().numpy()
    return matplotlib.colormaps["cividis"](((decades + 5) / 3).clip(0, 1))


def spectra(images: Mapping[str, Tensor]) -> Figure:
    """Up to three pictures of one size, each above its amplitude spectrum, all pixels 1:1; lesson 02 explains them.

    A phone shows the middle of each picture, and the spectrum of that beside it.

    Args:
        images: title to (1, C, H, W) in [0, 1], at most 220 pixels wide.
    """
    check_images(*images.values())
    rows, columns = next(iter(images.values())).shape[-2:]
    if columns > 220 or len(images) > 3:
        raise UsageError(f"expected up to 3 pictures of at most 220 pixels, found {len(images)} of {columns} pixels")
    side = min(rows, columns, HALF - 20)  # beside a half stand the ends of its numbers
    small = {title: crop(image, (rows - side) // 2, (columns - side) // 2, side) for title, image in images.items()}
    return on_a_phone(_spectra(images, WIDTH, below=True), lambda _: _spectra(small, NARROW, below=False))


def _spectra(images: Mapping[str, Tensor], width: int, below: bool) -> Figure:
    """The figure of :func:`spectra`, so wide: the spectra below their pictures, or beside them on a phone."""
    rows, columns = next(iter(images.values())).shape[-2:]
    note = f"pixels 1:1; {'below' if below else 'right'}: amplitude of each stripe pattern over cycles per pixel, "
    note = textwrap.fill(note + "bright = strong (log scale)", int(width / LETTER))
    high, under = (2 if below else 1) * rows + (56 if below else 48), 6 + 16 * (note.count("\n") + 1)
    step = width // (len(images) if below else 2)
    height = high * (1 if below else len(images)) + under
    made = figure(width, height)
    for index, (title, image) in enumerate(images.items()):
        x, top = (step - columns) // 2 + (index * step if below else 0), height - (0 if below else index * high)
        right, down = (0, rows + 8) if below else (step, 0)  # from a picture to its spectrum
        upper = made.add_axes((x / width, (top - 24 - rows) / height, columns / width, rows / height))
        upper.imshow(to_array(image.expand(-1, 3, -1, -1)), interpolation="none")
        upper.set_axis_off()
        made.text((x + columns / 2) / width, (top - 5) / height, title, ha="center", va="top", fontsize=9)
        place = ((x + right) / width, (top - 24 - down - rows) / height, columns / width, rows / height)
        lower = made.add_axes(place)
        lower.imshow(spectrum_pixels(image), interpolation="none", extent=(-0.5, 0.5, 0.5, -0.5), aspect="auto")
        lower.set_xticks([-0.5, -0.25, 0, 0.25, 0.5], ["-0.5", "-0.25", "0", "0.25", "0.5"], fontsize=9)
        lower.set_yticks([])
    made.text(0.5, 4 / height, note, ha="center", va="bottom", fontsize=9, color="#444444")
    return made


def beside(cells: Mapping[str, np.ndarray]) -> Figure:
    """Square pictures side by side as they are, each under its title; on a phone below each other.

    Args:
        cells: title to (side, side, 3 or 4), of one size.
    """
    stacks = [(title, [cell]) for title, cell in cells.items()]
    side = len(stacks[0][1][0])
    return on_a_phone(_stacks(stacks, side, len(stacks), gap=14), lambda _: _narrow_stacks(stacks, side))


def charts_and_squares(charts: Sequence[Callable[[Axes], None]], cells: Mapping[str, np.ndarray]) -> Figure:
    """Two charts beside each other above up to three square pictures; on a phone all below each other.

    Args:
        charts: each draws on its axes of 274x170 pixels.
        cells: title to (208, 208, 3 or 4).
    """

    def drawn(wide: bool) -> Figure:
        beside, width = (3, WIDTH) if wide else (1, NARROW)
        chart, square = (170 + 84, 208 + 28)  # with the words around them
        lower = square * -(-len(cells) // beside) + 10
        height = lower + (chart if wide else chart * len(charts))
        made = figure(width, height)
        for index, draw in enumerate(charts):
            left, bottom = (62 + index * 366, lower + 54) if wide else (62, height - (index + 1) * chart + 54)
            draw(made.add_axes((left / width, bottom / height, 274 / width, 170 / height)))
        for index, (title, cell) in enumerate(cells.items()):
            left, top = (18 + index * 238, lower) if wide else ((width - 208) // 2, lower - index * square)
            axes = made.add_axes((left / width, (top - square) / height, 208 / width, 208 / height))
            axes.imshow(cell, interpolation="none")
            axes.set_axis_off()
            axes.set_title(title, y=1.0, fontsize=9)
        return made

    return wide_and_narrow(drawn)
