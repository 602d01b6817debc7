"""The same figure as a phone shows it: as wide as its screen, with letters as large as before."""

import math
import pickle
import textwrap
from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text

DPI = 100
"""Pixels an inch, which matplotlib counts in."""
NARROW = 350
"""Width in pixels: what the text column of a page has on a phone of 390 pixels, to within a few."""
EDGE = 5
"""Pixels between what is drawn and the border of the figure."""

_narrower: WeakKeyDictionary[Figure, Callable[[Figure], Figure]] = WeakKeyDictionary()


def on_a_phone(made: Figure, draw: Callable[[Figure], Figure]) -> Figure:
    """Note how a figure is drawn narrow: ``draw`` gets it as it is when it is shown; gives the figure itself."""
    _narrower[made] = draw
    return made


def wide_and_narrow(draw: Callable[[bool], Figure]) -> Figure:
    """The figure that ``draw(True)`` gives; a phone gets that of ``draw(False)``, which is drawn when it is shown."""
    return on_a_phone(draw(True), lambda _: draw(False))


def narrowed(made: Figure) -> Figure | None:
    """The figure for a phone: as somebody has said, or a chart as a narrower chart; None for what else there is."""
    draw = _narrower.get(made) or (narrow_chart if _is_chart(made) else None)
    return draw(made) if draw else None


def _is_chart(made: Figure) -> bool:
    """Whether a figure is one pair of axes with ticks, and nothing beside them."""
    return len(made.axes) == 1 and made.axes[0].axison and not made.texts and made.get_figwidth() * DPI > NARROW


def drawn(artist: Artist) -> Iterator[Artist]:
    """An artist and all that belongs to it, as ``findobj`` gives them, but for axes that are switched off: those of
    photos, whose ticks nobody has made yet, and making them takes as long as drawing.
    """
    yield artist
    for each in artist.get_children():
        if not (isinstance(each, Axis) and not each.axes.axison):
            yield from drawn(each)


def has_photo(made: Figure) -> bool:
    """Whether a figure holds pixels."""
    return any(isinstance(each, AxesImage) for each in drawn(made))


def lettering(made: Figure) -> float:
    """Size of the smallest letters of a figure in pixels; infinite where it has none."""
    texts = [each for each in drawn(made) if isinstance(each, Text) and each.get_visible() and each.get_text().strip()]
    return min((float(each.get_fontsize()) * DPI / 72 for each in texts), default=math.inf)


def narrow_chart(made: Figure) -> Figure:
    """A chart with one pair of axes, ``NARROW`` pixels wide: its legend, ticks and labels find a new place.

    The original is left alone. The axes keep their height, so that a slope stays comparable.
    """
    copy: Figure = pickle.loads(pickle.dumps(made))
    canvas = FigureCanvasAgg(copy)
    (axes,) = copy.axes
    tall = axes.get_position().height * copy.get_figheight() * DPI
    copy.set_figwidth(NARROW / DPI)
    _stack_legend(axes, canvas)
    margins = [70.0, 14.0, 48.0, 14.0]  # left, right, below, above
    for _ in range(3):  # other margins are other ticks, and those other margins
        left, right, below, above = margins
        height = tall + below + above
        copy.set_figheight(height / DPI)
        wide = NARROW - left - right
        axes.set_position((left / NARROW, below / height, wide / NARROW, tall / height))
        canvas.draw()
        _thin_ticks(axes)
        _wrap(axes)
        box = axes.get_tightbbox()
        if box is None:
            break
        margins = [
            left + EDGE - box.x0,
            right + box.x1 - (NARROW - EDGE),
            below + EDGE - box.y0,
            above + box.y1 - (height - EDGE),
        ]
    return copy


def _stack_legend(axes: Axes, canvas: FigureCanvasAgg) -> None:
    """As many names beside each other as fit, and the title above them."""
    legend = axes.get_legend()
    if legend is None:
        return
    names = [each.get_text() for each in legend.get_texts()]
    columns = max(1, min(3, 42 // max(len(name) + 6 for name in names)))
    stacked = axes.legend(
        [each for each in legend.legend_handles if each is not None],
        [textwrap.fill(name, 36) for name in names],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns,
        frameon=False,
    )
    if axes.get_title():
        canvas.draw()
        high = stacked.get_window_extent().y1 - axes.get_window_extent().y1
        axes.set_title(axes.get_title(), pad=5 + high * 72 / DPI)


def _thin_ticks(axes: Axes) -> None:
    """Names of ticks that touch each other are turned; of numbers every other one goes."""
    low, high = sorted(axes.get_xlim())
    every = [each for each in axes.get_xticklabels() if each.get_text().strip()]
    labels = [each for each in every if low <= each.get_position()[0] <= high]
    boxes = [each.get_window_extent() for each in labels]
    if all(a.x1 + 3 <= b.x0 for a, b in zip(boxes, boxes[1:], strict=False)):
        return
    if any(letter.isalpha() for each in labels for letter in each.get_text().replace("mathdefault", "")):
        for each in labels:
            each.set(rotation=35, ha="right", rotation_mode="anchor")
        names = [each.get_text().replace("-\n", "-").replace("\n", " ") for each in labels]
        axes.set_xticks([each.get_position()[0] for each in labels], names)
        return
    axes.set_xticks([each.get_position()[0] for each in labels[::2]], [each.get_text() for each in labels[::2]])


def _wrap(axes: Axes) -> None:
    """Break the words below and above the axes, in whose middle they stand, where they would leave the figure."""
    box = axes.get_window_extent()
    room = 2 * min(box.x0 + box.width / 2, NARROW - box.x0 - box.width / 2) - 2 * EDGE
    for each in (axes.xaxis.label, axes.title):
        text, wide = each.get_text(), each.get_window_extent().width
        if wide > room:
            each.set_text(textwrap.fill(text.replace("\n", " "), int(len(text) * room / wide)))
