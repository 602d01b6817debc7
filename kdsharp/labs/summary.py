"""What a class believed: points, the commonest misconceptions, and how sure it was of what turned out right."""

import csv
import datetime
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdsharp.checks import UsageError, atomic_path
from kdsharp.labs.folder import ClassFolder
from kdsharp.labs.spec import Lab, Verdict

BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0))
"""Of confidence; a bin holds its upper end."""


@dataclass(frozen=True)
class Policy:
    """What lateness costs: so many percent of the points for each day begun after ``due``, from ``free`` days on."""

    due: datetime.datetime | None = None
    percent: float = 10.0
    free: int = 0

    def days(self, handed_in: str, said_late: bool) -> int:
        """Days begun since the due time; a platform that says late counts as one day at least.

        Where nobody knows when it was handed in (an empty text), only what the platform says counts.
        """
        if self.due is None:
            return 0
        over = 0.0
        if handed_in:
            when = datetime.datetime.strptime(handed_in, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=datetime.UTC)
            over = (when - self.due).total_seconds() / 86400
        return max(math.ceil(over), int(said_late), 0)

    def penalty(self, points: float, days: int) -> float:
        """Points that are taken off; never more than there are."""
        return min(points, points * self.percent / 100 * max(0, days - self.free))


def due(text: str | None) -> datetime.datetime | None:
    """A time as it is given on the command line, in this machine's zone where it names none.

    Raises:
        UsageError: when it is none.
    """
    if text is None:
        return None
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time; write it like 2027-01-31T23:59") from None
    return found.astimezone(datetime.UTC)


def misconceptions(
    verdicts: Sequence[Mapping[str, Verdict]], lab: Lab, most: int = 3
) -> list[tuple[str, list[tuple[str, int]], int]]:
    """For each exercise (its name, its commonest misconceptions with how many had each, how many handed in)."""
    rows = []
    for each in lab.exercises:
        found = Counter(marked[each.name].misconception for marked in verdicts if each.name in marked)
        total = found.total()
        found.pop("", None)
        rows.append((each.name, found.most_common(most), total))
    return rows


def calibration(verdicts: Sequence[Mapping[str, Verdict]]) -> list[tuple[str, int, float, float]]:
    """For each bin of confidence (its name, predictions in it, mean confidence, share that were right)."""
    beliefs = [each.belief for marked in verdicts for each in marked.values() if each.belief is not None]
    rows = []
    for low, high in BINS:
        inside = [each for each in beliefs if low < each.confidence <= high or (low == 0 and each.confidence == 0)]
        if inside:
            sure = sum(each.confidence for each in inside) / len(inside)
            right = sum(each.right for each in inside) / len(inside)
            rows.append((f"{low:.0%} to {high:.0%}", len(inside), sure, right))
    return rows


def figure(rows: Sequence[tuple[str, int, float, float]], path: Path) -> None:
    """The calibration as a picture for the next lecture: on the diagonal, a class knows what it knows."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5, 4.4), layout="constrained")
    axes = drawn.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="as sure as right")
    axes.plot([row[2] for row in rows], [row[3] for row in rows], color="0.1", marker="o", label="this class")
    for _, count, sure, right in rows:
        axes.annotate(f"{count}", (sure, right), textcoords="offset points", xytext=(7, -12))
    axes.set(
        xlim=(0, 1.04), ylim=(-0.04, 1.04), xlabel="mean confidence of the predictions", ylabel="share that was right"
    )
    axes.set_title("How sure the class was, and how often right\n(the numbers count predictions)", fontsize=10)
    axes.legend(loc="upper left", frameon=False)
    with atomic_path(path) as temporary:
        drawn.savefig(temporary, dpi=150)


def grades(folder: ClassFolder, lab: Lab, scores: Mapping[str, Any], policy: Policy) -> list[dict[str, Any]]:
    """A row for each submission: who, points of each cell, lateness, final score, what waits for a person.

    Formgrader lets a person give more points than a cell has, or fewer than none: what counts stays between.
    """
    rows = []
    for student in folder.students(lab):
        came = folder.received(lab, student)
        found = scores.get(student, {"cells": {}, "waits": True})
        handed_in = came.time if came.timed else ""
        days = policy.days(handed_in, came.late)
        cells: list[Any] = [*lab.exercises, *lab.manual]
        given = {each.name: found["cells"].get(each.name) or 0.0 for each in cells}
        counted = {each.name: min(max(given[each.name], 0.0), each.points) for each in cells}
        points = sum(counted.values())
        off = policy.penalty(points, days)
        row: dict[str, Any] = {"student": student, "name": came.name, "number": came.number, "platform": came.platform}
        row["handed in"] = handed_in
        row |= {name: round(value, 2) for name, value in counted.items()}
        row |= {"points": round(points, 2), "days late": days, "penalty": round(off, 2)}
        row |= {"score": round(points - off, 2), "waits for a person": "yes" if found["waits"] else ""}
        marked = folder.result(lab, student)
        beyond = [
            f"{each.name}: {given[each.name]:g} given, {counted[each.name]:g} of {each.points:g} count"
            for each in cells
            if given[each.name] != counted[each.name]
        ]
        row["notes"] = "; ".join([*came.notes, *([marked.reason] if marked and marked.reason else []), *beyond])
        rows.append(row)
    return rows


def for_platform(rows: Sequence[dict[str, Any]], lab: Lab, platform: str) -> list[dict[str, Any]]:
    """The columns that a platform's import knows a person and a grade by; ``all`` keeps every column."""
    shape = {
        "moodle": lambda row: {
            "Identifier": f"Participant {row['number']}",
            "Full name": row["name"],
            "Grade": row["score"],
        },
        "canvas": lambda row: {"Student": row["name"], "ID": row["number"], "Section": "", lab.title: row["score"]},
        "blackboard": lambda row: {"Username": row["number"], lab.title: row["score"]},
        "ilias": lambda row: {"login": row["number"], "mark": row["score"]},
        "all": dict,
    }[platform]
    return [shape(row) for row in rows if platform in ("all", row["platform"])]


def write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """A table as a CSV file. A text that a spreadsheet would take for a formula gets a quote in front.

    Raises:
        UsageError: when the file cannot be written, because it is a folder or another program holds it open.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["student"])
            writer.writeheader()
            for row in rows:
                writer.writerow({name: _harmless(value) for name, value in row.items()})
    except OSError as error:
        said = f"cannot write {path} ({error.strerror}); close it where it is open, or choose another name"
        raise UsageError(said) from None


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
