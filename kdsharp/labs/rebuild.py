"""A handed-in notebook, rebuilt on the one that was handed out: the submission's words, our structure.

What comes in is a stranger's file. What goes on is a notebook of ours: each cell that is marked stands in it once, with
the metadata that it was handed out with; whatever else the author wrote stands where she wrote it, as plain code, or as
quoted text. HTML, attachments, outputs, widgets and metadata of hers go no further than here.
"""

import hashlib
import json
import re
import textwrap
from typing import Any

import nbformat
from nbformat import NotebookNode

MOST_BYTES = 20 * 1024 * 1024
MOST_CELLS = 1000
MOST_SOURCE = 200_000
"""Characters of one cell."""


class Unreadable(ValueError):
    """The file is no notebook that can be marked; its text is the reason."""


def version(release: NotebookNode) -> str:
    """Eight digits that change when a lab's handed-out notebook changes."""
    text = json.dumps([[cell.cell_type, cell.source] for cell in release.cells])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read(content: bytes) -> dict[str, Any]:
    """The notebook in a stranger's file, with its shape checked and nothing else.

    Raises:
        Unreadable: with the reason.
    """
    if len(content) > MOST_BYTES:
        raise Unreadable(f"the file is larger than {MOST_BYTES >> 20} MB: hand it in without outputs")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("the file is no text") from None
    except RecursionError:
        raise Unreadable("its lists lie too deep in each other") from None
    except ValueError as error:
        raise Unreadable(f"it is no valid JSON ({error})") from None
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise Unreadable("it is JSON, but no notebook of format 4")
    if len(found["cells"]) > MOST_CELLS:
        raise Unreadable(f"it has {len(found['cells'])} cells, more than {MOST_CELLS}")
    return found


def lab_of(found: dict[str, Any]) -> str | None:
    """Which lab a notebook says it was made from."""
    said = _dict(_dict(found.get("metadata")).get("kdsharp")).get("lab")
    return said if isinstance(said, str) else None


def grade_ids(found: dict[str, Any]) -> set[str]:
    """The names of the marked cells that a notebook holds."""
    return {name for cell in found["cells"] if (name := _grade_id(cell))}


def rebuild(found: dict[str, Any], release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook to run and to mark, and what was put right in it.

    Args:
        found: what :func:`read` gave.
        release: the notebook as it was handed out.
    """
    notes: list[str] = []
    by_grade = {name: cell for cell in release.cells if (name := _grade_id(cell))}
    by_id = {cell.id: cell for cell in release.cells}
    said = _dict(_dict(found.get("metadata")).get("kdsharp")).get("version")
    if said != version(release):
        notes.append(f"made from another version of the lab ({str(said)[:8]}; this is {version(release)})")
    cells: list[NotebookNode] = []
    there: set[str] = set()
    for given in found["cells"]:
        if not isinstance(given, dict):
            continue
        source = _source(given)
        ours = by_grade.get(_grade_id(given) or "") or by_id.get(_text(given.get("id")))
        if ours is not None and ours.id in there:
            notes.append(f"a second cell {_grade_id(ours) or ours.id}: the first one counts")
            ours = None
        if ours is None:
            cells.append(_plain(given, source, len(cells)))
            continue
        there.add(ours.id)
        cell = _copy(ours)
        if source.strip() != ours.source.strip():
            if _is_locked(ours):
                notes.append(f"the given cell {_grade_id(ours)} was edited: the original is used")
            else:
                cell.source = source if ours.cell_type == "code" else quoted(source)
        cells.append(cell)
    for place, ours in enumerate(release.cells):
        if ours.id in there or _grade_id(ours) is None:
            continue
        notes.append(f"the cell {_grade_id(ours)} was missing: it is there again as it was handed out")
        before = [cell.id for cell in release.cells[:place]]
        last = max((index for index, cell in enumerate(cells) if cell.id in before), default=-1)
        cells.insert(last + 1, _copy(ours))
    whole = nbformat.from_dict({"cells": cells, "metadata": dict(release.metadata), "nbformat": 4, "nbformat_minor": 5})
    return whole, list(dict.fromkeys(notes))


def untouched(release: NotebookNode) -> NotebookNode:
    """What stands for a submission that cannot be read: the notebook as it was handed out."""
    cells = [_copy(cell) for cell in release.cells]
    return nbformat.from_dict({"cells": cells, "metadata": dict(release.metadata), "nbformat": 4, "nbformat_minor": 5})


def quoted(text: str) -> str:
    """Text as Markdown that shows it as it is: no tag, link, picture or formula of its author's is one any more."""
    lines = [part for line in text.splitlines() for part in (textwrap.wrap(line, 100) or [""])]
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n" + "\n".join(lines) + f"\n{fence}"


def _copy(cell: NotebookNode) -> NotebookNode:
    made = nbformat.from_dict(json.loads(json.dumps(cell)))
    if made.cell_type == "code":
        made.outputs, made.execution_count = [], None
    made.pop("attachments", None)
    return made


def _plain(given: dict[str, Any], source: str, place: int) -> NotebookNode:
    """A cell of the author's own."""
    if given.get("cell_type") == "code":
        return nbformat.v4.new_code_cell(source, id=f"own-{place}")
    return nbformat.v4.new_markdown_cell(quoted(source), id=f"own-{place}")


def _source(cell: dict[str, Any]) -> str:
    found = cell.get("source", "")
    text = "".join(map(_text, found)) if isinstance(found, list) else _text(found)
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:MOST_SOURCE]


def _grade_id(cell: Any) -> str | None:
    name = _dict(_dict(_dict(cell).get("metadata")).get("nbgrader")).get("grade_id")
    return name if isinstance(name, str) and name else None


def _is_locked(cell: NotebookNode) -> bool:
    marked = _dict(cell.metadata.get("nbgrader"))
    return not marked.get("solution") and bool(marked.get("grade") or marked.get("locked"))


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
