"""``kdsharp study``: experiments that settle a question."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from kdsharp.checks import atomic_path, check_name
from kdsharp.cli.shared import PlainTable, Profile, console, say

if TYPE_CHECKING:
    from kdsharp.study import Line, Study
    from kdsharp.study.race import RaceStudy

Chosen = TypeVar("Chosen", "Study", "RaceStudy")

study_app = typer.Typer(no_args_is_help=True, help="Experiments large enough to settle a question.")


@study_app.command()
def distillation(
    profile: Profile = "lab",
    arm: Annotated[
        list[str] | None, typer.Option(help="Only this arm beside `alone`; repeat it. All by default.")
    ] = None,
    regime: Annotated[
        list[str] | None,
        typer.Option(
            help="Only label-rich or label-poor, so that two cores take one each; call it once more without, for the "
            "whole table. Both by default."
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds of each arm; 5 by default.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each run.")] = None,
    student: Annotated[str | None, typer.Option(help="The student's architecture.")] = None,
    teacher: Annotated[str | None, typer.Option(help="The teacher: a name or a checkpoint file.")] = None,
    table: Annotated[Path | None, typer.Option(help="Write every run here too, as CSV.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; `build/study/PROFILE`, or `PROFILE-STEPS`, by default.")
    ] = None,
) -> None:
    """Does a teacher help? The same student with and without one, paired by seed, with and without labels.

    Writes a record for each run, `table.md` and `figure.webp`. Finished runs are kept: Ctrl-C loses the current one.

    Example: `kdsharp study distillation --profile lab --arm output --seeds 3`
    """
    from kdsharp import study, tables
    from kdsharp.plots import webp

    given = {"seeds": seeds, "steps": steps, "student": student, "teacher": teacher}
    chosen, command = _study("distillation", study.PROFILES, profile, given)
    command += "".join(f" --arm {name}" for name in arm or ()) + "".join(f" --regime {name}" for name in regime or ())
    folder = _folder(out, profile, steps)
    records = study.run(chosen, folder, arm or (), regimes=regime or ())
    lines = study.summary(records)
    text = study.markdown(lines, chosen, command, f", teacher `{chosen.teacher}`")
    for name, content in (("table.md", text.encode()), ("figure.webp", webp(study.figure(lines)))):
        with atomic_path(folder / name) as file:
            file.write_bytes(content)
    if table is not None:
        commits, devices = (", ".join(dict.fromkeys(record[key] for record in records)) for key in ("commit", "device"))
        note = (
            f"{command}: {chosen.student}, teacher {chosen.teacher}, protocol {chosen.protocol}, {chosen.steps} steps "
            f"of {chosen.batch} crops of {chosen.crop} pixels, {chosen.seeds} seeds, {chosen.precision}; "
            f"commit {commits}, {devices}"
        )
        tables.write(table, note, [{key: record[key] for key in study.COLUMNS} for record in records])
    _show(lines)
    say(f"{folder / 'table.md'} and figure.webp")


@study_app.command()
def pictures(
    profile: Profile = "lab",
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds of each kind; 5 by default.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each run.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; `build/study/pictures-PROFILE`, or `-STEPS` behind it, by default.")
    ] = None,
) -> None:
    """What to train on: photos, dead leaves, or both? Scored on photos never seen, paired by seed.

    Example: `kdsharp study pictures --profile lab --seeds 3`
    """
    from kdsharp import study

    chosen, command = _study("pictures", study.PROFILES, profile, {"seeds": seeds, "steps": steps})
    chosen = replace(chosen, leaves=4 if profile == "smoke" else 20)
    folder = _folder(out, "pictures", profile, steps)
    lines = study.run_pictures(chosen, folder)
    with atomic_path(folder / "table.md") as file:
        file.write_text(study.markdown(lines, chosen, command), encoding="utf-8")
    _show(lines)
    say(f"{folder / 'table.md'}")


@study_app.command()
def blur(
    pairs: Annotated[Path, typer.Option(help="A folder of real pairs to choose by; never those only measured.")],
    photos: Annotated[
        Path | None, typer.Option(help="Train on the sharp photos of this folder; the bundled ones by default.")
    ] = None,
    ingredient: Annotated[list[str] | None, typer.Option(help="Only this one; repeat it. All by default.")] = None,
    clip: Annotated[
        Path | None, typer.Option(help="A video, or a folder of its frames: one row more, with this clip's own paths.")
    ] = None,
    size: Annotated[str, typer.Option(help="`tiny`, `small` or `base`.")] = "base",
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each row.")] = 4000,
    seed: Annotated[int, typer.Option(min=0, help="Of the first weights and the crops.")] = 0,
    profile: Profile = "full",
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("build/study/blur"),
) -> None:
    """What is each ingredient of the synthetic blur worth on real pairs? One row each, one seed.

    Writes a record for each row and `table.md`; finished rows are kept.

    Example: `kdsharp study blur --pairs gopro_crops --photos photos --ingredient "straight paths"`
    """
    from kdsharp import datasets
    from kdsharp.study import ingredients

    own = datasets.folder_paths(photos)[0] if photos else None
    frames = datasets.folder_paths(clip)[0] if clip and clip.is_dir() else clip
    found = ingredients.run(
        datasets.PairedFolder(pairs), out, own, steps, ingredient or (), size, profile, clip=frames, seed=seed
    )
    with atomic_path(out / "table.md") as file:
        file.write_text(ingredients.markdown(found), encoding="utf-8")
    heads = [name for name in ingredients.COLUMNS if any(name in record for record in found.values())]
    table = PlainTable("ingredient", *heads, title=f"{size}, {steps} steps; gains over the input in dB")
    for name, record in found.items():
        table.add_row(name, *(ingredients.cell(record, head) for head in heads))
    console.print(table)
    say(f"{out / 'table.md'}")


@study_app.command()
def optimizers(
    profile: Profile = "lab",
    optimizer: Annotated[list[str] | None, typer.Option(help="Only this one; repeat it. All six by default.")] = None,
    table: Annotated[Path | None, typer.Option(help="Write every row of the tables here too, as CSV.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; `build/study/optimizers-PROFILE` by default.")] = None,
) -> None:
    """Is Adam better? Report A's student under six optimizers, at one rate for all and at a rate tuned for each.

    Writes a record for each run, `table.md`, `table.csv` and `figure.webp`. Finished runs are kept.

    Example: `kdsharp study optimizers --profile lab --optimizer adam --optimizer sgd`
    """
    from kdsharp import provenance, study, tables
    from kdsharp.plots import webp
    from kdsharp.study import standings

    chosen = study.OPTIMIZER_PROFILES[check_name(profile, study.OPTIMIZER_PROFILES, "profile")]
    folder = _folder(out, "optimizers", profile)
    rows = study.run_optimizers(chosen, folder, optimizer or ())
    lines = standings.finals(rows)
    command = f"kdsharp study optimizers --profile {profile}"
    note = (
        f"{command}: {chosen.student}, {chosen.epochs} epochs of {chosen.pictures} pictures of {chosen.side} pixels in "
        f"batches of {chosen.batch} ({chosen.steps} steps), {chosen.seeds} seeds, protocol {chosen.protocol}, float32; "
        f"commit {provenance.commit()}, {provenance.device_name()}"
    )
    for path in (folder / "table.csv", *([table] if table is not None else [])):
        tables.write(path, note, rows)
    for name, content in (
        ("table.md", f"{note}\n\n{standings.markdown(lines)}".encode()),
        ("figure.webp", webp(standings.figure(lines))),
    ):
        with atomic_path(folder / name) as file:
            file.write_bytes(content)
    shown = PlainTable(*standings.COLUMNS)
    for line in lines:
        shown.add_row(*standings.cells(line))
    console.print(shown)
    say(f"{folder / 'table.md'}, table.csv and figure.webp")


@study_app.command()
def passing(
    system: Annotated[list[str] | None, typer.Option(help="Only this one, such as `report-a`; repeat it.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each run.")] = 1000,
    table: Annotated[Path | None, typer.Option(help="Write every row here too, as CSV.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("build/study/passing"),
) -> None:
    """After how many steps does a report's student pass its own input? As described, and with a skip.

    Writes a record for each run and `table.csv`; finished runs are kept.

    Example: `kdsharp study passing --system report-a --steps 200`
    """
    from kdsharp import provenance, tables
    from kdsharp.study import passing as study

    rows = study.run(out, system or (), steps)
    note = (
        f"kdsharp study passing --steps {steps}: each report's student alone, seed 0, crops of its lab profile, with "
        f"and without a skip from input to output; commit {provenance.commit()}, {provenance.device_name()}"
    )
    for path in (out / "table.csv", *([table] if table is not None else [])):
        tables.write(path, note, rows)
    shown = PlainTable("system", "", "over its input at the end, dB", "above its input, steps")
    for each in study.courses(rows):
        shown.add_row(each.system, each.arm, f"{each.gains[-1]:+.2f}", each.said)
    console.print(shown)
    say(f"{out / 'table.csv'}")


@study_app.command()
def race(
    profile: Profile = "full",
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each run; 2,500 by default.")] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds of each network; 3 by default.")] = None,
    table: Annotated[Path | None, typer.Option(help="Write every row here too, as CSV.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; `build/study/race-PROFILE` by default.")] = None,
) -> None:
    """Does attention pay? A small Restormer against a U-Net of the same work, for equal steps and for equal time.

    Each tunes its rate first. Writes a record for each run and `table.csv`; finished runs are kept.

    Example: `kdsharp study race --steps 1000 --seeds 2`
    """
    from kdsharp import provenance, tables
    from kdsharp.evaluate import mean_interval
    from kdsharp.study import race as racing

    chosen, command = _study("race", racing.RACES, profile, {"steps": steps, "seeds": seeds})
    folder = _folder(out, "race", profile, steps)
    rows = racing.run(chosen, folder)
    note = (
        f"{command}: {chosen.steps} steps of {chosen.batch} crops of {chosen.crop} pixels, {chosen.seeds} seeds, "
        f"protocol {chosen.protocol}, float32; commit {provenance.commit()}, {provenance.device_name()}"
    )
    for path in (folder / "table.csv", *([table] if table is not None else [])):
        tables.write(path, note, rows)
    shown = PlainTable("network", "dB", "seconds")
    taken = racing.final(rows, "seconds")
    for name, scores in racing.final(rows).items():
        mean, half = mean_interval(scores)
        shown.add_row(name, f"{mean:.2f} ± {half:.2f}", f"{sum(taken[name]) / len(scores):.0f}")
    console.print(shown)
    say(f"{folder / 'table.csv'}")


@study_app.command()
def doctor(
    checkpoint: Annotated[str, typer.Argument(help="The student: a bundled name, or a .safetensors file of yours.")],
    teacher: Annotated[
        str | None, typer.Option(help="Its teacher: a name or a file; by default what the file names.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Its learning rate; by default its recipe's.")] = None,
) -> None:
    """My student is worse than its baseline: why? Looks for six usual causes, each by a measurement of seconds.

    Ends with 1 when something was found.

    Example: `kdsharp study doctor build/train/shake-lab/shake.safetensors`
    """
    from kdsharp.study.doctor import diagnose

    findings = diagnose(checkpoint, teacher, rate)
    table = PlainTable("cause", "", "measured")
    for each in findings:
        table.add_row(each.cause, {True: "look here", False: "no", None: "cannot tell"}[each.found], each.said)
    console.print(table)
    if any(each.found for each in findings):
        say("What to do about each: the page *My student is worse than its baseline* of the book.")
        raise typer.Exit(1)


def _study(
    name: str, profiles: dict[str, Chosen], profile: str, given: dict[str, int | str | None]
) -> tuple[Chosen, str]:
    """The study of a profile with the options that were given, and the command that asks for it."""
    said = {option: value for option, value in given.items() if value is not None}
    chosen = replace(profiles[check_name(profile, profiles, "profile")], **said)  # type: ignore[arg-type]
    options = "".join(f" --{option} {value}" for option, value in said.items())
    return chosen, f"kdsharp study {name} --profile {profile}{options}"


def _folder(out: Path | None, *parts: str | int | None) -> Path:
    """The folder that was given, or one named after what defines the study, so that no two share one."""
    return out if out is not None else Path("build/study") / "-".join(str(part) for part in parts if part is not None)


def _show(lines: "list[Line]") -> None:
    from kdsharp.study.report import gain

    table = PlainTable("regime", "arm", "dB", "gain, dB", "verdict", "seconds")
    for line in lines:
        table.add_row(line.regime, line.arm, f"{line.psnr:.2f}", gain(line), line.verdict, f"{line.seconds:.0f}")
    console.print(table)
