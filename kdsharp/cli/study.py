"""``kdsharp study``: experiments that settle a question."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from kdsharp.checks import atomic_path, check_name
from kdsharp.cli.shared import Profile, console

study_app = typer.Typer(no_args_is_help=True, help="Experiments large enough to settle a question.")


@study_app.callback()
def studies() -> None:
    """Keeps ``distillation`` a command of its own while it is the only one."""


@study_app.command()
def distillation(
    profile: Profile = "lab",
    arm: Annotated[
        list[str] | None, typer.Option(help="Only this arm beside `alone`; repeat it. All by default.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds of each arm; 5 by default.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each run.")] = None,
    student: Annotated[str | None, typer.Option(help="The student's architecture.")] = None,
    teacher: Annotated[str | None, typer.Option(help="The teacher: a name or a checkpoint file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; `build/study/PROFILE` by default.")] = None,
) -> None:
    """Does a teacher help? The same student with and without one, paired by seed, with and without labels.

    Writes a record for each run, `table.md` and `figure.webp`. Finished runs are kept: Ctrl-C loses the current one.

    Example: `kdsharp study distillation --profile lab --arm output --seeds 3`
    """
    from kdsharp import study
    from kdsharp.plots import Picture

    given = {"seeds": seeds, "steps": steps, "student": student, "teacher": teacher}
    chosen = replace(
        study.PROFILES[check_name(profile, study.PROFILES, "profile")],
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
    folder = out if out is not None else Path("build/study") / profile
    lines = study.summary(study.run(chosen, folder, arm or ()))
    command = f"kdsharp study distillation --profile {profile}" + "".join(
        f" --{name} {value}" for name, value in given.items() if value is not None
    )
    alt = "Gain over the student alone, with 95 % intervals: " + "; ".join(
        f"{line.regime}, {line.arm}: {line.gain:+.2f} dB" for line in lines if line.arm != "alone"
    )
    for name, content in (
        ("table.md", study.markdown(lines, chosen, command).encode()),
        ("figure.webp", Picture(study.figure(lines), alt).webp),
    ):
        with atomic_path(folder / name) as file:
            file.write_bytes(content)
    table = Table("regime", "arm", "dB", "gain over alone, dB", "verdict", "seconds")
    for line in lines:
        gain = "" if line.arm == "alone" else f"{line.gain:+.3f} ± {line.half_width:.3f}"
        table.add_row(line.regime, line.arm, f"{line.psnr:.2f}", gain, line.verdict, f"{line.seconds:.0f}")
    console.print(table)
    console.print(f"{folder / 'table.md'} and figure.webp", soft_wrap=True)
