"""Exercises where nobody works on them: the check speaks to the start first, then to the solution (floor 7).

An exercise is a cell tagged ``stub``, one tagged ``solution``, one tagged ``check``. On a page its best part is what
the check says to the start, which is wrong for a reason: a headless run lets it speak.
"""

import html
import warnings

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from kdsharp.checks import UsageError
from kdsharp.course.checking import NotYet
from kdsharp.course.lessons import tags
from kdsharp.course.words import sentence

START = "# The start: it runs, and it is wrong on purpose."
"""First line of each start, wherever a reader meets it."""
TO_START = "The check says to this start"
TO_SOLUTION = "The check says to the solution"


def mark_start(cell: NotebookNode) -> None:
    """Label a cell tagged ``stub``."""
    if not cell.source.startswith(START):
        cell.source = f"{START}\n{cell.source}"


def with_starts(notebook: NotebookNode) -> None:
    """Label every start of a notebook, and put a cell below it in which its check speaks to it; changed in place."""
    cells: list[NotebookNode] = []
    for place, cell in enumerate(notebook.cells):
        cells.append(cell)
        if "stub" not in tags(cell):
            continue
        mark_start(cell)
        check = next((each for each in notebook.cells[place:] if "check" in tags(each)), None)
        if check is not None:
            source = f"from kdsharp.course.exercises import try_start\n\ntry_start({check.source!r})"
            cells.append(
                new_code_cell(source, metadata={"tags": ["start", "remove-input"]}, id=f"start-{cell.id}"[:64])
            )
    notebook.cells = cells


def try_start(check: str) -> None:
    """Run the source of a check beside what the notebook has defined, and show what it says; nothing of it stays.

    Raises:
        UsageError: when the check has nothing to say: a start must be wrong.
    """
    from IPython import get_ipython
    from IPython.display import display

    names = dict(get_ipython().user_ns)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what wrong code warns of is no news
            exec(compile(check, "<check>", "exec"), names)
    except NotYet as said:
        display(spoken(TO_START, f"Not yet: {said}"), raw=True)
    else:
        raise UsageError("the start of an exercise passes its check; it must be wrong for a reason")


def spoken(who: str, words: str) -> dict[str, str]:
    """What a check says, as the data of an output."""
    text = f"<p class='kdsharp-said'><b>{html.escape(who)}:</b> {sentence(words)}</p>"
    return {"text/html": text, "text/plain": f"{who}: {words}"}
