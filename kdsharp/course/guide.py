"""What a lecturer wants to see at a glance: one row a lesson (floor 7; the book's instructor's guide)."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from kdsharp.checks import UsageError
from kdsharp.course import collect_results, lessons, tags

EXPLORERS = (
    *("Explorer(", "TrainingButton(", "BlindTest(", "WhichOne(", "Checklist(", "BrowserPage("),
    *("OneKernel(", "Digits(", "Shake(", "Stripes(", "Dials("),
)
"""What a reader can act on, as a lesson's code calls it."""


@dataclass(frozen=True)
class Overview:
    """What a lesson holds: minutes to work through it as it states them, and how many of each thing."""

    title: str
    minutes: int
    cells: int
    explorers: int
    exercises: int
    questions: int


def overview(path: Path) -> Overview:
    """Count what a lesson's notebook holds.

    Raises:
        UsageError: for a notebook without a title or minutes.
    """
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    title = re.match(r"# \d\d · (.+)", cells[0].source)
    minutes = re.search(r"\*\*Minutes[.:]\*\*\D*(\d+)", text)
    if title is None or minutes is None:
        raise UsageError(f"{path.name} does not say its title (`# 09 · ...`) or its minutes (`**Minutes.** 60`)")
    return Overview(
        title[1],
        int(minutes[1]),
        len(cells),
        sum(any(call in line for call in EXPLORERS) for line in code.splitlines()),
        sum("stub" in tags(cell) for cell in cells),
        len(re.findall(r"""["']question["']:""", code)),
    )


def lesson_table(executed: Path) -> str:
    """A Markdown table of all lessons: minutes, contents, and what the executed notebooks in ``executed`` measured.

    Titles are links in the book. The seconds are those of the machine that ran them; the headline number is what a
    lesson records as ``headline``: a number with its unit and what it says.
    """
    rows = [
        "| | lesson, and its headline number | min | s | cells | expl. | ex. | quiz |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, path in lessons().items():
        found, seconds, headline = overview(path), "", ""
        if (executed / path.name).is_file():
            run = nbformat.read(executed / path.name, as_version=4)
            seconds = f"{run.metadata.get('papermill', {}).get('duration', 0):.0f}"
            headline = collect_results(executed / path.name).get("headline", "")
        shown = f"**[{found.title}](lessons/{path.name})**" + (f"<br>{headline}" if headline else "")
        rows.append(
            f"| {name[:2]} | {shown} | {found.minutes} | {seconds} | {found.cells} | {found.explorers} | "
            f"{found.exercises} | {found.questions} |"
        )
    return "\n".join(rows) + "\n"
