"""Many files at once: folders, patterns, what is there already, and one bad file that ends no batch."""

import glob
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsharp import video
from kdsharp.checks import UsageError
from kdsharp.images import SUFFIXES


@dataclass(frozen=True)
class Job:
    """A file, and where its result goes."""

    source: Path
    target: Path


def jobs(inputs: Sequence[Path], out: Path, recursive: bool = False) -> list[Job]:
    """Each file of the inputs with its target below ``out``; folders keep their inner paths.

    Args:
        inputs: files, folders, and patterns (``*.jpg``) that the shell did not expand, as on Windows.
        out: folder of the results.
        recursive: take what lies in the folders of a folder too.

    Raises:
        UsageError: for a pattern that fits nothing, an empty folder, or two files with one target.
    """
    found: list[Job] = []
    for given in inputs:
        if given.is_dir():
            inside = _files(given, recursive, out)
            found += [Job(path, out / path.relative_to(given)) for path in inside]
        elif given.exists() or not glob.has_magic(str(given)):
            found.append(Job(given, out / given.name))
        else:
            fitting = sorted(Path(path) for path in glob.glob(str(given)))
            if not fitting:
                raise UsageError(f"no file fits {given}; look at the pattern, or give the folder")
            found += [Job(path, out / path.name) for path in fitting if path.is_file()]
    counts = Counter(job.target for job in found)
    double = next((target for target, count in counts.items() if count > 1), None)
    if double is not None:
        raise UsageError(
            f"{double.name} comes twice and would overwrite itself in {out}; sharpen the folders one by one"
        )
    for job in found:
        if job.target.exists() and job.source.exists() and job.target.samefile(job.source):
            raise UsageError(f"{job.source} would be overwritten; choose another folder with --out")
    return found


def _files(folder: Path, recursive: bool, out: Path) -> list[Path]:
    """Photos and videos of a folder, without hidden files, a Mac's companions, and the results of an earlier call."""
    inside = sorted(folder.rglob("*") if recursive else folder.iterdir())
    mine = (path for path in inside if out.resolve() not in path.resolve().parents)
    shown = (path for path in mine if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    kept = [path for path in shown if path.is_file() and "__MACOSX" not in path.parts]
    found = [path for path in kept if path.suffix.lower() in SUFFIXES or video.is_video(path)]
    if not found:
        deeper = "" if recursive else "; --recursive looks into its folders too"
        raise UsageError(f"{folder} holds no photo or video{deeper}")
    return found


def run(todo: Sequence[Job], work: Callable[[Job], None]) -> list[tuple[Path, str]]:
    """Do all jobs; a file that is refused is noted with its sentence, and the others are done."""
    failed = []
    for job in todo:
        try:
            job.target.parent.mkdir(parents=True, exist_ok=True)
            work(job)
        except UsageError as error:
            failed.append((job.source, str(error)))
    return failed
