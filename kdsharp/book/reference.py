"""The reference: the package's docstrings as pages, one a room; from each function to its lesson, and back."""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from kdsharp.checks import make_folder
from kdsharp.course import lessons
from kdsharp.places import PACKAGE

INSIDE = ("__main__", "book", "cli", "island", "labs", "places", "vision")
"""Rooms that serve the house: nobody who writes a notebook calls them."""
OF_A_PAGE = ("checks", "course", "plots")
"""Rooms of which each lesson calls much, and explains nothing."""
NAMED = re.compile(r"\b[Ll]essons? \d\d(?:(?:, | and | or | to )\d\d)*")
ONE = re.compile(r"(?:[Ll]essons? )?(\d\d)")
TYPE = re.compile(r"\s*^:type: (.*)", re.DOTALL | re.MULTILINE)
"""What napoleon takes the words before a constant's first colon for."""
FLOOR = re.compile(r" \(floor \d\)|(?<=\()floor \d; ")
"""What a module says to those who build the house, and to nobody else."""


def write(out: Path) -> None:
    """Write the pages and the table of rooms into a book's sources: ``package/ROOM.md`` and ``package_rooms.txt``."""
    make_folder(out / "package")
    rows = ["| room | what it holds | explained in |", "|---|---|---|"]
    for room in rooms():
        (out / "package" / f"{room}.md").write_text(page(room), encoding="utf-8")
        module = importlib.import_module(f"kdsharp.{room}")
        first = FLOOR.sub("", inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
        says = re.sub(r" \([^()]*\)(?=\.?$)", "", re.sub(r":\w+:`~?([^`]+)`", r"`\1`", first)).replace("``", "`")
        numbers = sorted(set(_numbers(inspect.getdoc(module) or "")))
        where = ", ".join(f"[{number}](lessons/{_names()[number]})" for number in numbers)
        rows.append(f"| [{room}](package/{room}) | {says} | {where} |")
    (out / "package_rooms.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")


def rooms() -> list[str]:
    """The modules and folders of the package that a notebook calls."""
    return [found.name for found in pkgutil.iter_modules([str(PACKAGE)]) if found.name not in INSIDE]


def page(room: str) -> str:
    """The source of a room's page: what it offers under its own name first, then what its modules hold besides."""
    found = importlib.import_module(f"kdsharp.{room}")
    offered = set(getattr(found, "__all__", ()))
    lines = [f"# kdsharp.{room}", "", *_shown(found, [])]
    for module in _modules(found):
        if module.__name__.rpartition(".")[2] not in offered:  # else it is there for the function of its name
            lines += [f"## {module.__name__}", "", *_shown(module, sorted(offered & _own(module).keys()))]
    return "\n".join(lines)


def _modules(room: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}."):
        yield importlib.import_module(found.name)


def _shown(module: ModuleType, without: list[str]) -> list[str]:
    besides = [f"   :exclude-members: {', '.join(without)}"] if without else []
    return ["```{eval-rst}", f".. automodule:: {module.__name__}", *besides, "```", ""]


def _own(module: ModuleType) -> dict[str, Any]:
    """The functions and classes that a module shows under its name, its own or of its room."""
    return {name: each for name, each in vars(module).items() if inspect.isclass(each) or inspect.isfunction(each)}


def _names() -> dict[str, str]:
    """Number of a lesson to its name."""
    return {name[:2]: name for name in lessons()}


def _numbers(text: str) -> list[str]:
    known = _names()
    return [number for found in NAMED.findall(text) for number in re.findall(r"\d\d", found) if number in known]


def with_links(text: str) -> str:
    """A docstring whose ``lesson 09`` and ``lessons 01, 02 and 05`` are links, and which names no floor."""
    known = _names()

    def link(found: re.Match[str]) -> str:
        return f":doc:`{found[0]} </lessons/{known[found[1]]}>`" if found[1] in known else found[0]

    return NAMED.sub(lambda found: ONE.sub(link, found[0]), FLOOR.sub("", text))


def explain(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Sphinx's ``autodoc-process-docstring``: lessons become links; who names none gets those of its module."""
    text = "\n".join(lines)
    taken = TYPE.search(text)
    if what in ("data", "attribute") and taken:
        text = f"{taken[1].strip()}: {text[: taken.start()]}"
    if what in ("function", "class") and not _numbers(text):
        module = sys.modules.get(thing.__module__)
        room = sys.modules[".".join(thing.__module__.split(".")[:2])]
        numbers = _numbers(getattr(module, "__doc__", "") or "") or _numbers(room.__doc__ or "")
        if numbers:
            text += f"\n\nLesson{'s' * (len(numbers) > 1)} {', '.join(numbers)}.\n"
    lines[:] = with_links(text).split("\n")


def called(notebook: NotebookNode) -> list[str]:
    """What a lesson's code takes from the package and its own page explains, each as the reference names it."""
    trees = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                trees.append(ast.parse(cell.source))
            except SyntaxError:  # a magic
                continue
    nodes = [node for tree in trees for node in ast.walk(tree)]
    bound: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kdsharp":
            module = importlib.import_module(node.module or "")
            for each in node.names:
                if not hasattr(module, each.name):  # a module that nobody has asked for yet
                    importlib.import_module(f"{node.module}.{each.name}")
                bound[each.asname or each.name] = getattr(module, each.name)
    things = [bound[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in bound]
    attributes = [each for each in nodes if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name)]
    for node in attributes:
        of = bound.get(ast.unparse(node.value))
        if isinstance(of, ModuleType):
            things.append(getattr(of, node.attr, None))
    return sorted({shown_as(each) for each in things} - {""})


def shown_as(thing: Any) -> str:
    """The name under which the reference shows a function or class; empty for what it does not explain."""
    if not (inspect.isclass(thing) or inspect.isfunction(thing)) or not thing.__doc__:
        return ""
    top, room, *_ = f"{thing.__module__}.".split(".")
    if top != "kdsharp" or room in (*INSIDE, *OF_A_PAGE):
        return ""
    is_offered = thing.__name__ in getattr(sys.modules[f"kdsharp.{room}"], "__all__", ())
    return f"kdsharp.{room}.{thing.__name__}" if is_offered else f"{thing.__module__}.{thing.__qualname__}"


def lead_back(notebook: NotebookNode) -> None:
    """Add to an executed lesson, at its end, the way to the reference of what it calls; changed in place."""
    links = ", ".join(f"{{py:obj}}`~{name}`" for name in called(notebook))
    text = f"What this lesson calls, in the {{doc}}`reference <../package>`: {links}."
    notebook.cells.append(new_markdown_cell(text))
