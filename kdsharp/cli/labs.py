"""``kdsharp labs``: graded labs, handed out, collected, marked and given back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from kdsharp.checks import UsageError, atomic_path, check_name
from kdsharp.cli.marking import (
    MINE,
    Class,
    Dry,
    Which,
    check_class,
    check_handed_in,
    leaderboard,
    mark,
    opened,
    regrade,
    similar,
    waiting,
)
from kdsharp.cli.shared import PlainTable, console, say

labs_app = typer.Typer(no_args_is_help=True, help="Graded labs: hand out, collect, mark safely, give back.")
PLATFORMS = ("all", "moodle", "canvas", "blackboard", "ilias")


@labs_app.command("list")
def list_labs(folder: Class = MINE) -> None:
    """Show the labs, and how far the class is with each."""
    from kdsharp.labs import labs

    table = PlainTable("lab", "title", "exercises", "marked by a person", "handed in", "marked")
    for lab in labs().values():
        there = folder / "received" / lab.name
        came = [path.parent.name for path in there.glob("*/received.json")]
        done = [each for each in came if (folder / "results" / lab.name / f"{each}.json").exists()]
        counts = [str(len(each)) for each in (lab.exercises, lab.manual, came, done)]
        table.add_row(lab.name, lab.title, *counts)
    console.print(table)


@labs_app.command()
def release(
    lab: Which,
    to: Annotated[Path, typer.Option(help="Where the student's version shall lie.")],
    folder: Class = MINE,
    dry_run: Dry = False,
) -> None:
    """Write the student's version of a lab: without solutions, and with the checks that a student sees.

    Example: `kdsharp labs release lab1 --to handout`
    """
    found, home = opened(lab, folder, new=True)
    target = to / f"{found.name}.ipynb"
    if dry_run:
        say(f"would write {target}")
        return
    made = home.root / "release" / found.name / f"{found.name}.ipynb"
    with home.alone(found):
        home.release(found)
    with atomic_path(target) as temporary:
        temporary.write_bytes(made.read_bytes())
    say(f"{found.title}, for students: {target}")


@labs_app.command()
def collect(
    lab: Which,
    place: Annotated[Path, typer.Argument(help="A zip of Moodle, Canvas, Blackboard or ILIAS, or a folder.")],
    folder: Class = MINE,
    dry_run: Dry = False,
) -> None:
    """Take in what a platform exported. Safe to repeat: only what is new is taken.

    Example: `kdsharp labs collect lab1 submissions.zip`
    """
    from kdsharp.labs.collecting import collect as take_in

    found, home = opened(lab, folder, new=True)
    with home.alone(found, waiting):
        done = take_in(home, found, place, dry_run)
    table = PlainTable("submission", "name", "file", "notes")
    table.columns[0].no_wrap = True
    for each in done:
        came = each.received
        table.add_row(came.student, came.name, came.file, "\n".join(came.notes))
    console.print(table)
    new, platforms = sum(each.new for each in done), sorted({each.received.platform for each in done})
    say(
        f"{new} new of {len(done)} submissions, by their names from {', '.join(platforms)}"
        f"{' would be taken in' if dry_run else f', in {home.root}'}"
    )


@labs_app.command()
def feedback(lab: Which, folder: Class = MINE, dry_run: Dry = False) -> None:
    """Make a page for each marked submission, with its points and what each check says. Nothing in a page runs."""
    found, home = opened(lab, folder)
    check_handed_in(home, found)
    if dry_run:
        say(f"would make {len(home.students(found))} pages in {home.root / 'feedback'}")
        return
    with home.alone(found, waiting):
        pages = list(_pages(home, found))
    say(f"{len(pages)} feedback pages: {home.root / 'feedback'}")


@labs_app.command()
def export(
    lab: Which,
    csv: Annotated[Path, typer.Option("--csv", help="The table to write.")],
    folder: Class = MINE,
    platform: Annotated[
        str, typer.Option("--for", help="Columns: `all`, or those that a platform takes back.")
    ] = "all",
    due: Annotated[str | None, typer.Option(help="When it was due, e.g. `2027-01-31T23:59`.")] = None,
    late_percent: Annotated[float, typer.Option(min=0, max=100, help="Points lost for each day begun, in %.")] = 10.0,
    free_days: Annotated[int, typer.Option(min=0, help="Late days that cost nothing.")] = 0,
    dry_run: Dry = False,
) -> None:
    """Write the grades as CSV, and the feedback pages where they are missing.

    Example: `kdsharp labs export lab1 --csv lab1.csv --for moodle --due 2027-01-31T23:59`
    """
    from kdsharp.labs import grading, summary

    check_name(platform, PLATFORMS, "platform")
    if csv.is_dir():
        raise UsageError(f"{csv} is a folder; name a file for the table")
    found, home = opened(lab, folder)
    check_handed_in(home, found)
    policy = summary.Policy(summary.due(due), late_percent, free_days)
    if dry_run:
        count = len(home.students(found))
        say(f"would write {count} grades into {csv}, and as many feedback pages into {home.root / 'feedback'}")
        return
    with home.alone(found, waiting):
        pages = list(_pages(home, found))
        rows = summary.grades(home, found, grading.scores(home.root, found.name), policy)
    summary.write_csv(summary.for_platform(rows, found, platform), csv)
    unfinished = sum(bool(row["waits for a person"]) for row in rows)
    untimed = sum(not row["handed in"] for row in rows) if due else 0
    say(f"{len(rows)} grades: {csv}; {len(pages)} feedback pages: {home.root / 'feedback'}")
    if untimed:
        say(
            f"{untimed} of them came without the time of handing in: late is what the platform says, and counts one day"
        )
    if unfinished:
        say(f"{unfinished} of them have cells that wait for a person: make marking CLASS={home.root}")


def _pages(home: Any, lab: Any) -> Iterator[Path]:
    from tqdm import tqdm

    from kdsharp.labs import grading

    for student in tqdm(home.students(lab), desc="pages", disable=None):
        if home.booked(lab, student):
            yield grading.feedback(home.root, lab.name, student)


@labs_app.command("open")
def open_formgrader(folder: Class = MINE) -> None:
    """Open nbgrader's Formgrader on the class, to mark by hand what a person marks. Ctrl-C ends it."""
    from kdsharp.checks import check_installed
    from kdsharp.labs.folder import ClassFolder

    check_installed(["nbgrader", "jupyterlab"], "marking,course")
    check_class(folder)
    home = ClassFolder(folder)
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # as in most containers
    command = [sys.executable, "-m", "jupyterlab", *root, "--LabApp.default_url=/formgrader"]
    raise typer.Exit(subprocess.call(command, cwd=home.root))


for command in (mark, regrade, leaderboard, similar):
    labs_app.command()(command)
