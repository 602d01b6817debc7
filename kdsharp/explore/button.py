"""A training at the sliders' position: a button that starts it, a bar, a button that stops it (floor 7; lesson 10)."""

import html
import threading
import time
from collections.abc import Callable
from typing import Any

from kdsharp.checks import UsageError
from kdsharp.explore import Slider, is_live, select
from kdsharp.plots import Picture

Watch = Callable[[int, float], None]
"""Takes the number of a step and its loss; see ``watch`` of :func:`kdsharp.train.fit`."""


class Stopped(Exception):
    """Raised inside a training whose Stop button was pressed."""


class TrainingButton:
    """Sliders, Train and Stop, a progress bar, and the picture of what was trained.

    Live (see :func:`kdsharp.explore.is_live`) the training runs in a thread of its own, so that Stop and the sliders
    keep working. Without a front end, one training at the start position is run and shown.

    Args:
        train: trains with ``watch`` and the sliders' values, by name, and gives the picture. It calls ``watch`` after
            each step; when that raises :class:`Stopped`, it draws what there is.
        title: a few words.
        steps: of a whole training.
        sliders: name of ``train``'s argument to its :class:`kdsharp.explore.Slider`.
    """

    def __init__(self, train: Callable[..., Picture], title: str, steps: int, **sliders: Slider) -> None:
        if not sliders:
            raise UsageError("a training button needs at least one slider")
        self.train, self.title, self.steps, self.sliders = train, title, steps, sliders
        self.thread: threading.Thread | None = None

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(self.widget() if is_live() else HTML(self.page()))

    def widget(self) -> Any:
        """The live form."""
        import ipywidgets

        controls = {name: select(slider) for name, slider in self.sliders.items()}
        start = ipywidgets.Button(description="Train here", button_style="primary", icon="play")
        stop = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        bar = ipywidgets.IntProgress(max=self.steps, layout={"width": "260px"})
        said, view = ipywidgets.Label("Choose a position, then train."), ipywidgets.HTML()
        halt = threading.Event()

        def watch(step: int, loss: float) -> None:
            if halt.is_set():
                raise Stopped
            if time.monotonic() - shown[0] > 0.1 or step == self.steps:  # a message for every step would be a flood
                shown[0] = time.monotonic()
                bar.value, said.value = step, f"step {step} of {self.steps}, loss {loss:.4f}"

        def work(values: dict[str, float]) -> None:
            try:
                picture = self.train(watch, **values)
                view.value = picture.tag()
                said.value += "; stopped" if halt.is_set() else "; done"
            except Exception as error:  # a thread has nobody else to tell
                said.value = f"{type(error).__name__}: {error}"
            finally:
                start.disabled, stop.disabled = False, True

        def begin(_: object) -> None:
            halt.clear()
            start.disabled, stop.disabled, bar.value = True, False, 0
            said.value = "starting"
            values = {name: control.value for name, control in controls.items()}
            self.thread = threading.Thread(target=work, args=(values,), daemon=True)
            self.thread.start()

        shown = [0.0]
        start.on_click(begin)
        stop.on_click(lambda _: halt.set())
        title = ipywidgets.HTML(f"<b>{html.escape(self.title)}</b>")
        return ipywidgets.VBox([title, *controls.values(), ipywidgets.HBox([start, stop, bar]), said, view])

    def page(self) -> str:
        """The form without a kernel: what one training at the start position gave."""
        values = {name: slider.values[slider.index()] for name, slider in self.sliders.items()}
        where = ", ".join(f"{slider.label} {values[name]:g}" for name, slider in self.sliders.items())
        picture = self.train(lambda step, loss: None, **values)
        return (
            f'<div class="kdsharp-training"><p><b>{html.escape(self.title)}</b></p>'
            "<p><button disabled>Train here</button> <button disabled>Stop</button> The buttons work in JupyterLab; "
            f"this is one training of {self.steps} steps at {html.escape(where)}.</p>{picture.tag()}</div>"
        )
