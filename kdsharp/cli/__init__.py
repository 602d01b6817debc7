"""The ``kdsharp`` command: thin over the package (floor 8)."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kdsharp.checks import UsageError
from kdsharp.cli.data import data_app
from kdsharp.cli.export import export
from kdsharp.cli.photos import evaluate, models, sharpen, tune
from kdsharp.cli.shared import Profile, console
from kdsharp.cli.study import study_app
from kdsharp.cli.sweep import sweep
from kdsharp.cli.training import train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Image sharpening and knowledge distillation: run the lessons, sharpen photos, train and measure networks.",
)
course_app = typer.Typer(no_args_is_help=True, help="Make other editions of the course.")
app.add_typer(course_app, name="course")
app.add_typer(data_app, name="data")
app.add_typer(study_app, name="study")


@app.command()
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
) -> None:
    """Run lessons headlessly and collect what they measured.

    Example: `kdsharp run 9 --profile smoke -p ALPHA 0.3 -p TEMPERATURE 2`
    """
    from kdsharp.runs import run_lessons

    values = dict(_pair(text) for text in parameter or [])
    runs = run_lessons(lesson or [], profile, values, out)
    table = Table("lesson", "seconds", "result")
    for each in runs:
        shown = "\n".join(f"{name} = {value}" for name, value in each.results.items())
        table.add_row(each.lesson, f"{each.seconds:.0f}", escape(shown if each.ok else f"FAILED in {each.error}"))
    console.print(table)
    console.print(f"executed notebooks and results.json: {Path(runs[0].notebook).parent}", soft_wrap=True)
    if not all(each.ok for each in runs):
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


for command in (sharpen, evaluate, models, train, sweep, tune, export):
    app.command()(command)


@app.command()
def book(profile: Profile = "lab") -> None:
    """Build the Jupyter Book from executed lessons and print the path of its front page."""
    from kdsharp.runs import build_book

    console.print(f"the book: {build_book(profile).resolve()}", soft_wrap=True)


@course_app.command()
def student(out: Annotated[Path, typer.Argument(help="Folder for the student edition.")]) -> None:
    """Write the lessons with stubs in place of the solutions."""
    from kdsharp.course import student_edition

    written = student_edition(out)
    console.print(f"{len(written)} lessons in {out}", soft_wrap=True)


@course_app.command()
def table(
    executed: Annotated[Path, typer.Argument(help="Folder of executed lessons, as `kdsharp run` leaves it.")] = Path(
        "build/lab"
    ),
) -> None:
    """Print the instructor's table: what each lesson holds, and what it measured."""
    from kdsharp.guide import lesson_table

    print(lesson_table(executed), end="")


def main() -> None:
    """Run the command; a mistake of the user's is one sentence and exit status 2."""
    try:
        app(args=_join_pairs(sys.argv[1:]))
    except UsageError as error:
        Console(stderr=True).print(f"kdsharp: {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("\nkdsharp: stopped; what was finished is kept, and `train --resume` goes on")
        sys.exit(130)


def _join_pairs(arguments: list[str]) -> list[str]:
    """Turn papermill's ``-p NAME VALUE`` into the ``-p NAME=VALUE`` that one option can hold."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument in ("-p", "--parameter"):
            name = next(rest, "")
            joined.append(name if "=" in name else f"{name}={next(rest, '')}")
    return joined
