"""What the commands share: how they speak, how they show a table, and how long a run may take."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console()

Profile = Annotated[str, typer.Option(help="How long it may take: `smoke` (seconds), `lab` (minutes) or `full`.")]


def say(text: str) -> None:
    """Print a line as it is: no line break of ours inside a path, no bracket taken for markup."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def say_weights(*names: str | None) -> None:
    """For each official file among the networks: which of its weights are used."""
    from kdsharp import checkpoints, official

    for name in names:
        if name is not None and name.endswith(official.SUFFIX):
            say(f"{name}: {checkpoints.load(name).meta['weights']}")


class PlainTable(Table):
    """A table that shows every cell whole: long ones are folded, never cut, and brackets are brackets."""

    def __init__(self, *headings: str, title: str | None = None) -> None:
        super().__init__(title=None if title is None else Text(title, style="italic"))
        for heading in headings:
            self.add_column(heading)

    def add_column(self, *given: Any, **options: Any) -> None:
        super().add_column(*given, **({"overflow": "fold"} | options))

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*(Text(each) if isinstance(each, str) else each for each in cells), **options)
