"""Drawings of networks: a box for each map, as high as the map's sides and as wide as it has channels.

The sizes are measured, not told: a grey photo of 64x64 pixels runs through the network, and each box shows the map that
its layer answered.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.features import Taps
from kdsharp.models.nafnet import NAFNet
from kdsharp.models.restormer import Restormer
from kdsharp.models.students import UnshuffleStudent
from kdsharp.models.unet import ResidualUNet
from kdsharp.plots.charts import COLOURS
from kdsharp.plots.figure import WIDTH, figure
from kdsharp.plots.narrow import DPI, NARROW, wide_and_narrow

SIDE = 64
"""Pixels a side of the photo that runs through a network that is drawn."""
ROW = 190
"""Height in pixels of one network's row."""

Place = tuple[float, float, float]
"""Of a box: its middle, and its lower and upper edge, in pixels."""


@dataclass(frozen=True)
class Stage:
    """One box: the layer's name in the network, the channels of its map, and the map's side over the photo's."""

    name: str
    channels: int
    scale: float

    def label(self) -> str:
        """``32 at 1/4``: channels, and the side of the map as a share of the photo's."""
        return f"{self.channels}\n" + ("full" if self.scale == 1 else f"1/{round(1 / self.scale)}")


def layers(network: nn.Module) -> list[str]:
    """Names of the layers that a drawing shows, from the photo to the answer.

    Of a U-Net its levels, down and up again; of a PixelUnshuffle student its stem, its blocks and its head; of any
    other network each convolution.
    """
    if isinstance(network, ResidualUNet):
        levels = range(len(network.encoders))
        down, up = [f"encoders.{i}" for i in levels], [f"decoders.{i}" for i in reversed(levels)]
        return ["stem", *down, "bottom", *up, "head"]
    if isinstance(network, UnshuffleStudent):
        return ["unshuffle", "body.0", *(f"body.1.{i}" for i, _ in enumerate(network.body[1].children())), "head"]
    return [name for name, each in network.named_modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]


def stages(network: nn.Module, names: Sequence[str] | None = None) -> list[Stage]:
    """The boxes of a network, measured on a photo of ``SIDE`` pixels.

    Raises:
        UsageError: for a network without such layers, or with more than twenty.
    """
    names = layers(network) if names is None else list(names)
    if not 1 <= len(names) <= 20:
        raise UsageError(f"a drawing holds 1 to 20 layers, found {len(names)}; name the ones to show")
    was = network.training
    with torch.inference_mode(), Taps(network.eval(), names) as taps:
        network(torch.full((1, 3, SIDE, SIDE), 0.5, device=next(network.parameters()).device))
    network.train(was)
    return [Stage(name, taps[name].shape[1], taps[name].shape[-1] / SIDE) for name in names]


def network(model: nn.Module, title: str = "", names: Sequence[str] | None = None) -> Figure:
    """One network, from the blurred photo on the left to its answer on the right; lessons 06 and 08.

    Numbers under a box: its channels, and its side as a share of the photo's. A line above goes round the network where
    the input is added to the answer, lines between boxes where a level on the way up adds what the way down has seen.

    Args:
        model: takes (B, 3, H, W).
        title: above it.
        names: of the layers to show; :func:`layers` by default.
    """

    def drawn(wide: bool) -> Figure:
        lines = [title] if wide else textwrap.wrap(title, 44) or [""]
        made = figure(WIDTH if wide else NARROW, ROW + 6 + 18 * len(lines))
        _row(_canvas(made), model, names, 12, "\n".join(lines), COLOURS[0])
        return made

    return wide_and_narrow(drawn)


def taps(
    student: nn.Module, teacher: nn.Module, pairs: Mapping[str, str], titles: tuple[str, str] = ("student", "teacher")
) -> Figure:
    """Student below, teacher above, and a line for each pair of layers whose maps a distillation term compares (09).

    Args:
        student, teacher: as for :func:`network`.
        pairs: a layer of the student to one of the teacher; both must be among those that are drawn, or hold some of
            them (``body``: the last of these).
        titles: of the two.

    Raises:
        UsageError: for a layer that is not in the drawing.
    """

    def drawn(wide: bool) -> Figure:
        made = figure(WIDTH if wide else NARROW, 2 * ROW + 54)
        axes = _canvas(made)
        above = _row(axes, teacher, None, ROW + 42, titles[1], COLOURS[0], skip=False)
        below = _row(axes, student, None, 12, titles[0], COLOURS[3], skip=False)
        for index, (low, high) in enumerate(pairs.items()):
            (left, _, lower), (right, upper, _) = _drawn(low, below), _drawn(high, above)
            upper -= 32  # below the two lines of numbers
            axes.plot([left, right], [lower, upper], linestyle=(0, (4, 2)), color=COLOURS[1], linewidth=1.6)
            place = 0.75 - 0.2 * (index % 3)
            x, y = left + place * (right - left), lower + place * (upper - lower)
            shift, side = (-12, "right") if index % 2 == 0 else (12, "left")
            axes.text(x + shift, y, f"{low} to {high}", fontsize=9, color=COLOURS[1], va="center", ha=side)
        return made

    return wide_and_narrow(drawn)


def _drawn(name: str, places: dict[str, Place]) -> Place:
    """Where a layer is drawn, or the last of those that it holds."""
    inside = [each for each in places if each == name or each.startswith(f"{name}.")]
    if not inside:
        raise UsageError(f"no layer {name!r} in the drawing; there are {', '.join(places)}")
    return places[inside[-1]]


def restormer_block() -> Figure:
    """The two halves of a Restormer block: attention between channels, and the gated feed-forward layer (lesson 07).

    From left to right, one above the other; on a phone from top to bottom, side by side.
    """
    first = ("norm", "1x1, then 3x3\ndepthwise")
    halves = {
        "channels listen\nto channels": (
            *first,
            "queries, keys,\nvalues",
            "table C x C:\nsoftmax(t cos)",
            "table times\nvalues",
            "1x1",
        ),
        "a place and its neigh-\nbours, with a gate": (
            *first,
            "two halves:\na and b",
            "gelu(a)",
            "gelu(a) times b",
            "1x1",
        ),
    }

    def drawn(wide: bool) -> Figure:
        made = figure(WIDTH, 300) if wide else figure(NARROW, 460)
        axes = _canvas(made)
        for index, (title, parts) in enumerate(halves.items()):
            if wide:
                _half(axes, title.replace("-\n", "").replace("\n", " "), parts, 216 - 140 * index)
            else:
                _half_down(axes, title, parts, 175 * index)
        return made

    return wide_and_narrow(drawn)


def _half(axes: Axes, title: str, parts: Sequence[str], middle: float) -> None:
    """Half a block from left to right, around the height ``middle``."""
    axes.text(14, middle + 58, title, fontsize=10, weight="bold", va="center")
    x = 46
    for index, part in enumerate(parts):
        wide = 54 if part in ("norm", "1x1", "gelu(a)") else 104
        _part(axes, part, (x, middle - 24), (wide, 48), special=index == 3)
        _arrow(axes, (x - 16, middle), (x, middle))
        x += wide + 18
    _arrow(axes, (x - 18, middle), (x + 6, middle))
    axes.text(x + 14, middle, "+", ha="center", va="center", fontsize=14)
    corners = [(30, middle), (30, middle - 40), (x + 14, middle - 40), (x + 14, middle - 10)]
    axes.plot(*zip(*corners, strict=True), color="#555555", linewidth=1)
    axes.plot([14, 30], [middle, middle], color="#555555", linewidth=1)
    _note(axes, (300, middle - 40))
    _arrow(axes, (x + 22, middle), (x + 38, middle))


def _half_down(axes: Axes, title: str, parts: Sequence[str], left: float) -> None:
    """Half a block from top to bottom, in a column of 175 pixels."""
    middle, y = left + 106, 400.0
    axes.text(left + 8, 436, title, fontsize=9.5, weight="bold", va="center", linespacing=1.1)
    axes.plot([middle, middle], [y + 8, y - 4], color="#555555", linewidth=1)
    for index, part in enumerate(parts):
        tall = 40 if "\n" in part else 26
        _arrow(axes, (middle, y - 2), (middle, y - 18))
        y -= 18 + tall
        _part(axes, part, (middle - 54, y), (108, tall), special=index == 3)
    _arrow(axes, (middle, y), (middle, y - 18))
    axes.text(middle, y - 26, "+", ha="center", va="center", fontsize=14)
    corners = [(middle, 402), (left + 34, 402), (left + 34, y - 26), (middle - 8, y - 26)]
    axes.plot(*zip(*corners, strict=True), color="#555555", linewidth=1)
    _note(axes, (left + 34, (402 + y) / 2), rotation=90)
    _arrow(axes, (middle, y - 36), (middle, y - 52))


def _part(axes: Axes, words: str, corner: tuple[float, float], size: tuple[float, float], special: bool) -> None:
    """One box of a block; the one that makes it what it is has another colour."""
    colour = "#fbe3d0" if special else "#dfe8ee"
    axes.add_patch(Rectangle(corner, *size, facecolor=colour, edgecolor="#555555"))
    axes.text(corner[0] + size[0] / 2, corner[1] + size[1] / 2, words, ha="center", va="center", fontsize=9)


def _note(axes: Axes, at: tuple[float, float], rotation: float = 0) -> None:
    """What the line around a block carries."""
    words = axes.text(*at, "the input itself", ha="center", va="center", fontsize=9, rotation=rotation)
    words.set(color="#444444", backgroundcolor="white")


def _canvas(made: Figure) -> Axes:
    """Axes over a whole figure, whose units are its pixels."""
    axes = made.add_axes((0, 0, 1, 1))
    width, height = made.get_size_inches() * DPI
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return axes


def _row(
    axes: Axes, model: nn.Module, names: Sequence[str] | None, bottom: float, title: str, colour: str, skip: bool = True
) -> dict[str, Place]:
    """Draw one network above ``bottom``; for each layer (middle, lower edge, upper edge) of its box."""
    boxes, across = stages(model, names), axes.get_xlim()[1]
    wide = [(5 + 3.2 * each.channels**0.5) * across / WIDTH for each in boxes]
    left, right = (62.0, across - 88) if across == WIDTH else (58.0, across - 60)
    least = 6.0 if across == WIDTH else 3.0
    room = (right - left - sum(wide)) / (len(boxes) + 1)
    if room < least:
        wide = [each * (right - left - least * (len(boxes) + 1)) / sum(wide) for each in wide]
        room = least
    middle, x, places = bottom + 88, left, {}
    axes.text(12, bottom + ROW - 6, title, fontsize=10, weight="bold", va="bottom")
    axes.text(left - 32, middle, "blurred\nphoto", ha="center", va="center", fontsize=9)
    axes.text(across - 34, middle, "answer", ha="center", va="center", fontsize=9)
    before = left - 8
    for each, width in zip(boxes, wide, strict=True):
        x += room
        tall = 104 * each.scale**0.45
        axes.add_patch(Rectangle((x, middle - tall / 2), width, tall, facecolor=colour, alpha=0.8, edgecolor="#222222"))
        axes.text(x + width / 2, middle - tall / 2 - 3, each.label(), ha="center", va="top", fontsize=8.5)
        _arrow(axes, (before, middle), (x, middle))
        places[each.name] = (x + width / 2, middle - tall / 2, middle + tall / 2)
        x += width
        before = x
    _arrow(axes, (before, middle), (across - 60, middle))
    for name, (left, _, upper) in places.items():
        twin = name.replace("encoders", "decoders")
        if twin != name and twin in places:
            right = places[twin][0]
            axes.plot([left, left, right, right], [upper, upper + 9, upper + 9, upper], color="#777777", linewidth=1)
    if skip and isinstance(model, ResidualUNet | UnshuffleStudent | Restormer | NAFNet):
        top = middle + 76
        axes.plot(
            [30, 30, across - 34, across - 34], [middle + 16, top, top, middle + 8], color=COLOURS[1], linewidth=1.4
        )
        axes.text(
            across / 2, top, "the input itself is added", ha="center", va="center", fontsize=9, backgroundcolor="white"
        )
    return places


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color="#555555", linewidth=1))
