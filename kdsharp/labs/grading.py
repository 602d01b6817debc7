"""What nbgrader does for the labs, set up so that it never runs a submission itself (extra ``marking``).

nbgrader keeps the source, the grade book, Formgrader and the feedback pages. Where it would execute a submission, it
asks :class:`Sandboxed`, which brings what the sandbox found; :class:`StillPages` writes a page without scripts.
"""

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

from kdsharp.checks import UsageError
from kdsharp.interrupts import whole
from kdsharp.labs import find_lab, outputs
from kdsharp.labs.folder import ClassFolder
from kdsharp.labs.marking import Marked
from kdsharp.labs.spec import Lab, Verdict

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Of a feedback page: no script runs and nothing is fetched, whatever it holds."""
STYLE = "pre { white-space: pre-wrap !important } div.nbgrader_cell .panel-heading { height: auto; overflow: auto }"
"""Long lines break, and on a telephone a score stands below its cell's name."""
ENTRY = re.compile(r'(<a href="#(\w+)">)(Test cell|Written response)</a>')
PERSON = {"Test cell": "", "Written response": ", which a person reads"}
COURSE = "kdsharp"


def configure(config: Any, root: Path) -> Any:
    """nbgrader's settings for a class folder: the one place for them, here and under Formgrader."""
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = COURSE
    config.ClearSolutions.code_stub = {"python": "# Your code here."}
    config.ClearSolutions.text_stub = "*Your answer here.*"
    config.Autograde.autograde_preprocessors = [
        "kdsharp.labs.grading.Sandboxed",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.GenerateFeedback.exporter_class = "kdsharp.labs.grading.StillPages"
    return config


class Sandboxed(NbGraderPreprocessor):
    """Stands where nbgrader executes: fills a submission with what the sandbox found, marking it first where needed."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        root = Path(self.config.CourseDirectory.root)
        lab, student = find_lab(resources["nbgrader"]["assignment"]), resources["nbgrader"]["student"]
        folder = ClassFolder(root)
        marked = folder.result(lab, student) or folder.mark(lab, student)
        return filled(nb, marked, lab), resources


class StillPages(HTMLExporter):
    """nbgrader's feedback page, in which nothing moves, and whose list of contents calls each cell by its name."""

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **options: Any) -> tuple[Any, Any]:
        page, found = super().from_notebook_node(nb, resources, **options)
        page = page.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1)
        page = ENTRY.sub(lambda entry: f"{entry[1]}{entry[2].replace('_', ' ')}{PERSON[entry[3]]}</a>", page)
        return page.replace("</head>", f"<style>{STYLE}</style>\n</head>", 1), found


def filled(notebook: NotebookNode, marked: Marked, lab: Lab) -> NotebookNode:
    """A submission with its outputs, and under each marked cell its points and what the check says."""
    known = {each.name: each for each in lab.exercises}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = list(marked.cells.get(place, [])), None
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in known and cell.metadata.nbgrader.get("grade"):
            verdict = marked.verdicts.get(name, Verdict(0.0, "", "This exercise was not marked."))
            said = f"{verdict.points:g} of {known[name].points:g} points. {verdict.message}\n"
            points = nbformat.v4.new_output("execute_result", data={"text/plain": f"{verdict.points:.4g}"})
            cell.outputs = [points, outputs.text(said)]
    return notebook


def generate(root: Path, lab: str) -> None:
    """Make the student's version of a lab, and put its cells into the grade book."""
    with _quiet():
        _checked(_api(root).generate_assignment(lab))


def book(root: Path, lab: str, student: str, name: str) -> None:
    """Write a marked submission into the grade book; a grade that a person gave by hand stays."""
    with _quiet():
        _checked(_api(root).autograde(lab, student))
    with gradebook(root) as grades:
        grades.update_or_create_student(student, first_name=name)


def feedback(root: Path, lab: str, student: str) -> Path:
    """The feedback page of a submission."""
    with _quiet():
        _checked(_api(root).generate_feedback(lab, student))
    return root / "feedback" / student / lab / f"{lab}.html"


@contextmanager
def gradebook(root: Path) -> Iterator[Gradebook]:
    """The grade book of a class folder, which Ctrl-C does not tear out of a hand that writes."""
    with whole(), Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE) as found:
        yield found


def scores(root: Path, lab: str) -> dict[str, dict[str, Any]]:
    """For each submission in the grade book: its score, the part given by people, whether some of it waits for one."""
    found = {}
    with gradebook(root) as grades:
        for each in grades.assignment_submissions(lab):
            cells = {grade.name: grade.score for notebook in each.notebooks for grade in notebook.grades}
            waits = any(notebook.needs_manual_grade for notebook in each.notebooks)
            found[each.student.id] = {"score": each.score, "cells": cells, "waits": waits}
    return found


def _api(root: Path) -> NbGraderAPI:
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    beside = str(Path(sys.executable).parent)  # nbgrader calls alembic by name, in an environment that is active or not
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", "")])
    return NbGraderAPI(config=configure(Config(), root))


@contextmanager
def _quiet() -> Iterator[None]:
    """nbgrader comes to its end, and its remarks on its own tables and templates are no news to a lecturer."""
    with whole(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _checked(done: dict[str, Any]) -> None:
    if not done["success"]:
        lines = f"{done.get('error') or ''}\n{done.get('log') or ''}".splitlines()
        if any(line.endswith("Canceled") for line in lines):  # what nbgrader makes of Ctrl-C
            raise KeyboardInterrupt
        reasons = [line.strip() for line in lines if re.match(r"\s*[\w.]*(Error|Exception)\b", line)]
        raise UsageError(f"nbgrader: {(reasons or lines or ['no reason given'])[-1]}")
