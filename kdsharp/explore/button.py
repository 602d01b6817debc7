"""A training at the sliders' position: a button that starts it, a bar, a button that stops it (floor 7; lesson 10)."""

import html
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from kdsharp.checks import UsageError
from kdsharp.explore import Slider
from kdsharp.island import Island, note
from kdsharp.plots import Picture

Watch = Callable[[int, float], None]
"""Takes the number of a step and its loss; see ``watch`` of :func:`kdsharp.train.fit`."""


class Stopped(Exception):
    """Raised inside a training whose Stop button was pressed."""


class TrainingButton(Island):
    """Sliders, Train and Stop, a progress bar, and the picture of what was trained.

    Live (see :func:`kdsharp.island.is_live`) the training runs in a thread of its own, so that Stop and the sliders
    keep working. Without a front end nothing is trained: what is shown is what is known beforehand.

    Args:
        train: trains with ``watch`` and the sliders' values, by name, and gives the picture. It calls ``watch`` after
            each step; when that raises :class:`Stopped`, it draws what there is.
        before: what is known at the sliders' values without a training.
        title: a few words.
        steps: of a whole training.
        sliders: name of ``train``'s argument to its :class:`kdsharp.explore.Slider`.
    """

    module: ClassVar[str] = "training"

    def __init__(
        self, train: Callable[..., Picture], before: Callable[..., Picture], title: str, steps: int, **sliders: Slider
    ) -> None:
        if not sliders:
            raise UsageError("a training button needs at least one slider")
        self.train, self.before, self.title, self.steps, self.sliders = train, before, title, steps, sliders
        self.thread: threading.Thread | None = None

    def facts(self, live: bool) -> dict[str, Any]:
        sliders = [slider.facts() for slider in self.sliders.values()]
        return {"title": self.title, "sliders": sliders, "steps": self.steps}

    def page(self) -> str:
        """Nobody trains without a kernel: what is known at the start position."""
        return f'<div class="kdsharp-still">{self.still()}</div>'

    def still(self) -> str:
        values = {name: slider.values[slider.index()] for name, slider in self.sliders.items()}
        where = ", ".join(f"{slider.label} {values[name]:g}" for name, slider in self.sliders.items())
        picture = self.before(**values)
        hint = f"The button trains {self.steps} steps, in JupyterLab; this is what is known before, at {where}."
        return f"<p><b>{html.escape(self.title)}</b></p>{note(hint)}{picture.tag()}"

    def listen(self, widget: Any) -> None:
        halt, shown = threading.Event(), [0.0]

        def tell(step: int, text: str, running: bool = True, picture: Picture | None = None) -> None:
            drawn = None if picture is None else [picture.src(), picture.alt, picture.width]
            widget.answer = {"step": step, "text": text, "running": running, "picture": drawn}

        def watch(step: int, loss: float) -> None:
            if halt.is_set():
                raise Stopped
            if time.monotonic() - shown[0] > 0.1 or step == self.steps:  # a message for every step would be a flood
                shown[0] = time.monotonic()
                tell(step, f"step {step} of {self.steps}, loss {loss:.4f}")

        def work(values: dict[str, float]) -> None:
            try:
                picture = self.train(watch, **values)
                last = widget.answer.get("step", 0), widget.answer.get("text", "")
                tell(last[0], f"{last[1]}; {'stopped' if halt.is_set() else 'done'}", running=False, picture=picture)
            except Exception as error:  # a thread has nobody else to tell
                tell(0, f"{type(error).__name__}: {error}", running=False)

        def press(_: object, asked: dict[str, Any], buffers: object) -> None:
            if "stop" in asked:
                halt.set()
                return
            halt.clear()
            steps = zip(self.sliders.items(), asked["train"], strict=True)
            values = {name: slider.values[step] for (name, slider), step in steps}
            self.thread = threading.Thread(target=work, args=(values,), daemon=True)
            self.thread.start()

        widget.on_msg(press)
