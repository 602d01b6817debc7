"""Stored tables in ``data/tables/``: results too long for a lesson, and the numbers that a report prints (floor 4).

A table is a CSV file whose first line, a comment, says where its numbers come from.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdsharp.checkpoints import data_folder
from kdsharp.checks import UsageError, atomic_path, check_name

Row = dict[str, Any]
"""Column to text, number, or None where the cell is empty."""


@dataclass(frozen=True)
class Table:
    """The rows of a stored table, and the note that says where they come from."""

    note: str
    rows: list[Row]


def tables() -> dict[str, Path]:
    """The tables that come with kdsharp, by name."""
    return {path.stem: path for path in sorted((data_folder() / "tables").glob("*.csv"))}


def read(name: str | Path) -> Table:
    """A bundled table by name, or any file that :func:`write` made. Cells that are numbers come back as such.

    Raises:
        UsageError: for an unknown name, or a file without the note.
    """
    path = name if isinstance(name, Path) else tables()[check_name(name, tables(), "table")]
    note, *lines = path.read_text(encoding="utf-8").splitlines()
    if not note.startswith("# "):
        raise UsageError(f"{path} does not say in its first line where its numbers come from")
    return Table(note[2:], [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(lines)])


def write(path: Path, note: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same columns, numbers to six digits, below the note."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {note}\n")
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _text(value) for key, value in row.items()} for row in rows)


def _text(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


def _value(text: str) -> str | int | float | None:
    if not text:
        return None
    for kind in (int, float):
        try:
            found = kind(text)
        except ValueError:
            continue
        return found
    return text
