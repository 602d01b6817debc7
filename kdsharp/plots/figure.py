"""A figure as one ``<img>`` with alt text."""

import base64
import html
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from kdsharp.plots.narrow import DPI, NARROW, has_photo, lettering, narrowed

WIDTH = 720
"""Width of a figure in pixels: what fits the text column of the published book at 1:1."""


DENSITY = 2
"""Pixels of the file for one of the page, along a side: a fine screen shows them all, sharply."""
LINES = 120_000
"""Bytes of a chart in lines, as SVG; one that has more, such as thousands of points, is drawn in pixels."""
PHONE = "(max-width: 600px)"
"""The screens that get a figure's narrow form."""
DARK = "<style>@media (prefers-color-scheme: dark) { svg { filter: invert(0.93) hue-rotate(180deg) } }</style>"
"""In a chart: on a dark page its paper is dark and its lines are light, each in its hue. A photo stays as it is."""
_is_quick = ContextVar("is_quick", default=False)


@contextmanager
def quickly() -> Iterator[None]:
    """Pictures that are made inside are for somebody who waits at a slider: a pixel for a pixel, and no narrow form."""
    before = _is_quick.set(True)
    try:
        yield
    finally:
        _is_quick.reset(before)


class Picture:
    """A rendered figure with its alt text; notebooks and pages show it as one ``<img>``, a caption below it if any.

    A chart is an SVG, sharp at any size; what holds a photo, or is drawn for somebody who waits, is a lossless WebP.
    On a phone it is drawn anew where its kind knows how (:mod:`kdsharp.plots.narrow`); else it keeps its size and
    can be moved sideways, so that its letters stay legible and its pixels are as they are.

    Args:
        figure: is rendered now; what is drawn on it later does not show.
        alt: what a reader who cannot see it needs to know.
        caption: the message, for who sees it: one or two sentences.
    """

    def __init__(self, figure: Figure, alt: str, caption: str = "") -> None:
        self.alt, self.caption = alt, caption
        self.content = _render(figure)
        self.width = round(figure.get_figwidth() * DPI)
        self.lettering = lettering(figure)
        self.is_photo = has_photo(figure)
        narrow = None if _is_quick.get() else narrowed(figure)
        self.narrow = None if narrow is None else _render(narrow)
        self.narrow_width = None if narrow is None else round(narrow.get_figwidth() * DPI)

    def src(self) -> str:
        """The image as a data URL."""
        return _address(self.content)

    def frame(self) -> list[str]:
        """What an island shows of it: address, alt text, and the address for a phone where there is one."""
        return [self.src(), self.alt, *([] if self.narrow is None else [_address(self.narrow)])]

    def tag(self) -> str:
        """The ``<img>`` of a page, as a ``<figure>`` when it has a caption."""
        letters = f' data-lettering="{self.lettering:.1f}"' if math.isfinite(self.lettering) else ""
        words = f'alt="{html.escape(self.alt)}" width="{self.width}"{letters}{" data-photo" if self.is_photo else ""}'
        image = f'<img src="{self.src()}" {words} style="max-width:100%">'
        if self.narrow is not None:
            source = f'<source media="{PHONE}" srcset="{_address(self.narrow)}" width="{self.narrow_width}">'
            image = f"<picture>{source}{image}</picture>"
        elif self.width > NARROW:
            image = f'<div class="kdsharp-pan">{image}</div>'
        if not self.caption:
            return image
        style = f"margin:0.6em 0;max-width:{self.width}px"
        below = f'<figcaption style="text-align:left">{html.escape(self.caption)}</figcaption>'
        return f'<figure class="kdsharp-figure" style="{style}">{image}{below}</figure>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.tag(), "text/plain": f"[figure: {self.alt}]"}


def show(figure: Figure, caption: str, alt: str | None = None) -> None:
    """Display ``figure`` with a caption below it and alt text beside it.

    Args:
        figure: what to show.
        caption: the message in one or two sentences, seen by everybody. Where it is the only text it is the alt text,
            and nothing is seen below the figure.
        alt: what a reader who cannot see the figure needs to know.
    """
    from IPython.display import display

    display(Picture(figure, caption) if alt is None else Picture(figure, alt, caption))


def figure(width: float = WIDTH, height: float = 300) -> Figure:
    """An empty figure of ``width`` x ``height`` pixels, drawn without any window."""
    made = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(made)
    return made


def webp(made: Figure) -> bytes:
    """A figure in pixels, as the content of a lossless WebP file."""
    before, dpi = made.canvas, made.dpi
    try:
        canvas = FigureCanvasAgg(made)
        made.dpi = DPI * (1 if _is_quick.get() else DENSITY)
        canvas.draw()
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    finally:
        made.dpi = dpi
        made.set_canvas(before)
    packed = io.BytesIO()
    if _is_quick.get():  # a seventh of the time for a third more bytes, which go no further than this machine
        pixels.save(packed, format="webp", lossless=True, quality=0, method=0)
        return packed.getvalue()
    is_chart = (np.asarray(pixels).min(-1) == 255).mean() > 0.5  # most of it is paper
    # method 1 packs a chart into a third of the bytes in the same time, a photo into 3/4 in ten times the time
    pixels.save(packed, format="webp", lossless=True, quality=20, method=int(is_chart))
    return packed.getvalue()


def _address(content: bytes) -> str:
    kind = "svg+xml" if content.startswith(b"<?xml") else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _render(made: Figure) -> bytes:
    if _is_quick.get() or has_photo(made):
        return webp(made)
    lines = _svg(made)
    return lines if len(lines) <= LINES else webp(made)


def _svg(made: Figure) -> bytes:
    """A figure in lines; its letters are outlines, alike on every machine, and two drawings are equal to the byte."""
    before, dpi, written = made.canvas, made.dpi, io.StringIO()
    try:
        with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "kdsharp"}):
            FigureCanvasSVG(made).print_svg(written, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    finally:
        made.dpi = dpi  # which SVG sets to 72
        made.set_canvas(before)
    return re.sub(r"<svg[^>]*>", lambda opening: opening[0] + DARK, written.getvalue(), count=1).encode()
