"""``kdsharp run``, ``book``, ``app``, ``lab`` and ``course``: the lessons, headless and in hand."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kdsharp.checks import UsageError, atomic_path, check_installed, check_name, value_of
from kdsharp.cli.shared import PlainTable, Profile, console, say

course_app = typer.Typer(no_args_is_help=True, help="Copies of the course, and what a lecturer needs.")
Edition = Annotated[str, typer.Option(help="`student`: stubs in place of solutions; `instructor`: all of it.")]
MINE = Path("my-course")
"""Where a reader's own copy lies by default."""


def run(
    lesson: Annotated[
        list[str] | None, typer.Argument(help="Lessons by number or name; all when none is given.")
    ] = None,
    profile: Profile = "lab",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME VALUE", help="Set a parameter, e.g. `-p ALPHA 0.3`."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the executed notebooks; `build/PROFILE` by default.")
    ] = None,
    together: Annotated[
        int | None,
        typer.Option(min=1, help="Lessons side by side; by default as many as the machine has room for."),
    ] = None,
) -> None:
    """Run lessons headlessly and collect what they measured.

    Example: `kdsharp run 9 --profile smoke -p ALPHA 0.3 -p TEMPERATURE 2`
    """
    from kdsharp.runs import run_lessons

    values = dict(_pair(text) for text in parameter or [])
    runs = run_lessons(lesson or [], profile, values, out, together=together)
    table = PlainTable("lesson", "seconds", "result")
    for each in runs:
        shown = "\n".join(f"{name} = {value}" for name, value in each.results.items())
        table.add_row(each.lesson, f"{each.seconds:.0f}", shown if each.ok else f"FAILED in {each.error}")
    console.print(table)
    say(f"executed notebooks and results.json: {Path(runs[0].notebook).parent}")
    if not all(each.ok for each in runs):
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, value_of(value)


def book(
    profile: Profile = "lab",
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the book to this machine's browsers until Ctrl-C.")
    ] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to serve at; a free one by default.")] = 0,
    solutions: Annotated[bool, typer.Option(help="`--no-solutions` leaves the exercises' solutions out.")] = True,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print the book as a PDF, by an installed Chromium or Chrome; serves nothing.")
    ] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Only fetch, once, what pages need from npm to work without a network.")
    ] = False,
) -> None:
    """Build the Jupyter Book from executed lessons and serve it at 127.0.0.1; `--no-serve` prints its path.

    Its pages open from disk too, but sliders, and all else that acts, need a server.
    """
    from kdsharp.island import packages

    if fetch:
        say(f"what pages need from npm lies in {packages.fetch()}")
        return
    from kdsharp.book import build_book, printing, serving

    if pdf:
        printing.find_browser()  # before the work
    page = build_book(profile, solutions=solutions).resolve()
    if not packages.are_here():
        say("formulas and the browser's networks will come from a CDN; `kdsharp book --fetch` puts them into the book")
    if pdf:
        say(f"the book as a PDF: {printing.print_book(page.parent, page.with_name('kdsharp.pdf'))}")
        return
    if not serve:
        say(f"the book: {page}")
        return
    with serving.server(page.parent, port) as running:
        say(f"the book: http://127.0.0.1:{running.server_port}/ (Ctrl-C ends it)")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            say(f"\nthe book stays at {page}")


def stage_app(
    profile: Profile = "lab",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to serve at; Voila's own by default.")] = 0,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser on it.")] = True,
) -> None:
    """Show all explorers on one page, for a lecture hall: full screen, and keys for the next and the one before.

    The pictures are those of the executed lessons, so that nobody waits; lessons missing or stale are run first.
    """
    from kdsharp.book import executed_lessons, stage

    check_installed(["voila"], "course")
    notebook = stage.write_app(executed_lessons(profile), Path("build/app"))
    raise typer.Exit(subprocess.call(stage.voila(notebook, port, opens)))


def lab(
    lesson: Annotated[str, typer.Argument(help="The lesson to open, by number or name.")] = "0",
    edition: Edition = "student",
    folder: Annotated[Path, typer.Option(help="Where your own copy lies, or shall lie.")] = MINE,
) -> None:
    """Open JupyterLab on a lesson: in your own copy, which is made when it is not there yet and never overwritten.

    `--edition instructor` opens the lessons themselves, with their solutions.

    Example: `kdsharp lab 9`
    """
    from kdsharp.course import editions, find_lesson

    check_installed(["jupyterlab"], "course")
    name, source = find_lesson(lesson).stem, find_lesson(lesson)
    if check_name(edition, editions.EDITIONS, "edition") == "student":
        if not (folder / editions.MANIFEST).is_file():
            editions.start(folder)
            say(f"your own copy of the course: {folder}")
        elif editions.is_behind(folder):
            say(f"the course has changed; `kdsharp course update {folder}` brings what is new and leaves yours alone")
        source = folder / f"{name}.ipynb"
        if not source.is_file():
            raise UsageError(f"{source} is not there any more; make another copy with `kdsharp course start`")
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # as in most containers
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", *root, str(source)]))


@course_app.command()
def start(
    folder: Annotated[Path, typer.Argument(help="Where the copy shall lie.")] = MINE, edition: Edition = "student"
) -> None:
    """Write your own copy of the lessons; `kdsharp lab` opens it.

    Example: `kdsharp course start my-course --edition student`
    """
    from kdsharp.course import editions

    written = editions.start(folder, edition)
    say(f"{len(written)} lessons in {folder}")


@course_app.command()
def update(folder: Annotated[Path, typer.Argument(help="Your copy of the course.")] = MINE) -> None:
    """Bring what has changed in the course into your copy; cells that you have edited stay yours."""
    from kdsharp.course import editions

    changes = editions.update(folder)
    for each in changes:
        if each.trouble:
            say(f"{each.lesson}: {each.trouble}")
            continue
        console.print(
            f"{each.lesson}: {each.changed} cells changed, {each.added} new, {each.removed} gone", soft_wrap=True
        )
        for line in each.kept:
            say(f"  yours stays, though the course has a new version: {line}")
    if not changes:
        say(f"{folder} is as the course is")
    if any(each.trouble for each in changes):
        raise typer.Exit(2)


@course_app.command()
def table(
    executed: Annotated[Path, typer.Argument(help="Folder of executed lessons, as `kdsharp run` leaves it.")] = Path(
        "build/lab"
    ),
) -> None:
    """Print the instructor's table: what each lesson holds, and what it measured."""
    from kdsharp.course.guide import lesson_table

    print(lesson_table(executed), end="")


@course_app.command()
def calibration(
    files: Annotated[list[Path], typer.Argument(help="Reports (JSON) or ledgers, as readers handed them in.")],
    out: Annotated[Path, typer.Option(help="Where the figure goes.")] = Path("calibration.png"),
) -> None:
    """Say how well a class's certainty fits: a table, the hardest predictions, and a figure.

    Example: `kdsharp course calibration handed-in/*.json --out class.png`
    """
    from kdsharp.course import calibration as found

    predictions, trouble = found.load(files)
    for sentence in trouble:
        say(sentence)
    if not predictions:
        raise UsageError("these files hold no prediction that was locked and measured")
    shares = found.by_certainty(predictions)
    table = PlainTable("sure", "predictions", "right", "95 % interval")
    for sure, share in shares.items():
        low, high = share.interval()
        shown = f"{share.right / share.count:.0%}"
        table.add_row(f"{sure} %", str(share.count), shown, f"{low:.0%} to {high:.0%}")
    console.print(table)
    hardest = PlainTable("prediction, the hardest first", "readers", "right")
    for question, share in list(found.by_question(predictions).items())[:10]:
        hardest.add_row(question, str(share.count), f"{share.right / share.count:.0%}")
    console.print(hardest)
    with atomic_path(out) as temporary:
        found.draw(shares).savefig(temporary, format="png")
    say(f"the figure: {out}")
    if trouble:
        raise typer.Exit(2)


@course_app.command()
def counts() -> None:
    """Count what each lesson asks of its reader: words, locks, questions, and how much code stands open.

    The aims: 3 to 5 locks; visible cells of at most ten lines, with the thought in them.
    """
    from kdsharp.course.counts import HEADINGS, count
    from kdsharp.course.lessons import lessons

    table = PlainTable(*HEADINGS)
    table.box = None  # thirteen columns fit into eighty characters
    for path in lessons().values():
        table.add_row(path.stem[:2], *count(path).cells())
    console.print(table)
