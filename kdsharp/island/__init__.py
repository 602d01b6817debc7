"""Islands: parts of a page that act, under a kernel and without one (floor 6).

An island is one ESM module in ``web/`` with a ``render({ model, el })``, as anywidget asks for it, and a Python class
here that knows its facts. Under a kernel it is an anywidget (JupyterLab, VS Code, Colab). On a published page the same
module runs without a kernel: ``web/page.mjs`` finds it there and gives it its facts. Where no script runs there is a
still: a picture, and a sentence.

The floor plan: :class:`Island` here, what becomes of the modules in :mod:`~kdsharp.island.modules`, what becomes of
pictures and networks on a page in :mod:`~kdsharp.island.files`; in ``web/``, ``page.mjs`` (finds islands),
``store.mjs`` and ``diary.mjs`` (what a
reader did), ``terms.mjs`` (words of the glossary), ``sliders.mjs``, ``look.css``, and a module for each kind of island.
"""

import hashlib
import html
import json
import os
from typing import Any, ClassVar

from kdsharp.checks import check_name
from kdsharp.island import modules
from kdsharp.island.files import seal


def is_live() -> bool:
    """Whether an island can call the kernel: set ``KDSHARP_EXPLORER`` to ``live`` or ``page`` to decide by hand.

    Jupyter's server gives each kernel it starts a session name; papermill and nbval start kernels without one.
    """
    wish = os.environ.get("KDSHARP_EXPLORER")
    if wish is not None:
        return check_name(wish, ("live", "page"), "KDSHARP_EXPLORER") == "live"
    return any(name in os.environ for name in ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"))


class Island:
    """What acts in a page. A kind of island says what it starts from and what is seen where no script runs."""

    module: ClassVar[str]
    """The ESM module in ``web/``."""

    sealed: ClassVar[bool] = False
    """Whether a page with scripts must not hold the still, because it gives an answer away."""

    def facts(self, live: bool) -> dict[str, Any]:
        """What the module starts from, as JSON holds it; without a kernel it must suffice for all that follows."""
        raise NotImplementedError

    def still(self) -> str:
        """HTML for where no script runs: a saved notebook, GitHub, a printed page."""
        raise NotImplementedError

    def listen(self, widget: Any) -> None:
        """Connect the live form with the kernel: ``widget.on_msg``, and ``widget.answer`` to answer with."""

    def widget(self) -> Any:
        """The live form, an anywidget."""
        widget = modules.widget(self.module, self.facts(live=True))
        self.listen(widget)
        return widget

    def page(self) -> str:
        """The form for a published page: the still, and the facts for the module that takes its place."""
        facts = json.dumps(self.facts(live=False)).replace("</", "<\\/")
        name = f"{self.module}-{hashlib.sha256(facts.encode()).hexdigest()[:10]}"
        mark = " data-sealed" if self.sealed else ""
        return (
            f'<div data-island="{self.module}" id="{name}"><div class="kdsharp-still"{mark}>{self.still()}</div>'
            f'<script type="application/json">{facts}</script></div>'
        )

    def document(self, title: str) -> str:
        """A whole HTML file with nothing but this island, which works from any web server and from disk."""
        return modules.document(self.module, seal(self.page()), title)

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(self.widget() if is_live() else HTML(self.page()))


def note(text: str) -> str:
    """A sentence below an island, such as why its buttons do nothing here."""
    return f'<p class="kdsharp-note">{html.escape(text)}</p>'
