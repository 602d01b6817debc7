"""Many files at once: folders, patterns, what is there already, and one bad file that ends no batch."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsharp import video
from kdsharp.checks import UsageError, make_folder
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
    found = list(dict.fromkeys(found))  # one file that is given twice is one
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


def passed_over(inputs: Sequence[Path], out: Path, recursive: bool = False) -> Counter[str]:
    """What lies in the folders of the inputs and is neither photo nor video by its name: how many by suffix."""
    others = [
        path for given in inputs if given.is_dir() for path in _below(given, recursive, out) if not _is_known(path)
    ]
    return Counter(path.suffix.lower() or "without a suffix" for path in others)


def _files(folder: Path, recursive: bool, out: Path) -> list[Path]:
    """Photos and videos of a folder."""
    if os.path.realpath(folder) == os.path.realpath(out):
        raise UsageError(f"the photos of {folder} would be overwritten; choose another folder with --out")
    below = _below(folder, recursive, out)
    found = [path for path in below if _is_known(path)]
    if not found:
        seen = f" among its {len(below)} files" if below else ""
        deeper = "" if recursive else "; --recursive looks into its folders too"
        raise UsageError(f"{folder} holds no photo or video{seen}{deeper}")
    return found


def _is_known(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or video.is_video(path)


def _below(folder: Path, recursive: bool, out: Path) -> list[Path]:
    """All files of a folder but hidden ones, a Mac's companions, and the results of an earlier call."""
    found, results = [], os.path.realpath(out)
    for where, folders, names in os.walk(folder):
        kept = [] if not recursive else [each for each in folders if not each.startswith(".") and each != "__MACOSX"]
        folders[:] = [each for each in kept if os.path.realpath(Path(where, each)) != results]
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.is_file())


def run(todo: Sequence[Job], work: Callable[[Job], None]) -> list[tuple[Path, str]]:
    """Do all jobs; a file that is refused is noted with its sentence, and the others are done."""
    failed = []
    for job in todo:
        try:
            make_folder(job.target.parent)
            work(job)
        except UsageError as error:
            failed.append((job.source, str(error)))
        except OSError as error:  # a disk, a network or a device that gave up in the middle
            failed.append((job.source, f"{job.source}: {error.strerror or error}"))
    return failed
