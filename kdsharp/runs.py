"""Headless runs of lessons through papermill (floor 7)."""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

from kdsharp import provenance
from kdsharp.checks import atomic_path, check_name, check_positive, check_range, make_folder
from kdsharp.course import collect_results, find_lesson, lessons
from kdsharp.course.exercises import with_starts
from kdsharp.places import PACKAGE, place
from kdsharp.recipes import PROFILES
from kdsharp.together import room, side_by_side


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
    """Execute one lesson with papermill, write the executed notebook to ``out``; report a failure, never raise it.

    Below the start of each exercise stands what its check says to it.
    """
    start = time.perf_counter()
    name, error, source = path.stem, None, made_from(path, parameters)
    notebook = nbformat.read(path, as_version=4)
    with_starts(notebook)
    with atomic_path(out) as unfinished:  # a run that is stopped leaves the earlier notebook as it was
        for attempt in (1, 2):
            try:
                with _nobody_watches(name):
                    papermill.execute_notebook(
                        notebook,
                        unfinished,
                        parameters=parameters,
                        cwd=path.parent,
                        kernel_name="python3",
                        progress_bar={"desc": name} if progress else False,
                        extra_arguments=["--IPKernelApp.log_level=50"],  # its remarks on sockets would run into the bar
                    )
            except PapermillExecutionError as failure:
                error = f"cell {failure.cell_index + 1}: {failure.ename}: {failure.evalue}"
            except DeadKernelError:
                error = f"{_running_cell(unfinished)}: the kernel died, most likely for want of memory; {DEAD}"
            except RuntimeError as failure:  # "Kernel died before replying", "didn't respond in 60 seconds"
                if "ernel" not in str(failure):
                    raise
                if attempt == 1:  # two kernels that start at once may take one port
                    continue
                error = f"the kernel did not start ({failure}); try again, with fewer programs beside it"
            break
        if not unfinished.stat().st_size:  # papermill wrote nothing yet
            shutil.copyfile(path, unfinished)
        if error is None:
            _note(unfinished, source)
    seconds = round(time.perf_counter() - start, 1)
    return LessonRun(name, str(out), error is None, seconds, collect_results(out), error)


def made_from(path: Path, parameters: dict[str, Any]) -> str:
    """A hash of all that an executed lesson follows from: its cells, its parameters, the package and the data."""
    cells = [(cell.cell_type, cell.source) for cell in nbformat.read(path, as_version=4).cells]
    found = hashlib.sha256(json.dumps([cells, parameters], sort_keys=True).encode())
    files = [*PACKAGE.rglob("*.py"), *(each for each in place("data").rglob("*") if each.is_file())]
    for each in sorted(files):
        found.update(hashlib.sha256(each.read_bytes()).digest())
    return found.hexdigest()[:16]


def _note(notebook: Path, source: str) -> None:
    """Write into an executed lesson what it was made from; the book runs it again when that has changed."""
    executed = nbformat.read(notebook, as_version=4)
    executed.metadata["kdsharp"] = {"made_from": source}
    nbformat.write(executed, notebook)


STOPWATCH = re.compile(r"\bmilliseconds\w*\(|\bstudents\.cost\(")
DEAD = "close other programs, or run it with --profile smoke"


@contextmanager
def _nobody_watches(lesson: str) -> Iterator[None]:
    """Tell kernels that start here: from within Jupyter, VS Code or Colab they would take themselves for live, and for
    the lesson that is open there.
    """
    before = {name: os.environ.get(name) for name in ("KDSHARP_EXPLORER", "KDSHARP_LESSON")}
    os.environ["KDSHARP_EXPLORER"] = before["KDSHARP_EXPLORER"] or "page"
    os.environ["KDSHARP_LESSON"] = lesson
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _running_cell(notebook: Path) -> str:
    """The last cell that began, as papermill notes it."""
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception:  # the death came in the middle of writing
        return "a cell"
    begun = [place for place, cell in enumerate(cells, 1) if cell.metadata.get("papermill", {}).get("start_time")]
    return f"cell {begun[-1]}" if begun else "a cell"


def run_lessons(
    names: Sequence[str],
    profile: str,
    parameters: dict[str, Any],
    out: str | Path | None = None,
    progress: bool = True,
    together: int | None = None,
) -> list[LessonRun]:
    """Run lessons (all when ``names`` is empty) and write ``results.json`` beside them.

    Those that time something come first, each alone on the machine; then the others, ``together`` of them side by side
    (by default :func:`kdsharp.together.room`). Small networks keep one core busier than two.

    Raises:
        UsageError: for an unknown lesson, profile or parameter, or an output folder that cannot be written.
    """
    check_name(profile, PROFILES, "profile")
    paths = [find_lesson(name) for name in names] or list(lessons().values())
    for path in paths:
        check_parameters(path, parameters)
    folder = make_folder(out if out is not None else Path("build") / profile)
    given = {"PROFILE": profile} | parameters
    alone = [path for path in paths if is_timed(path)]
    others = [path for path in paths if path not in alone]
    count = min(
        max(1, len(others)), room() if together is None else int(check_positive(together, "lessons side by side"))
    )
    if count < 2:
        alone, others = paths, []
    done: dict[Path, LessonRun] = {}
    with tqdm(total=len(paths), desc="lessons", unit="lesson", disable=not (progress and others)) as bar:
        for path in alone:
            done[path] = run_lesson(path, folder / path.name, given, progress)
            bar.update()
            _write_results(folder / "results.json", paths, done, profile, parameters)

        def say(places: list[int]) -> None:
            bar.set_postfix_str("running " + ", ".join(others[place].stem for place in places))

        jobs = [(path, folder / path.name, given, False) for path in others]
        with closing(side_by_side(run_lesson, jobs, count, say)) as found:  # Ctrl-C may come between two of them
            for place, run in found:
                path = others[place]
                lost = LessonRun(path.stem, str(folder / path.name), False, 0.0, {}, f"its process died; {DEAD}")
                done[path] = run or lost
                bar.update()
                _write_results(folder / "results.json", paths, done, profile, parameters)
    return [done[path] for path in paths]


def is_timed(path: Path) -> bool:
    """Whether a lesson holds a stopwatch to something, which neighbours would slow down."""
    cells = nbformat.read(path, as_version=4).cells
    return any(cell.cell_type == "code" and STOPWATCH.search(cell.source) for cell in cells)


def check_parameters(path: Path, parameters: dict[str, Any]) -> None:
    """Refuse what a lesson would fail on, or would never read: values out of range, names that it does not know."""
    if "ALPHA" in parameters:
        check_range(parameters["ALPHA"], 0, 1, "ALPHA")
    if "TEMPERATURE" in parameters:
        check_positive(parameters["TEMPERATURE"], "TEMPERATURE")
    known = papermill.inspect_notebook(str(path))
    for name in parameters:
        check_name(name, known, f"parameter of {path.stem}")


def _write_results(
    path: Path, paths: list[Path], done: dict[Path, LessonRun], profile: str, parameters: dict[str, Any]
) -> None:
    table = {
        "profile": profile,
        "parameters": parameters,
        "commit": provenance.commit(),
        "device": provenance.device_name(),
        "versions": provenance.versions(),
        "lessons": [asdict(done[each]) for each in paths if each in done],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(table, indent=1), encoding="utf-8")
