"""Which lessons there are, and how their cells are marked (lesson 00)."""

from pathlib import Path

import nbformat

from kdsharp.checks import UsageError


def notebooks_folder() -> Path:
    """The lessons of this clone.

    Raises:
        UsageError: outside a clone, because lessons are not part of the installed package.
    """
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    if not folder.is_dir():
        raise UsageError("the lessons are not here: run kdsharp from a clone of the repository")
    return folder


def lessons() -> dict[str, Path]:
    """Lesson names (``09_distillation``) and their files, in order."""
    return {path.stem: path for path in sorted(notebooks_folder().glob("[0-9][0-9]_*.ipynb"))}


def find_lesson(name: str) -> Path:
    """The file of a lesson, by full name or number (``9``, ``09``, ``09_distillation``)."""
    known = lessons()
    matches = [stem for stem in known if stem == name or (name.isdigit() and stem[:2] == name.zfill(2))]
    if not matches:
        raise UsageError(f"unknown lesson {name!r}; choose one of: {', '.join(known)}")
    return known[matches[0]]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell is marked as: ``parameters``, ``stub``, ``solution``, ``check``, ..."""
    return cell.metadata.get("tags", [])
