"""Explorers: a slider or two over a pure function that draws (floor 7).

The same explorer is live under a kernel (ipywidgets) and kernel-free on a published page (precomputed frames and
plain range inputs). It is live when a notebook front end started the kernel; papermill and nbval get the page.

The floor plan. Things to press: ``Explorer`` and ``Slider`` here, :mod:`~kdsharp.explore.button` (10),
:mod:`~kdsharp.explore.browser` (14), :mod:`~kdsharp.explore.checklist` (15). What they draw, by the lesson that asks:
``strength`` (00, 01, 13), ``frequency`` (02), ``blur`` (03), ``measuring`` (04), ``known_blur`` (05),
``training`` (06, 09, 10), ``transformer`` (07), ``students`` (08), ``grid`` (10), ``penalties`` (11), ``descent`` (12),
``deploying`` (14), ``tiles`` (07, 14), ``reading`` (15).
"""

import hashlib
import html
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kdsharp.checks import UsageError, check_name
from kdsharp.plots import Picture


@dataclass(frozen=True)
class Slider:
    """One quantity to explore: its label with the unit, the values it steps through, and where it starts."""

    label: str
    values: tuple[float, ...]
    start: float

    def index(self) -> int:
        """Position of the value nearest to ``start``."""
        return min(range(len(self.values)), key=lambda i: abs(self.values[i] - self.start))


def is_live() -> bool:
    """Whether sliders can call the kernel: set ``KDSHARP_EXPLORER`` to ``live`` or ``page`` to decide by hand.

    Jupyter's server gives each kernel it starts a session name; papermill and nbval start kernels without one.
    """
    wish = os.environ.get("KDSHARP_EXPLORER")
    if wish is not None:
        return check_name(wish, ("live", "page"), "KDSHARP_EXPLORER") == "live"
    return any(name in os.environ for name in ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"))


class Explorer:
    """Sliders over ``draw``.

    Args:
        draw: a pure function of the sliders' values, by name, that gives a :class:`kdsharp.plots.Picture`.
        title: what is explored, a few words.
        sliders: name of ``draw``'s argument to its :class:`Slider`.
    """

    def __init__(self, draw: Callable[..., Picture], title: str, **sliders: Slider) -> None:
        if not sliders:
            raise UsageError("an explorer needs at least one slider")
        self.draw, self.title, self.sliders = draw, title, sliders
        self._frames: dict[tuple[float, ...], Picture] = {}

    def frame(self, *values: float) -> Picture:
        """The picture at these slider values, drawn once and kept."""
        if values not in self._frames:
            self._frames[values] = self.draw(**dict(zip(self.sliders, values, strict=True)))
        return self._frames[values]

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(self.widget() if is_live() else HTML(self.page()))

    def widget(self) -> Any:
        """The live form: ipywidgets sliders and the picture."""
        import ipywidgets

        controls = {name: select(slider) for name, slider in self.sliders.items()}
        view = ipywidgets.HTML()

        def update(change: object = None) -> None:
            picture = self.frame(*(control.value for control in controls.values()))
            view.value = picture.tag()

        for control in controls.values():
            control.observe(update, names="value")
        update()
        return ipywidgets.VBox([ipywidgets.HTML(f"<b>{html.escape(self.title)}</b>"), *controls.values(), view])

    def page(self) -> str:
        """The kernel-free form: all frames, range inputs, and the few lines of script that swap the picture."""
        values = [slider.values for slider in self.sliders.values()]
        frames = [self.frame(*point) for point in itertools.product(*values)]
        start = 0
        for slider in self.sliders.values():
            start = start * len(slider.values) + slider.index()
        name = "explorer-" + hashlib.sha256((self.title + frames[start].src()).encode()).hexdigest()[:10]
        rows = "".join(_range_input(f"{name}-{key}", slider) for key, slider in self.sliders.items())
        data = {
            "shape": [len(each) for each in values],
            "values": [[f"{value:g}" for value in each] for each in values],
            "frames": [[picture.src(), picture.alt] for picture in frames],
        }
        body = f"<p><b>{html.escape(self.title)}</b></p>{rows}{frames[start].tag()}"
        return island("explorer", name, body, data, _SCRIPT)


def island(kind: str, name: str, body: str, facts: object, script: str, style: str = "") -> str:
    """A part of a page that lives without a kernel: HTML, the facts as JSON, and a script that finds both by ``name``.

    Args:
        kind: of what; the class is ``kdsharp-KIND``.
        name: the id, one of its own on the page; it replaces NAME in the script.
        body: HTML.
        facts: whatever JSON holds.
        script: JavaScript.
        style: of the ``<div>``.
    """
    text = json.dumps(facts).replace("</", "<\\/")
    styled = f' style="{style}"' if style else ""
    return (
        f'<div class="kdsharp-{kind}" id="{name}"{styled}>{body}<script type="application/json">{text}</script>'
        f"<script>{script.replace('NAME', name)}</script></div>"
    )


def select(slider: Slider) -> Any:
    """The live form of one slider."""
    import ipywidgets

    return ipywidgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in slider.values],
        index=slider.index(),
        description=slider.label,
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "420px"},
    )


def _range_input(identifier: str, slider: Slider) -> str:
    return (
        f'<p style="margin:.3em 0"><label for="{identifier}" style="display:inline-block;min-width:18em">'
        f"{html.escape(slider.label)}: <output>{slider.values[slider.index()]:g}</output></label>"
        f'<input id="{identifier}" type="range" min="0" max="{len(slider.values) - 1}" step="1" '
        f'value="{slider.index()}" style="width:20em;max-width:100%"></p>'
    )


_SCRIPT = """
(() => {
  const root = document.getElementById("NAME");
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const inputs = [...root.querySelectorAll("input")];
  const outputs = [...root.querySelectorAll("output")];
  const image = root.querySelector("img");
  const update = () => {
    let index = 0;
    inputs.forEach((input, k) => {
      index = index * data.shape[k] + Number(input.value);
      outputs[k].textContent = data.values[k][input.value];
    });
    [image.src, image.alt] = data.frames[index];
  };
  inputs.forEach((input) => input.addEventListener("input", update));
})();
"""
