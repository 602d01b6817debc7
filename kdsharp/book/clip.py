"""The silent clip of the first page: what sharpens how well, and how much of it a student may learn from its teacher.

It is drawn from the package's own networks and grids each time the book is built; nothing in it is chance. Letters are
large enough to be read where a phone shows the clip at half its size, and stand where no browser's controls cover them.
"""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kdsharp.sweep import Grid
from kdsharp.video import frames

WIDTH, HEIGHT, RATE = 720, 480, 20
"""Of the clip, in pixels and in frames a second."""
ZOOM = 3
"""Of the photo's pixels: what a blur takes is seen."""
BLUE, ORANGE, PAPER, INK, QUIET = (27, 79, 114), (211, 84, 0), (255, 255, 255), (25, 28, 33), (90, 96, 105)
CRF = 26
"""How coarsely H.264 may round: letters and fur stay as they are to the eye, in a fifth of the bytes of a master."""


@dataclass(frozen=True)
class Shot:
    """A method: its name in words, what it made of the photo, uint8 (H, W, 3), and the PSNR of the whole photo in dB;
    of a network also how many weights it has.
    """

    name: str
    pixels: np.ndarray
    psnr: float
    weights: int = 0


def write(shots: Sequence[Shot], grid: Grid, labels: float, at: tuple[int, int], folder: Path) -> str:
    """Write the clip as ``clip.mp4`` and give the HTML that shows it, for a page beside ``_static``.

    Args:
        shots: the blurred photo, what the methods made of it, and at last the truth.
        grid: of :func:`kdsharp.sweep.load_grid`, over alpha and labels.
        labels: how many labelled pairs, of the grid's values.
        at: (row, column) of the upper left corner of what is shown of the photo.
        folder: of the file.
    """
    frames.write(film(shots, grid, labels, at), folder / "clip.mp4", RATE, CRF)
    return page(shots, grid, labels)


def page(shots: Sequence[Shot], grid: Grid, labels: float) -> str:
    """The clip's HTML. It has controls; ``page.mjs`` starts it for who has not asked for less motion."""
    first, *methods, truth = shots
    scores = "; ".join(f"{each.name}, {each.psnr:.2f} dB" for each in methods)
    curve = _curve(grid, labels)
    said = (
        f"A silent clip of {len(timeline(shots)) // RATE} seconds. A border moves over a photo of a cat's eye: "
        f"{first.name}, {first.psnr:.2f} dB; {scores}; {truth.name}. Then a slider: one student that learned from "
        f"{labels:g} labelled pairs, with ever more of its teacher in the mix: its mean over the held-out photos goes "
        f"from {curve[0][1]:.2f} dB without the teacher to {curve[-1][1]:.2f} dB with its answers alone."
    )
    return (
        f'<figure class="kdsharp-figure kdsharp-clip"><video controls muted playsinline preload="none" width="{WIDTH}" '
        f'height="{HEIGHT}" poster="_static/front.webp" src="_static/clip.mp4" aria-label="The course in a clip" '
        f'aria-describedby="clip-said"></video><figcaption id="clip-said">{html.escape(said)}</figcaption></figure>'
    )


def timeline(shots: Sequence[Shot]) -> list[tuple[str, int, float]]:
    """What each frame shows: the scene, which shot of it, and how far it has come, from 0 to 1."""
    found: list[tuple[str, int, float]] = []
    for index in range(1, len(shots)):
        found += _scene("hold", index - 1, 0.6) + _scene("wipe", index, 1.4)
    found += _scene("hold", len(shots) - 1, 1.0)
    found += _scene("bars", 0, 1.6) + _scene("bars", 1, 1.9)
    return found + _scene("alpha", 0, 6.0) + _scene("alpha", 1, 1.5)


def _scene(name: str, index: int, seconds: float) -> list[tuple[str, int, float]]:
    count = round(seconds * RATE)
    return [(name, index, (frame + 1) / count) for frame in range(count)]


def film(shots: Sequence[Shot], grid: Grid, labels: float, at: tuple[int, int]) -> Iterator[np.ndarray]:
    """The frames, uint8 (HEIGHT, WIDTH, 3), as :func:`timeline` has them; arguments as for :func:`write`."""
    top, left = at
    rows, columns = HEIGHT // ZOOM, WIDTH // ZOOM
    large = [each.pixels[top : top + rows, left : left + columns].repeat(ZOOM, 0).repeat(ZOOM, 1) for each in shots]
    for scene, index, done in timeline(shots):
        eased = done * done * (3 - 2 * done)
        if scene == "hold":
            yield _labelled(large[index], shots[index])
        elif scene == "wipe":
            border = round(eased * WIDTH)
            both = large[index - 1].copy()
            both[:, :border] = large[index][:, :border]
            both[:, max(0, border - 2) : border + 2] = 255
            yield _labelled(both, shots[index], shots[index - 1] if border < WIDTH else None)
        elif scene == "bars":
            yield _bars(shots, 1.0 if index else eased)
        else:
            yield _alpha(grid, labels, 1.0 if index else eased)


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """matplotlib's own font, which is the same on every machine."""
    from matplotlib import font_manager

    wanted = font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return ImageFont.truetype(font_manager.findfont(wanted), size)


def _labelled(pixels: np.ndarray, left: Shot, right: Shot | None = None) -> np.ndarray:
    """A frame with the name and score of what is left of the border, and of what is right of it."""
    made = Image.fromarray(pixels)
    draw = ImageDraw.Draw(made)
    for shot, is_left in ((left, True), (right, False)):
        if shot is None:
            continue
        lines = [(shot.name, _font(27, bold=True)), (_score(shot), _font(25))]
        width = round(max(font.getlength(text) for text, font in lines)) + 24
        x = 12 if is_left else WIDTH - 12 - width
        draw.rounded_rectangle((x, 12, x + width, 92), 8, fill=(20, 22, 26))
        for row, (text, font) in enumerate(lines):
            draw.text((x + 12, 18 + 35 * row), text, font=font, fill=PAPER)
    return np.asarray(made)


def _score(shot: Shot) -> str:
    return f"{shot.psnr:.2f} dB" if np.isfinite(shot.psnr) else "the truth"


def _sheet(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    made = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(made)
    draw.text((36, 30), title, font=_font(29, bold=True), fill=INK)
    return made, draw


def _bars(shots: Sequence[Shot], done: float) -> np.ndarray:
    """What each method was worth, as bars that have grown to ``done`` of their length."""
    first, *methods, _ = shots
    made, draw = _sheet("Decibels above the blurred photo")
    most = max(each.psnr - first.psnr for each in methods)
    for row, each in enumerate(methods):
        y, gain = 96 + 100 * row, each.psnr - first.psnr
        colour = BLUE if each.weights else ORANGE
        words = f"{each.name}, {each.weights:,} weights" if each.weights else each.name
        draw.text((36, y), words, font=_font(26), fill=INK)
        draw.rectangle((36, y + 38, 36 + round(480 * done * gain / most), y + 76), fill=colour)
        if done == 1:
            draw.text((36 + 480 * gain / most + 14, y + 41), f"{gain:+.2f} dB", font=_font(26), fill=INK)
    return np.asarray(made)


def _curve(grid: Grid, labels: float) -> list[tuple[float, float]]:
    """Share of the teacher, from 0 to 1, and dB as the mean over the seeds: alpha weighs the truth, and runs down."""
    return [(1 - alpha, float(grid.psnr(alpha=alpha, labels=labels).mean())) for alpha in grid.values("alpha")[::-1]]


def _alpha(grid: Grid, labels: float, done: float) -> np.ndarray:
    """The gain of a student whose slider has come to ``done``; numbers are those of the last mix that was trained."""
    curve = _curve(grid, labels)
    made, draw = _sheet("How much teacher in the mix?")
    low, high = min(psnr for _, psnr in curve), max(psnr for _, psnr in curve)
    places = [(76 + 568 * share, 300 - 150 * (psnr - low) / (high - low)) for share, psnr in curve]
    knob = 76 + 568 * done
    passed = [place for place in places if place[0] <= knob + 0.5]
    if len(passed) < len(places):
        (x, y), (to_x, to_y) = passed[-1], places[len(passed)]
        ahead = [(knob, y + (to_y - y) * (knob - x) / (to_x - x))]
    else:
        ahead = []
    draw.line([*passed, *ahead], fill=BLUE, width=5, joint="curve")
    for x, y in passed:
        draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=BLUE)
    share, psnr = curve[len(passed) - 1]
    draw.text((36, 80), f"alpha {1 - share:g}: {psnr:.2f} dB", font=_font(28), fill=BLUE)
    draw.text((WIDTH - 36, 82), f"{labels:g} labelled pairs", font=_font(25), fill=QUIET, anchor="ra")
    draw.line((76, 372, 644, 372), fill=QUIET, width=6)
    draw.ellipse((knob - 17, 355, knob + 17, 389), fill=ORANGE)
    draw.text((36, 320), "truth alone", font=_font(25), fill=INK)
    draw.text((WIDTH - 36, 320), "teacher alone", font=_font(25), fill=INK, anchor="ra")
    return np.asarray(made)
