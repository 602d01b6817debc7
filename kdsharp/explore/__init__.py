"""Explorers: a slider or two over a pure function that draws (floor 7).

The same explorer is live under a kernel, which draws each position, and kernel-free on a published page, whose frames
are drawn beforehand (:mod:`kdsharp.island`). It is live when a notebook front end started the kernel; papermill and
nbval get the page.

The floor plan. Things to press: ``Explorer``, ``Slider`` and ``Switch`` here, :mod:`~kdsharp.explore.button` (10),
:mod:`~kdsharp.explore.stripes` (02), :mod:`~kdsharp.explore.shake` (03, 05), :mod:`~kdsharp.explore.kernel` (06, 09),
:mod:`~kdsharp.explore.digits` (10), :mod:`~kdsharp.explore.dials` (12), :mod:`~kdsharp.explore.browser` (00, 13, 14),
:mod:`~kdsharp.explore.checklist` (15). What they draw, by the lesson that asks:
``strength`` (00, 01, 13), ``frequency`` (02), ``blur`` (03), ``measuring`` (04), ``known_blur`` (05),
``training`` (06, 10), ``transformer`` (07), ``students`` (08), ``asked``, ``bet``, ``grid``, ``mixes``,
``point`` and ``rounding`` (10), ``penalties`` (11), ``descent`` (12), ``domains`` (13),
``deploying`` (14), ``tiles`` (07, 14), ``reading`` (15).
"""

import html
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from kdsharp.checks import UsageError
from kdsharp.island import Island, is_live, note
from kdsharp.plots import Picture, quickly

__all__ = ["Explorer", "Slider", "Switch", "is_live"]


@dataclass(frozen=True)
class Slider:
    """One quantity to explore: its label with the unit, the values it steps through, where it starts, and what a reader
    sees of the values where the numbers do not say it.
    """

    label: str
    values: tuple[float, ...]
    start: float
    words: tuple[str, ...] = ()

    def index(self) -> int:
        """Position of the value nearest to ``start``."""
        return min(range(len(self.values)), key=lambda i: abs(self.values[i] - self.start))

    def facts(self) -> dict[str, Any]:
        """What ``sliders.mjs`` makes a row of."""
        shown = list(self.words) or [f"{value:g}" for value in self.values]
        return {"label": self.label, "values": shown, "start": self.index()}


@dataclass(frozen=True)
class Switch:
    """A yes or no to explore: its label, and whether it starts on. ``draw`` gets False or True."""

    label: str
    start: bool = False
    values: ClassVar[tuple[bool, bool]] = (False, True)

    def index(self) -> int:
        """1 when it starts on, else 0."""
        return int(self.start)

    def facts(self) -> dict[str, Any]:
        """What ``sliders.mjs`` makes a switch of."""
        return {"label": self.label, "values": ["off", "on"], "start": self.index(), "switch": True}


class Explorer(Island):
    """Sliders, and switches, over ``draw``.

    Args:
        draw: a pure function of the sliders' values, by name, that gives a :class:`kdsharp.plots.Picture`.
        title: what is explored, a few words.
        sliders: name of ``draw``'s argument to its :class:`Slider` or :class:`Switch`.
    """

    module: ClassVar[str] = "explorer"

    def __init__(self, draw: Callable[..., Picture], title: str, **sliders: Slider | Switch) -> None:
        if not sliders:
            raise UsageError("an explorer needs at least one slider")
        self.draw, self.title, self.sliders = draw, title, sliders
        self._frames: dict[tuple[float, ...], Picture] = {}

    def frame(self, *values: float) -> Picture:
        """The picture at these slider values, drawn once and kept."""
        if values not in self._frames:
            self._frames[values] = self.draw(**dict(zip(self.sliders, values, strict=True)))
        return self._frames[values]

    def start(self) -> Picture:
        """The picture at the position where the sliders start."""
        return self.frame(*(slider.values[slider.index()] for slider in self.sliders.values()))

    def facts(self, live: bool) -> dict[str, Any]:
        first = self.start()
        facts = {
            "title": self.title,
            "sliders": [slider.facts() for slider in self.sliders.values()],
            "first": first.frame(),
            "width": first.width,
            "narrow": first.narrow_width,
            "photo": first.is_photo,
            "lettering": first.lettering if math.isfinite(first.lettering) else None,
        }
        if not live:
            points = itertools.product(*(slider.values for slider in self.sliders.values()))
            facts["frames"] = [self.frame(*point).frame() for point in points]
        return facts

    def still(self) -> str:
        told = [slider.facts() for slider in self.sliders.values()]
        where = ", ".join(f"{each['label']}: {each['values'][each['start']]}" for each in told)
        count = math.prod(len(slider.values) for slider in self.sliders.values())
        hint = f"One of {count} positions ({where}). The sliders move in JupyterLab and on the published page."
        return f"<p><b>{html.escape(self.title)}</b></p>{self.start().tag()}{note(hint)}"

    def listen(self, widget: Any) -> None:
        sliders = list(self.sliders.values())

        def draw(_: object, asked: dict[str, Any], buffers: object) -> None:
            values = [slider.values[step] for slider, step in zip(sliders, asked["position"], strict=True)]
            try:
                with quickly():
                    picture = self.frame(*values)
                answer: dict[str, Any] = {"picture": picture.frame()}
            except Exception as error:  # the page has nobody else to tell
                answer = {"error": f"{type(error).__name__}: {error}"}
            widget.answer = answer | {"number": asked["number"]}

        widget.on_msg(draw)
