"""``kdsharp sharpen``: photos, videos, folders of them."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from kdsharp import video
from kdsharp.checks import UsageError, check_name, clear_parts, make_folder
from kdsharp.cli.adapting import adapted
from kdsharp.cli.batch import Job, jobs, passed_over
from kdsharp.cli.batch import run as run_jobs
from kdsharp.cli.shared import say, say_weights
from kdsharp.filters import FILTERS, ORACLES


def sharpen(
    photo: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help=f"Photos, 8-bit RGB; 8-bit videos ({', '.join(video.FORMATS)}); folders and patterns of them.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the sharpened files; created when missing. One of the same name in it is replaced."
        ),
    ],
    model: Annotated[str | None, typer.Option(help="A network: see `kdsharp models`. Default: `small`.")] = None,
    filter: Annotated[str | None, typer.Option(help=f"A classical filter instead: {', '.join(FILTERS)}.")] = None,
    strength: Annotated[
        float, typer.Option(help="0 changes nothing, 1 is the full effect, up to 3 exaggerates.")
    ] = 1.0,
    runtime: Annotated[
        str,
        typer.Option(
            help="What computes the network: `torch`, or `onnx` (ONNX Runtime; less time a photo, more to start)."
        ),
    ] = "torch",
    convert: Annotated[
        bool, typer.Option("--convert", help="Turn grey, palette, CMYK, 16-bit and alpha images into RGB.")
    ] = False,
    adapt: Annotated[
        float | None,
        typer.Option(
            metavar="[MINUTES]",
            help="Learn first, for so many minutes (2), on sharp photos that move as the video, or this burst of "
            "photos, does; then sharpen with the better of the former network (`base`) and what came out.",
        ),
    ] = None,
    photos: Annotated[Path | None, typer.Option(help="With --adapt: learn on the sharp photos of this folder.")] = None,
    save: Annotated[Path | None, typer.Option(help="With --adapt: keep the weights in this .safetensors file.")] = None,
    progressive: Annotated[
        bool, typer.Option("--progressive", help="Videos: frames are whole, although they say they are interlaced.")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders: what lies in their folders too.")
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out what is in the folder of results already.")
    ] = False,
) -> None:
    """Sharpen photos, videos and folders of them; same size, format, quality and facts, written to another folder.

    A file that cannot be sharpened ends nothing: the others are done, and it is named at the end (exit status 2).

    A video keeps its sound, if it has any, its frame times and its rotation; each frame is sharpened alone.

    Example: `kdsharp sharpen holiday/*.jpg clip.mp4 --out sharper`

    A blurred clip can teach its own student: `kdsharp sharpen clip.mp4 --adapt 5 --out sharper`
    """
    from tqdm.auto import tqdm

    from kdsharp import images, inference
    from kdsharp.checks import check_range
    from kdsharp.evaluate import network

    check_range(strength, 0, 3, "strength")
    if model and filter:
        raise UsageError("--model and --filter exclude each other; give one of them")
    if filter and runtime != "torch":
        raise UsageError(f"--runtime {runtime} concerns networks; leave it out with --filter {filter}")
    if filter in ORACLES:
        raise UsageError(f"{filter} needs the true PSF, which no photo tells; choose one of: {', '.join(FILTERS)}")
    if adapt is None and (photos or save):
        raise UsageError("--photos and --save belong to --adapt; give it too")
    if adapt is not None and (filter or runtime != "torch"):
        raise UsageError(
            "--adapt tunes a network with PyTorch; leave --filter and --runtime out (or keep the weights with --save, "
            "and give them to --model)"
        )
    always: Any = FILTERS[check_name(filter, FILTERS, "filter")] if filter else None
    if always is None and adapt is None:
        say_weights(model)
        always = network(model or "small", runtime)
    if out.suffix.lower() in (*images.SUFFIXES, *video.FORMATS) and not out.is_dir():
        raise UsageError(
            f"--out is a folder, and {out} looks like a file; give the folder alone: files keep their names"
        )
    clear_parts(make_folder(out))
    every, passed = jobs(photo, out, recursive), passed_over(photo, out, recursive)
    todo = [job for job in every if not (skip_existing and job.target.exists())]
    there = len(every) - len(todo)
    learned = adapted(todo, model or "base", adapt, photos, save, convert) if adapt is not None else {}
    bar = tqdm(todo, unit="file", disable=len(todo) == 1)

    def one(job: Job) -> None:
        function = learned.get(job.source, always)
        if isinstance(function, UsageError):
            raise function
        if video.is_video(job.source):
            each_frame = partial(inference.sharpen, function, strength=strength)
            for lost in video.sharpen_video(each_frame, job.source, job.target, progress=True, progressive=progressive):
                bar.write(f"{job.source}: {lost}")
            return
        pixels, kept = images.open_photo(job.source, convert)
        if kept.left_out:
            bar.write(f"{job.source}: left out: {', '.join(kept.left_out)}")
        images.write(job.target, inference.sharpen(function, pixels, strength, progress=True), kept)

    failed = run_jobs(bar, one)
    if passed:
        say(f"not looked at: {', '.join(f'{count} {suffix}' for suffix, count in sorted(passed.items()))}")
    if failed and len(todo) == 1 and not there:
        raise UsageError(failed[0][1])
    skipped = f", {there} were there already" if there else ""
    say(f"{len(todo) - len(failed)} sharpened into {out}{skipped}")
    if failed:
        say(f"{len(failed)} left out:")
        for _, sentence in failed:
            say(f"  {sentence}")
        raise typer.Exit(2)
