"""``kdsharp sweep``: one lesson or training run at every point of a grid."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from kdsharp.cli.shared import PlainTable, Profile, console, say

if TYPE_CHECKING:
    from kdsharp.sweep import Point, Target

COLUMNS, FAILURES = 6, 5
"""How many results and failures the terminal shows; the Parquet table has all."""


def sweep(
    target: Annotated[str, typer.Argument(help="A recipe, a lesson (number or name), or a notebook of your own.")],
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V,V,...", help="A parameter and its values; repeat it for several."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each combination, with the seeds 0, 1, 2, ...")] = 1,
    profile: Profile = "lab",
    stage: Annotated[str | None, typer.Option(help="Of a recipe: `student`, the default, or `teacher`.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Of a recipe: another teacher, a name or a checkpoint.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; `build/sweep/TARGET-PROFILE` by default.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine; one for each core.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler: `tcp://host:8786`.")
    ] = None,
) -> None:
    """Run a lesson or train a recipe at every point of a grid; what is finished is not run again.

    Example: `kdsharp sweep 9 --grid ALPHA=0,0.25,0.5,0.75,1 --grid TEMPERATURE=1,2,4,8 --seeds 3`

    Example: `kdsharp sweep report-a --grid OPTIMIZER=adam,adadelta --grid LEARNING_RATE=tuned --seeds 3 --teacher FILE`

    Ctrl-C keeps the finished points, and the same command goes on. With `--scheduler`, OUT must be a folder that the
    workers see under the same path; otherwise notebooks and checkpoints stay on their disks. Exit status 1: a point
    failed; its error is in the table, and the same command tries it again.
    """
    from kdsharp import sweep as sweeps

    found = sweeps.find_target(target, stage, teacher)
    points = sweeps.grid_points(found, sweeps.parse_grid(grid or []), seeds, profile)
    folder = out if out is not None else Path("build/sweep") / f"{found.label.replace(' ', '-')}-{profile}"
    before = _done(points, sweeps.read_records(folder))
    say(f"{len(points)} point{'s' * (len(points) > 1)}, {before} of them finished before")
    try:
        sweeps.sweep(points, folder, workers, scheduler)
    except KeyboardInterrupt:
        done = _report(found, points, folder)
        note = f"\nkdsharp: stopped; {done} of {len(points)} points are kept, and the same command goes on"
        Console(stderr=True).print(note, soft_wrap=True, highlight=False)
        raise typer.Exit(130) from None
    if _report(found, points, folder) < len(points):
        raise typer.Exit(1)


def _done(points: "list[Point]", records: dict[str, dict[str, Any]]) -> int:
    return sum(records.get(point.identity, {}).get("status") == "done" for point in points)


def _report(target: "Target", points: "list[Point]", folder: Path) -> int:
    """Show the means over the seeds and what failed; how many points are done comes back."""
    from kdsharp import sweep as sweeps

    records = sweeps.read_records(folder)
    rows = sweeps.summary(points, records)
    measured = dict.fromkeys(name for row in rows for name in row["results"])
    shown = [name for name in target.main or measured if name in measured][:COLUMNS]
    several = any(row["seeds"] > 1 for row in rows)
    title = f"{target.label}: mean ± half-width of the 95 % interval over the seeds" if several else target.label
    table = PlainTable(*rows[0]["parameters"], title=title)
    for heading in ("done", *shown):
        table.add_column(heading, justify="right", overflow="fold")
    for row in rows:
        numbers = [_number(*row["results"][name]) if name in row["results"] else "-" for name in shown]
        values = [str(value) for value in row["parameters"].values()]
        table.add_row(*values, f"{row['done']}/{row['seeds']}", *numbers)
    console.print(table)
    mine = [records[point.identity] for point in points if point.identity in records]
    failed = [record for record in mine if record["status"] != "done"]
    for record in failed[:FAILURES]:
        at = ", ".join(f"{name} {value}" for name, value in record["parameters"].items())
        say(f"FAILED {at}{', ' if at else ''}seed {record['seed']}: {record['error']}")
    if len(failed) > FAILURES:
        say(f"and {len(failed) - FAILURES} more failed; their errors are in the table")
    say(f"all results and where they come from: {folder / 'results.parquet'}")
    return _done(points, records)


def _number(mean: float, half: float) -> str:
    return f"{mean:.5g} ± {half:.2g}" if math.isfinite(half) else f"{mean:.5g}"
