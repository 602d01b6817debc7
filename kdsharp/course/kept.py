"""What a reader did in the lessons: her predictions, quiz answers, exercises and notes (floor 7).

On a published page all of it stays in her browser. Where a kernel works for her it lies in one file beside her
notebooks, :data:`FILE`, and nowhere else. Nothing is sent anywhere: the report that *My ledger* makes is a file that
she hands in herself.

An entry is a small dict. ``kind`` is ``prediction``, ``question``, ``exercise``, ``blind`` (a blind test that she has
finished) or ``note``; ``state`` is ``open`` until she has done something with it.
"""

import html
import json
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from kdsharp.checks import UsageError, atomic_path
from kdsharp.island import Island, is_live, note

FILE = "kdsharp-ledger.json"
"""Beside the notebooks of whoever works with a kernel."""

Entries = dict[str, dict[str, Any]]
"""Name of an entry, unique in its lesson, to the entry."""


def lesson_name() -> str:
    """The lesson that this kernel runs, such as ``05_known_blur``; empty where nobody says it.

    ``kdsharp run`` sets ``KDSHARP_LESSON``; Jupyter's server names its kernels by the notebook's path.
    """
    said = os.environ.get("KDSHARP_LESSON") or os.environ.get("JPY_SESSION_NAME", "")
    return PurePosixPath(said).stem


def read(file: str | Path = FILE) -> dict[str, Entries]:
    """All entries by lesson; none where there is no file yet.

    Raises:
        UsageError: for a file that holds something else.
    """
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        return {str(lesson): dict(entries) for lesson, entries in found["lessons"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{file} is no ledger; move it away, and a new one is begun") from None


def write(lesson: str, name: str, entry: dict[str, Any], file: str | Path = FILE) -> None:
    """Put one entry into the file, in the place of its earlier self."""
    lessons = read(file)
    lessons.setdefault(lesson, {})[name] = entry
    with atomic_path(Path(file)) as temporary:
        temporary.write_text(json.dumps({"lessons": lessons}, indent=1, ensure_ascii=False), encoding="utf-8")


def forget(file: str | Path = FILE) -> None:
    """Delete the file."""
    Path(file).unlink(missing_ok=True)


def note_exercise(passed: bool, words: str) -> None:
    """Note what a check has just said, where a kernel works for a reader whose front end names its cells."""
    cell = _cell_id()
    if cell is None or not is_live():
        return
    state = "passed" if passed else "open"
    write(lesson_name(), f"exercise:{cell}", {"kind": "exercise", "state": state, "words": words})


def _cell_id() -> str | None:
    from IPython import get_ipython

    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return parent.get("metadata", {}).get("cellId")


def diary(names: Sequence[str], live: bool) -> dict[str, Any]:
    """What a page's diary needs: the lesson and, under a kernel, what the file holds; else the browser knows."""
    facts: dict[str, Any] = {"lesson": lesson_name()}
    if live:
        entries = read().get(lesson_name(), {})
        facts["kept"] = {name: entries[name] for name in names if name in entries}
    return facts


def hear_diary(said: dict[str, Any]) -> None:
    """Write what the page's diary asks the kernel to keep, if this is what it said."""
    if "keep" in said:
        name, entry = said["keep"]
        write(lesson_name(), name, entry)


class Kept(Island):
    """An island whose doings are entries of the ledger; ``names`` are those that it reads and writes."""

    names: Sequence[str] = ()

    def facts(self, live: bool) -> dict[str, Any]:
        return diary(self.names, live)

    def listen(self, widget: Any) -> None:
        def hear(_: object, said: dict[str, Any], buffers: object) -> None:
            hear_diary(said)
            self.hear(widget, said)

        widget.on_msg(hear)

    def hear(self, widget: Any, said: dict[str, Any]) -> None:
        """What else the page may ask the kernel for."""


NOTES = {"expected": "What I expected", "saw": "What I saw", "next": "What I would check next"}
"""The three fields of each lesson's notes."""


class Ledger(Kept):
    """*My ledger*: what was predicted, answered and passed, how well her certainty fits, and the report.

    Args:
        whole: all lessons (the page *My ledger*), or the one that runs (its three notes, and a count).
    """

    module: ClassVar[str] = "ledger"
    names = ("note",)

    def __init__(self, whole: bool = False) -> None:
        self.whole = whole

    def facts(self, live: bool) -> dict[str, Any]:
        facts = super().facts(live) | {"whole": self.whole, "notes": NOTES}
        if live:
            facts["all"] = read()
        return facts

    def still(self) -> str:
        if self.whole:
            return note("The ledger is kept by a script in your browser, and none runs here.")
        fields = "".join(f"<li>{html.escape(label)}</li>" for label in NOTES.values())
        hint = note("These are fields to write in, on the published page and in JupyterLab.")
        return f"<p>Write down, for your report:</p><ul>{fields}</ul>{hint}"

    def hear(self, widget: Any, said: dict[str, Any]) -> None:
        if said.get("forget"):
            forget()
        if said.get("refresh"):
            widget.answer = {"all": read(), "number": said["refresh"]}


def ledger(whole: bool = False) -> None:
    """Show this lesson's three notes with a count of what she did, or all of *My ledger* (``whole=True``)."""
    from IPython.display import display

    display(Ledger(whole))
