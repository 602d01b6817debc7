"""Headless runs of lessons through papermill, and the book made from them (floor 7)."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import papermill
import torch
from papermill.exceptions import PapermillExecutionError

from kdsharp import provenance
from kdsharp.checks import UsageError, atomic_path, check_name, check_positive, check_range, make_folder
from kdsharp.course import collect_results, find_lesson, lessons, notebooks_folder
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.evaluate import contestants
from kdsharp.guide import lesson_table
from kdsharp.plots import Picture, panels
from kdsharp.recipes import PROFILES


@dataclass
class LessonRun:
    """What one lesson's run gave: its results, or the cell that failed."""

    lesson: str
    notebook: str
    ok: bool
    seconds: float
    results: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def run_lesson(path: Path, out: Path, parameters: dict[str, Any], progress: bool = True) -> LessonRun:
    """Execute one lesson with papermill, write the executed notebook to ``out``; report a failure, never raise it."""
    start = time.perf_counter()
    name, error = path.stem, None
    with atomic_path(out) as unfinished:  # a run that is stopped leaves the earlier notebook as it was
        try:
            papermill.execute_notebook(
                path,
                unfinished,
                parameters=parameters,
                cwd=path.parent,
                kernel_name="python3",
                progress_bar={"desc": name} if progress else False,
                extra_arguments=["--IPKernelApp.log_level=50"],  # its remarks on sockets would run into the bar
            )
        except PapermillExecutionError as failure:
            error = f"cell {failure.cell_index + 1}: {failure.ename}: {failure.evalue}"
    seconds = round(time.perf_counter() - start, 1)
    return LessonRun(name, str(out), error is None, seconds, collect_results(out), error)


def run_lessons(
    names: Sequence[str], profile: str, parameters: dict[str, Any], out: str | Path | None = None, progress: bool = True
) -> list[LessonRun]:
    """Run lessons one after the other (all when ``names`` is empty) and write ``results.json`` beside them.

    Raises:
        UsageError: for an unknown lesson, profile or parameter, or an output folder that cannot be written.
    """
    check_name(profile, PROFILES, "profile")
    paths = [find_lesson(name) for name in names] or list(lessons().values())
    for path in paths:
        check_parameters(path, parameters)
    folder = make_folder(out if out is not None else Path("build") / profile)
    runs = []
    for path in paths:
        given = {"PROFILE": profile} | parameters
        runs.append(run_lesson(path, folder / path.name, given, progress))
        _write_results(folder / "results.json", runs, profile, parameters)
    return runs


def check_parameters(path: Path, parameters: dict[str, Any]) -> None:
    """Refuse what a lesson would fail on, or would never read: values out of range, names that it does not know."""
    if "ALPHA" in parameters:
        check_range(parameters["ALPHA"], 0, 1, "ALPHA")
    if "TEMPERATURE" in parameters:
        check_positive(parameters["TEMPERATURE"], "TEMPERATURE")
    known = papermill.inspect_notebook(str(path))
    for name in parameters:
        check_name(name, known, f"parameter of {path.stem}")


def _write_results(path: Path, runs: list[LessonRun], profile: str, parameters: dict[str, Any]) -> None:
    table = {
        "profile": profile,
        "parameters": parameters,
        "commit": provenance.commit(),
        "device": provenance.device_name(),
        "versions": provenance.versions(),
        "lessons": [asdict(run) for run in runs],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(table, indent=1), encoding="utf-8")


def build_book(profile: str = "lab", out: str | Path = "build/book", progress: bool = True) -> Path:
    """Build the Jupyter Book from executed lessons, warnings as errors; lessons missing or stale are run first.

    Returns:
        the path of the front page.

    Raises:
        UsageError: when a lesson fails or the build warns; the message holds the reason.
    """
    executed = Path("build") / check_name(profile, PROFILES, "profile")
    stale = [name for name, path in lessons().items() if _is_stale(executed / path.name, path)]
    failed = [run for run in (run_lessons(stale, profile, {}, progress=progress) if stale else []) if not run.ok]
    if failed:
        raise UsageError(f"the book needs every lesson, but {failed[0].lesson} failed: {failed[0].error}")
    out = Path(out)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(notebooks_folder().parent / "book", out)
    make_folder(out / "lessons")
    (out / "front.webp").write_bytes(front_picture().webp)
    for path in lessons().values():
        shutil.copy(executed / path.name, out / "lessons" / path.name)
    (out / "lesson_table.txt").write_text(lesson_table(executed), encoding="utf-8")
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]  # it has no ``-m`` form
    command = [*jupyter_book, "build", str(out), "--warningiserror", "--keep-going", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"})
    page = out / "_build" / "html" / "index.html"
    if done.returncode or not page.is_file():
        raise UsageError(f"the book did not build:\n{(done.stderr or done.stdout).strip()[-3000:]}")
    return page


def front_picture() -> Picture:
    """The course in one picture: a held-out photo blurred, after unsharp mask, student and teacher, and sharp."""
    pairs = synthetic_pairs(protocol("shake"), photos("test"))
    _, blurred, sharp = next(pair for pair in pairs if pair[0] == "chelsea")
    functions = contestants(["small", "teacher"], "shake")
    titles = {"input": "blurred", "unsharp": "unsharp mask", "small": "student", "teacher": "teacher"}
    with torch.inference_mode():
        images = {titles[name]: function(blurred) for name, function in functions.items()}
    alt = "A cat's eye: blurred, unsharp mask, student, teacher, sharp; below, the difference to the sharp photo"
    return Picture(panels(images | {"sharp": sharp}, sharp, at=(70, 110)), alt)


def _is_stale(executed: Path, source: Path) -> bool:
    """Whether a lesson must run again: never run, failed, or older than its source or the package."""
    if not executed.is_file():
        return True
    package = Path(__file__).parent
    newest = max(path.stat().st_mtime for path in [source, *package.rglob("*.py")])
    cells = nbformat.read(executed, as_version=4).cells
    failed = any(output.output_type == "error" for cell in cells for output in cell.get("outputs", []))
    return failed or executed.stat().st_mtime < newest
