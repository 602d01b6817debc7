"""``kdsharp data``: get and check public sets (floor 9)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from kdsharp.checks import UsageError
from kdsharp.cli.shared import PlainTable, console, say

if TYPE_CHECKING:
    from kdsharp.sets.pairs import Finding

data_app = typer.Typer(no_args_is_help=True, help="Get and check public sets: real pairs, sharp photos.")


@data_app.command("list")
def list_sets() -> None:
    """List the sets that `data get` knows."""
    from kdsharp.sets import set_table

    table = PlainTable("name", "content", "size", "licence")
    for name, row in set_table().items():
        table.add_row(name, *(row[key] for key in ("content", "size", "licence")))
    console.print(table)
    say("None of them is part of kdsharp; `kdsharp data get NAME` says more and fetches it.")


@data_app.command()
def get(
    name: Annotated[str, typer.Argument(help="A set: see `kdsharp data list`.")],
    url: Annotated[
        list[str] | None, typer.Option(help="Where the archive lies, if not at the authors'; repeat it for several.")
    ] = None,
    archive: Annotated[
        list[Path] | None, typer.Option(help="An archive that you fetched by hand; repeat it for several.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that gets the archive and, beside it, the folder NAME.")] = Path(
        "."
    ),
    sha256: Annotated[list[str] | None, typer.Option(help="Expected checksum of each archive, in their order.")] = None,
) -> None:
    """Say what a set is, fetch it (a cut download goes on), unpack it and verify its counts and pairs.

    Exit status 1: it is not complete. 2: nothing was fetched.

    Example: `kdsharp data get hide --archive HIDE_dataset.zip --out sets`
    """
    from kdsharp import sets
    from kdsharp.sets import archives, download

    row, folder = sets.set_row(name), out / name
    say(sets.describe(name))
    if "files" in row:
        if archive or sha256:
            raise UsageError(f"{name} is a set of single files with known checksums: --archive and --sha256 do not fit")
        _get_files(row, (url or row["addresses"])[0], folder)
        return
    if url and archive:
        raise UsageError("--url and --archive exclude each other; give one of them")
    addresses = [] if archive else url or row["addresses"]
    count = len(archive or addresses)
    if sha256 and len(sha256) != count:
        raise UsageError(f"--sha256 was given {len(sha256)} times for {count} archives; give one for each")
    if folder.exists():
        say(f"{folder} is there already; nothing is fetched")
    elif not count:
        say(f"Its authors publish no address that a program can fetch. Open {row['page']} in a browser, fetch the")
        say(f"archive by hand, then: kdsharp data get {name} --archive FILE")
        raise typer.Exit(2)
    else:
        try:
            sums: Sequence[str | None] = sha256 or [None] * count
            files = [archives.check_archive(path, each) for path, each in zip(archive or [], sums, strict=False)]
            files += [download.fetch(address, out, each) for address, each in zip(addresses, sums, strict=False)]
            archives.unpack(files, folder, lambda unpacked: sets.arrange(name, unpacked))
        except KeyboardInterrupt:
            Console(stderr=True).print("\nkdsharp: stopped; what has arrived is kept, and the same command goes on")
            raise typer.Exit(130) from None
    findings = sets.verify(folder, name)
    _report(findings)
    if any(finding.serious for finding in findings):
        say(f"{folder} is not complete; when it was unpacked wrongly, remove it and get it again")
        raise typer.Exit(1)
    say(f"{folder} is complete. Measure: kdsharp evaluate --model small --pairs {folder}{row['use']}")


def _get_files(row: dict[str, Any], base: str, folder: Path) -> None:
    """Fetch a set of single files; a call that was stopped goes on."""
    from kdsharp.sets import files

    try:
        found = files.fetch_listed(files.listed(row["files"]), base, folder)
    except KeyboardInterrupt:
        Console(stderr=True).print("\nkdsharp: stopped; what has arrived is kept, and the same command goes on")
        raise typer.Exit(130) from None
    say(f"{folder} holds all {len(found)} files. Train: kdsharp train shake --photos {folder}")


@data_app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of pairs: GoPro's layout, or input/, target/.")],
    split: Annotated[str | None, typer.Option(help="One split; all that are there by default.")] = None,
    blur: Annotated[str, typer.Option(help="GoPro's blurred folder: `blur` or `blur_gamma`.")] = "blur",
) -> None:
    """Open every pair of a folder and say what is wrong, file by file.

    Exit status 1: something would make measuring or training fail. Warnings alone leave it 0.

    Example: `kdsharp data check GOPRO_Large --split test`
    """
    from kdsharp.sets import pairs

    count, findings = pairs.check(folder, split, blur)
    _report(findings)
    errors = sum(finding.serious for finding in findings)
    say(f"{count} pairs, {errors} errors, {len(findings) - errors} warnings in {folder}")
    if errors:
        raise typer.Exit(1)


def _report(findings: "list[Finding]") -> None:
    if findings:
        table = PlainTable("", "file", "what is wrong")
        table.columns[1].overflow = table.columns[2].overflow = "fold"
        for finding in findings:
            level = "error" if finding.serious else "warning"
            table.add_row(level, str(finding.path), finding.sentence)
        console.print(table)
