"""What the commands share: where they print, and how long a run may take."""

from typing import Annotated

import typer
from rich.console import Console

console = Console()

Profile = Annotated[str, typer.Option(help="How long it may take: `smoke` (seconds), `lab` (minutes) or `full`.")]
