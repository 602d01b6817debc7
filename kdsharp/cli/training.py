"""``kdsharp train``: a recipe from pictures to a checkpoint."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kdsharp.checks import UsageError, check_name, make_folder
from kdsharp.cli.shared import Profile, say


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="`shake` and `base` (teacher and student), `small`, `tiny`, `large`; `base-moving`, `base-real` "
            "and `base-still`, `small-real` and `small-still`, `tiny-moving` and `tiny-real` go on from them "
            "(`--start`); `gaussian-256`, `bilinear-60`, `bicubic-4x`, or a report's system, `report-a` to `report-e`."
        ),
    ],
    stage: Annotated[
        str | None, typer.Option(help="`teacher` or `student`; both, one after the other, by default.")
    ] = None,
    profile: Profile = "lab",
    out: Annotated[Path | None, typer.Option(help="Folder; `build/train/RECIPE-PROFILE` by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last saved state.")] = False,
    teacher: Annotated[
        str | None, typer.Option(help="Another teacher for the student: a name, a checkpoint, an official `.pth`.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Go on from the weights of this checkpoint (a name or a file), not random ones.")
    ] = None,
    photos: Annotated[Path | None, typer.Option(help="Train on the sharp photos of this folder.")] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="Train on the real pairs of this folder (GoPro's `train`); a quarter of each batch with `--photos`."
        ),
    ] = None,
    blur: Annotated[str, typer.Option(help="GoPro's blurred folder: `blur` or `blur_gamma`.")] = "blur",
    steps: Annotated[int | None, typer.Option(min=1, help="How many, instead of the profile's.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam, adadelta, adagrad, rmsprop, sgd or adamw.")] = None,
    learning_rate: Annotated[
        str | None, typer.Option(help="The highest learning rate, or `tuned` for the optimizer's own.")
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="Weight of the truth, 0 to 1; 1 is the student alone.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the channel-wise term, in spreads.")] = None,
    pull: Annotated[
        float | None, typer.Option(help="A term's gradient against the truth's, where the recipe weighs by pull.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of first weights and crops.")] = None,
    branches: Annotated[
        bool | None, typer.Option(help="Train each 3x3 convolution as three branches, folded into one at the end.")
    ] = None,
) -> None:
    """Train a recipe's teacher and student; Ctrl-C saves, `--resume` goes on.

    Example: `kdsharp train shake --profile lab`

    On two GPUs: `accelerate launch --multi_gpu --num_processes 2 -m kdsharp train shake`
    """
    from kdsharp import datasets
    from kdsharp.devices import this_process
    from kdsharp.recipes import PROFILES, RECIPES, STAGES, Stage, train_stage
    from kdsharp.recipes.rates import tuned_rate

    chosen = RECIPES[check_name(recipe, RECIPES, "recipe")]
    check_name(profile, PROFILES, "profile")
    own, left_out = datasets.folder_paths(photos) if photos else (None, [])
    if left_out:
        say(f"left out, not 8-bit RGB: {', '.join(left_out)}")
    folder_of_pairs = datasets.PairedFolder(pairs, "train", blur) if pairs else None
    ready = teacher is not None or not isinstance(chosen.teacher, Stage)
    stages = (STAGES[1:] if ready else STAGES) if stage is None else (check_name(stage, STAGES, "stage"),)
    if start is not None and len(stages) > 1:
        raise UsageError("--start is for one network; say which with --stage teacher or --stage student")
    folder = make_folder(out if out is not None else Path("build/train") / f"{recipe}-{profile}")
    changes: dict[str, Any] = {"steps": steps, "optimizer": optimizer, "seed": seed, "branches": branches}
    if learning_rate is not None:
        changes["learning_rate"] = (
            tuned_rate(optimizer or "adam") if learning_rate == "tuned" else _number(learning_rate)
        )
    for each in stages:
        if each == "student":
            changes |= {"alpha": alpha, "temperature": temperature, "pull": pull}
        given: dict[str, Any] = {"teacher": teacher, "own": own, "pairs": folder_of_pairs, "start": start}
        path = train_stage(chosen, each, profile, folder, resume, **given, **changes)
        if not this_process().is_main_process:
            continue
        say(
            f"{path} and {path.with_suffix('.md').name}; score it: kdsharp evaluate --model {path} "
            f"--protocol {chosen.protocol}"
        )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--learning-rate is {text!r}, but it must be a number above 0, or: tuned") from None
