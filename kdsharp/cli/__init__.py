"""The ``kdsharp`` command: thin over the package (floor 9)."""

import re
import sys
from importlib import metadata
from itertools import zip_longest
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from kdsharp.checks import UsageError
from kdsharp.cli.adapting import MINUTES
from kdsharp.cli.course import book, course_app, lab, run, stage_app
from kdsharp.cli.data import data_app
from kdsharp.cli.export import export
from kdsharp.cli.labs import labs_app
from kdsharp.cli.measuring import evaluate, models, tune
from kdsharp.cli.sharpen import sharpen
from kdsharp.cli.study import study_app
from kdsharp.cli.sweep import sweep
from kdsharp.cli.training import train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
    help="Image sharpening and knowledge distillation: run the lessons, sharpen photos, train and measure networks.",
)
app.add_typer(course_app, name="course")
app.add_typer(data_app, name="data")
app.add_typer(labs_app, name="labs")
app.add_typer(study_app, name="study")


app.command("app")(stage_app)
for command in (run, lab, book, sharpen, evaluate, models, train, sweep, tune, export):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kdsharp {metadata.version('kdsharp')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; a mistake of the user's is one sentence and exit status 2."""
    try:
        app(args=_minutes(_join_pairs(sys.argv[1:])))
    except UsageError as error:
        _refuse(str(error))
    except PermissionError as error:
        what = error.filename or "a file"
        _refuse(f"{what} may not be read or written; change its permissions, or choose another place")
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        _refuse(f"{what}{error.strerror or error}")
    except KeyboardInterrupt:
        Console(stderr=True).print("\nkdsharp: stopped; what was finished is kept, and `train --resume` goes on")
        sys.exit(130)


def _refuse(sentence: str) -> NoReturn:
    Console(stderr=True).print(f"kdsharp: {escape(sentence)}", soft_wrap=True, highlight=False)
    sys.exit(2)


def _minutes(arguments: list[str]) -> list[str]:
    """Give ``--adapt`` its number of minutes where none follows."""
    given: list[str] = []
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        given.append(argument)
        if argument == "--adapt" and not re.fullmatch(r"-?[0-9.]+", following):
            given.append(str(MINUTES))
    return given


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
