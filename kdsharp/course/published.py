"""An executed lesson as a page of the book shows it (floor 7): folds with names, nothing of the plumbing."""

import ast
import re

from nbformat import NotebookNode
from nbformat.v4 import new_output

from kdsharp.course.exercises import TO_SOLUTION, spoken
from kdsharp.course.lessons import tags
from kdsharp.course.telling import RESULT
from kdsharp.course.terms import link_terms

FOLDS = {
    "solution": "Solution",
    "check": "Check",
    "parameters": "Parameters",
    "imports": "Imports",
    "install": "Install",
    "result": "Show the result",
    "setup": "Set-up: parameters, imports and what the cells below share",
}
"""Tag of a cell to the name of its fold; whatever else is folded is called *Code*."""
BEFORE = "before you run"
"""What a lesson says where she is to answer first: on a page, which runs nothing, the next result folds."""
GOALS = "**You will be able to**"
"""Begins a lesson's goals, which its needs and minutes follow."""


def for_page(notebook: NotebookNode, terms: list[str]) -> None:
    """Make an executed lesson ready for the book; changed in place.

    Papermill's cell of parameters and what ``course.record`` shows go; parameters, imports and the last cells fold;
    folds have names; what a check says is said to the solution; the first use of a term of the glossary is a link.
    Goals and set-up fold, so that the first section begins on the first screen.
    """
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in tags(cell)]
    seen: set[str] = set()
    begun, asked = False, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            asked = cell.source
            begun = begun or cell.source.startswith("## ") or "\n## " in cell.source
            if begun:  # the first screen stays free of links
                cell.source = link_terms(cell.source, terms, seen)
        elif cell.cell_type == "code":
            if BEFORE in asked and cell.outputs and is_visible(cell):  # the first that answers
                cell.metadata["tags"] = [*tags(cell), "hide-output", "result"]
                asked = ""
            _fold(cell)
            cell.outputs = [_seen(output, cell) for output in cell.outputs if RESULT not in output.get("data", {})]
    _begin_soon(notebook)


def _begin_soon(notebook: NotebookNode) -> None:
    """One fold for goals and needs, one for all folded code without output before the first section."""
    cells = notebook.cells
    section = (k for k, cell in enumerate(cells) if cell.cell_type == "markdown" and cell.source.startswith("## "))
    before = cells[: next(section, 0)]
    for cell in before:
        if cell.cell_type == "markdown" and GOALS in cell.source:
            story, goals = cell.source.split(GOALS, 1)
            minutes = re.search(r"\*\*Minutes\.\*\* (\d+)", goals)
            summary = "What you will be able to do, and what to know before" + (
                f" ({minutes[1]} minutes)" if minutes else ""
            )
            cell.source = (
                f'{story}<details class="kdsharp-goals"><summary>{summary}</summary>\n\n{GOALS}{goals}\n\n</details>'
            )
    setup = [cell for cell in before if cell.cell_type == "code" and not is_visible(cell)]
    setup = [cell for cell in setup if not {"install", "remove-input"} & set(tags(cell))]
    silent = [cell for cell in setup if not cell.outputs]
    if silent and len(setup) > 1:
        silent[0].source = "\n\n".join(cell.source for cell in setup)
        silent[0].metadata["tags"] = ["hide-input", "setup"]
        _fold(silent[0])
        for cell in setup:
            if cell.outputs:  # the cover's: its code stands with the rest, and its picture by itself
                cell.metadata["tags"] = ["remove-input"]
        notebook.cells = [cell for cell in cells if cell not in silent[1:]]


def kinds_of(cell: NotebookNode) -> set[str]:
    """The tags of a code cell as the book reads them: parameters, imports and the last cells fold by themselves."""
    kinds = set(tags(cell))
    if _only_imports(cell.source):
        kinds.add("imports")
    if kinds & {"parameters", "imports"} or cell.source.startswith(("course.record(", "course.finish(")):
        kinds.add("hide-input")
    return kinds


def is_visible(cell: NotebookNode) -> bool:
    """Whether the code of a cell stands open on the page."""
    hidden = {"hide-input", "hide-cell", "remove-input", "remove-cell", "injected-parameters"}
    return cell.cell_type == "code" and not kinds_of(cell) & hidden


def _fold(cell: NotebookNode) -> None:
    kinds = kinds_of(cell)
    if kinds & {"hide-input", "hide-cell", "hide-output"}:
        name = next((name for tag, name in FOLDS.items() if tag in kinds), "Code")
        cell.metadata["mystnb"] = {"code_prompt_show": name, "code_prompt_hide": name}
    if kinds:
        cell.metadata["tags"] = sorted(kinds)


def _only_imports(source: str) -> bool:
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic
        return False
    return bool(body) and all(isinstance(each, (ast.Import, ast.ImportFrom)) for each in body)


def _seen(output: NotebookNode, cell: NotebookNode) -> NotebookNode:
    words = output.get("text", "") if output.output_type == "stream" else ""
    if "check" in tags(cell) and words.startswith("Right: "):
        return new_output("display_data", spoken(TO_SOLUTION, words.strip()))
    return output
