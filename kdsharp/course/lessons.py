"""Which lessons there are, and how their cells are marked (lesson 00)."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from kdsharp.checks import UsageError
from kdsharp.places import place

if TYPE_CHECKING:
    from nbformat import NotebookNode  # two seconds that every lesson would spend at its start

NAME = re.compile(r"\d\d_[a-z0-9_]+")
"""Of a lesson's file; an editor's ``-Copy1`` and ``-checkpoint`` are none."""


def lessons() -> dict[str, Path]:
    """Lesson names (``09_distillation``) and their files, in order."""
    found = sorted(place("notebooks").glob("*.ipynb"))
    return {path.stem: path for path in found if NAME.fullmatch(path.stem)}


def find_lesson(name: str) -> Path:
    """The file of a lesson, by full name or number (``9``, ``09``, ``09_distillation``)."""
    known = lessons()
    matches = [stem for stem in known if stem == name or (name.isdigit() and stem[:2] == name.zfill(2))]
    if not matches:
        raise UsageError(f"unknown lesson {name!r}; choose one of: {', '.join(known)}")
    return known[matches[0]]


def tags(cell: "NotebookNode") -> list[str]:
    """What a cell is marked as: ``parameters``, ``stub``, ``solution``, ``check``, ..."""
    return cell.metadata.get("tags", [])
