"""The book: built from executed lessons, and served to a browser of this machine (floor 8).

The floor plan: what is built and in which order, here; what the published book is told, and what each lesson loses on
the way, in :mod:`~kdsharp.book.settings`; what the first page shows in :mod:`~kdsharp.book.front`, its clip in
:mod:`~kdsharp.book.clip`; the page for a reader's own photo in :mod:`~kdsharp.book.sharpening`; the package's own
pages in :mod:`~kdsharp.book.reference`; what Sphinx adds to every page in :mod:`~kdsharp.book.pages`. What is built is
served by :mod:`~kdsharp.book.serving` and printed by :mod:`~kdsharp.book.printing`; its explorers alone stand on the
page of :mod:`~kdsharp.book.stage`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from kdsharp.book import front, reference, settings, sharpening
from kdsharp.book.sharpening import AT_THE_ROOT
from kdsharp.checks import UsageError, check_name, make_folder
from kdsharp.course import lessons
from kdsharp.course.guide import lesson_table
from kdsharp.course.kept import Ledger
from kdsharp.course.published import for_page
from kdsharp.course.terms import glossary
from kdsharp.island import modules, packages
from kdsharp.island.files import unpack
from kdsharp.places import place
from kdsharp.recipes import PROFILES
from kdsharp.runs import made_from, run_lessons


def build_book(
    profile: str = "lab", out: str | Path = "build/book", progress: bool = True, solutions: bool = True
) -> Path:
    """Build the Jupyter Book from executed lessons, warnings as errors; lessons missing or stale are run first.

    What the lessons' outputs hold inside, pictures and networks, becomes files that a page loads when it needs them.
    What pages take from npm lies in the book when this environment has it (:mod:`kdsharp.island.packages`).

    Args:
        profile: of the executed lessons.
        out: folder of the sources and, in ``_build/html``, of the pages; what was there goes.
        progress: show a bar for each lesson that is run.
        solutions: whether the exercises' solutions are in the book.

    Returns:
        the path of the front page.

    Raises:
        UsageError: when a lesson fails or the build warns; the message holds the reason.
    """
    executed = executed_lessons(profile, progress)
    out = Path(out)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(place("book"), out)
    make_folder(out / "lessons")
    front.write(out)
    modules.publish(out / "_static" / "island")
    if packages.are_here():
        shutil.copytree(packages.folder(), out / AT_THE_ROOT / "packages")  # a script in _static is on every page
    repository, branch = settings.settle(out / "_config.yml")
    terms = glossary((out / "glossary.md").read_text(encoding="utf-8"))
    for path in lessons().values():
        notebook = nbformat.read(executed / path.name, as_version=4)
        if not solutions:
            settings.leave_solutions_out(notebook)
        settings.begin_with_install(notebook, repository, branch)
        for_page(notebook, terms)
        reference.lead_back(notebook)
        unpack(notebook, out / "_static" / "content", "../_static/content")
        nbformat.write(notebook, out / "lessons" / path.name)
    (out / "ledger_island.html").write_text(Ledger(whole=True).page(), encoding="utf-8")
    sharpening.write(out, profile)
    reference.write(out)
    (out / "lesson_table.txt").write_text(lesson_table(executed), encoding="utf-8")
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]  # it has no ``-m`` form
    command = [*jupyter_book, "build", str(out), "--warningiserror", "--keep-going", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"})
    page = out / "_build" / "html" / "index.html"
    if done.returncode or not page.is_file():
        raise UsageError(f"the book did not build:\n{(done.stderr or done.stdout).strip()[-3000:]}")
    return page


def executed_lessons(profile: str, progress: bool = True) -> Path:
    """The folder of all lessons, executed in ``profile``; those that are missing or stale are run first.

    Raises:
        UsageError: when a lesson fails; the message holds the reason.
    """
    executed = Path("build") / check_name(profile, PROFILES, "profile")
    stale = [name for name, path in lessons().items() if _is_stale(executed / path.name, path, profile)]
    failed = [run for run in (run_lessons(stale, profile, {}, progress=progress) if stale else []) if not run.ok]
    if failed:
        raise UsageError(f"the book needs every lesson, but {failed[0].lesson} failed: {failed[0].error}")
    return executed


def _is_stale(executed: Path, source: Path, profile: str) -> bool:
    """Whether a lesson must run again: never run, failed, or run from another text, package, data or parameters."""
    if not executed.is_file():
        return True
    noted = nbformat.read(executed, as_version=4).metadata.get("kdsharp", {}).get("made_from")
    return noted != made_from(source, {"PROFILE": profile})
