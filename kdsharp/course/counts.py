"""What a lesson asks of its reader, counted: words, locks, questions, and code that stands open (floor 7)."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from kdsharp.course.guide import overview
from kdsharp.course.lessons import tags
from kdsharp.course.published import is_visible

LIMIT = 10
"""Lines: what stays visible is the thought."""
BOX = re.compile(r"^> \*\*(Think first|Before you move)", re.MULTILINE)
PRESENTS = ("plots.show", "course.say", "course.record", "course.finish", "course.quiz", "print", "display")
"""Calls that show something and think nothing; so does a method ``reveal``."""
HEADINGS = ("", "words", "locks", "boxes", "expl.", "ex.", "quiz", "kinds", "cells", "lines") + (
    f"over {LIMIT}",
    "show",
    "share",
)
NOT_PROSE = re.compile(
    r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|\{[\w:-]+\}`[^`]*`|\]\([^)]*\)|<[^>\n]+>", re.DOTALL
)


@dataclass(frozen=True)
class Counts:
    """One lesson. ``code`` holds, for each visible code cell, its lines and how many of them only show something."""

    words: int
    locks: int
    boxes: int
    explorers: int
    exercises: int
    questions: int
    kinds: int
    code: tuple[tuple[int, int], ...]

    def cells(self) -> list[str]:
        """The counts as a row of a table, in the order of ``HEADINGS`` after the lesson."""
        lines, showing = (sum(each) for each in zip(*self.code, strict=True)) if self.code else (0, 0)
        over = sum(count > LIMIT for count, _ in self.code)
        mostly = sum(2 * shown > count for count, shown in self.code)
        head = [self.words, self.locks, self.boxes, self.explorers, self.exercises, self.questions, self.kinds]
        share = f"{showing / max(1, lines):.0%}"
        return [*map(str, head), str(len(self.code)), str(lines), str(over), str(mostly), share]


def count(path: Path) -> Counts:
    """Count a lesson's notebook; a box is a question to think of, a lock a prediction that can be made."""
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    known = overview(path)
    visible = [cell.source for cell in cells if is_visible(cell) and "start" not in tags(cell)]
    kinds = {kind for kind in ("answers", "order", "number", "places") if re.search(rf"[\"']{kind}[\"']:", code)}
    return Counts(
        words=len(re.findall(r"[^\W\d_]+", NOT_PROSE.sub(" ", prose))),
        locks=code.count("course.predict("),
        boxes=len(BOX.findall(prose)),
        explorers=known.explorers,
        exercises=known.exercises,
        questions=known.questions,
        kinds=len(kinds),
        code=tuple((_lines(source), _showing(source)) for source in visible),
    )


def _lines(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())


def _showing(source: str) -> int:
    """How many lines belong to statements that are nothing but a call that shows something."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic
        return 0
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func)
            if called in PRESENTS or called.endswith(".reveal"):
                lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)
