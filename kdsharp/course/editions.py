"""Copies of the lessons: a student's, with stubs in place of the solutions, and an instructor's.

A copy belongs to whoever works in it. It is never written over: :func:`update` brings what has changed in the course,
cell by cell, into cells that were left as they came, and leaves all others alone.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from kdsharp.checks import UsageError, atomic_path, check_name, make_folder
from kdsharp.course.exercises import START, mark_start
from kdsharp.course.lessons import lessons, tags
from kdsharp.course.terms import without_roles

EDITIONS = ("student", "instructor")
MANIFEST = ".kdsharp-course.json"
"""In a copy's folder: its edition, and for each lesson what each cell was like when it was delivered."""

Delivered = dict[str, str]
"""Cell id to :func:`digest` of its source, as delivered."""


@dataclass
class Changes:
    """What an update did to one lesson: how many cells it brought, and whose new version gave way to the reader's."""

    lesson: str
    changed: int = 0
    added: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    trouble: str = ""


def start(folder: str | Path, edition: str = "student") -> list[Path]:
    """Write a copy of all lessons into ``folder``.

    Raises:
        UsageError: for an unknown edition, a folder that holds a copy already or cannot be written.
    """
    check_name(edition, EDITIONS, "edition")
    folder = make_folder(folder)
    there = [name for name in lessons() if (folder / f"{name}.ipynb").exists()]
    if there or (folder / MANIFEST).exists():
        raise UsageError(
            f"{folder} holds a copy of the course already; `kdsharp course update {folder}` brings what is new and "
            "leaves your cells alone"
        )
    manifest: dict[str, Delivered] = {}
    written = []
    for name, path in lessons().items():
        notebook = edited(path, edition)
        written.append(_write(folder / f"{name}.ipynb", notebook))
        manifest[name] = delivered(notebook)
    _write_manifest(folder, edition, manifest)
    return written


def update(folder: str | Path) -> list[Changes]:
    """Bring what has changed in the course into a copy; one entry for each lesson that is touched or in trouble.

    A cell that is as it was delivered is replaced, a new one is put in its place, one that the course dropped goes.
    A cell that was edited stays, and is named when the course has a new version of it; cells of one's own stay, and
    what was deleted stays deleted.

    Raises:
        UsageError: for a folder that holds no copy.
    """
    folder = Path(folder)
    edition, manifest = _read_manifest(folder)
    found = []
    for name, path in lessons().items():
        fresh, copy = edited(path, edition), folder / f"{name}.ipynb"
        if name not in manifest:
            if copy.exists():
                found.append(Changes(name, trouble=f"{copy.name} stands in the way of a new lesson; rename it"))
                continue
            _write(copy, fresh)
            found.append(Changes(name, added=len(fresh.cells)))
        elif copy.exists():  # a lesson that was deleted stays deleted
            changes = _update_one(copy, manifest[name], fresh)
            if changes.trouble:
                found.append(changes)
                continue
            if changes != Changes(name):
                found.append(changes)
        manifest[name] = delivered(fresh)
    _write_manifest(folder, edition, manifest)
    return found


def is_behind(folder: str | Path) -> bool:
    """Whether the course has changed since a copy was made or updated."""
    edition, manifest = _read_manifest(Path(folder))
    return any(manifest.get(name) != delivered(edited(path, edition)) for name, path in lessons().items())


def edited(path: Path, edition: str) -> NotebookNode:
    """A lesson as an edition has it, without outputs.

    Starts of exercises are labelled, and words of the glossary stand without their role. In the student's edition,
    cells tagged ``solution`` go. Each must follow a cell tagged ``stub``, which defines the same names, so that the
    check below runs and names the misconception.

    Raises:
        UsageError: for a solution without a stub.
    """
    notebook = nbformat.read(path, as_version=4)
    kept: list[NotebookNode] = []
    for cell in notebook.cells:
        if edition == "student" and "solution" in tags(cell):
            if not any("stub" in tags(before) for before in kept[-3:]):
                raise UsageError(f"{path.name}: a solution without a stub in the three cells above it")
            continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = without_roles(cell.source)
        if "stub" in tags(cell):
            mark_start(cell)
        kept.append(cell)
    notebook.cells = kept
    return notebook


def delivered(notebook: NotebookNode) -> Delivered:
    """What the manifest keeps of a lesson."""
    return {cell.id: digest(cell) for cell in notebook.cells}


def digest(cell: NotebookNode) -> str:
    """A short hash of a cell's kind and source; its outputs and folds do not count."""
    return hashlib.sha256(f"{cell.cell_type}\n{cell.source.strip()}".encode()).hexdigest()[:12]


def merge(
    hers: list[NotebookNode], before: Delivered, fresh: list[NotebookNode], changes: Changes
) -> list[NotebookNode]:
    """Her cells with what is new in the course: her order, her edits, her own cells, her deletions stay.

    Args:
        hers: the cells of the copy.
        before: what was delivered.
        fresh: the cells as the course has them now.
        changes: counts what is done.
    """
    new = {cell.id: cell for cell in fresh}
    merged: list[NotebookNode] = []
    for cell in hers:
        untouched = before.get(cell.id) == digest(cell)
        if cell.id not in new:
            if untouched:
                changes.removed += 1
            else:
                merged.append(cell)
        elif digest(cell) == digest(new[cell.id]) or not untouched:
            if not untouched and before.get(cell.id) not in (None, digest(new[cell.id])):
                changes.kept.append(_first_line(new[cell.id]))
            merged.append(cell)
        else:
            changes.changed += 1
            merged.append(new[cell.id])
    last = None
    for cell in fresh:
        places = [index for index, each in enumerate(merged) if each.id == cell.id]
        if not places and cell.id not in before:
            place = 0 if last is None else 1 + next(i for i, each in enumerate(merged) if each.id == last)
            merged.insert(place, cell)
            changes.added += 1
            last = cell.id
        elif places:
            last = cell.id
    return merged


def _update_one(copy: Path, before: Delivered, fresh: NotebookNode) -> Changes:
    changes = Changes(copy.stem)
    try:
        notebook = nbformat.read(copy, as_version=4)
    except Exception as error:  # nbformat has a dozen of its own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        changes.trouble = f"{copy.name} cannot be read ({reason}); it was left as it is"
        return changes
    notebook.cells = merge(notebook.cells, before, fresh.cells, changes)
    if changes.changed or changes.added or changes.removed:
        _write(copy, notebook)
    return changes


def _first_line(cell: NotebookNode) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip() and line != START]
    return lines[0][:60] if lines else "(empty)"


def _write(path: Path, notebook: NotebookNode) -> Path:
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)
    return path


def _write_manifest(folder: Path, edition: str, manifest: dict[str, Delivered]) -> None:
    with atomic_path(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps({"edition": edition, "lessons": manifest}, indent=1), encoding="utf-8")


def _read_manifest(folder: Path) -> tuple[str, dict[str, Delivered]]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return check_name(found["edition"], EDITIONS, "edition"), dict(found["lessons"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{folder} holds no copy of the course; `kdsharp course start {folder}` makes one") from None
