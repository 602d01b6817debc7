"""``kdsharp sharpen --adapt``: each video, and all photos together as a burst, teach a student of their own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kdsharp import video
from kdsharp.checks import UsageError, check_positive
from kdsharp.cli.batch import Job
from kdsharp.cli.shared import say

MINUTES = 2.0
"""What ``--adapt`` takes when no number follows."""


def adapted(
    todo: Sequence[Job], model: str, minutes: float, photos: Path | None, save: Path | None, convert: bool
) -> dict[Path, Callable[..., Any] | UsageError]:
    """For each source the network that its clip taught, or why there is none.

    Args:
        todo: the files; photos among them are one burst, in their order.
        model: the network to begin with.
        minutes: of learning, for each clip.
        photos: sharp photos to learn from; the bundled ones by default.
        save: where the weights of the one clip go.
        convert: take photos that are no 8-bit RGB.
    """
    from kdsharp import adapt, checkpoints, datasets, degrade, provenance

    check_positive(minutes, "--adapt")
    own = datasets.folder_paths(photos)[0] if photos else None
    burst = [job.source for job in todo if not video.is_video(job.source)]
    clips: list[Path | list[Path]] = [job.source for job in todo if video.is_video(job.source)]
    clips += [burst] if burst else []
    if save is not None and (len(clips) != 1 or save.suffix != ".safetensors"):
        raise UsageError("--save takes one .safetensors file, for the weights of one clip or burst; give one of each")
    first = checkpoints.load(model)
    found: dict[Path, Callable[..., Any] | UsageError] = {}
    for clip in clips:
        sources = [clip] if isinstance(clip, Path) else clip
        name = clip.name if isinstance(clip, Path) else f"{len(clip)} photos"
        try:
            movement = adapt.motion_of(adapt.neighbours(clip, convert=convert))
        except UsageError as error:
            if len(clips) == 1:
                raise
            found |= dict.fromkeys(sources, UsageError(f"{name}: {error}"))
            continue
        say(f"{name}: {movement.sentence()}")
        learned = adapt.adapt(first.model, degrade.ClipMotion(vectors=movement.as_tuple()), minutes, own)
        say(f"{name}: {learned.sentence()}")
        found |= dict.fromkeys(sources, learned.model)
        if save is not None:
            told = {"adapted_from": first.name, "clip": name, "steps": learned.steps, "commit": provenance.commit()}
            checkpoints.save(save, learned.model, **(first.meta | told))
            say(f"{save}: use it with --model, or export it")
    return found
