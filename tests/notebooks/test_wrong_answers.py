"""Every check names the misconception behind an answer that a learner might plausibly give.

`wrong/LESSON.toml` holds at least two such answers for each exercise: ``exercise`` (its number, from 1), ``code``, and
``says``, a regular expression that the check's message must match; each has another. The untouched stub is checked in
the same run, the solution by the runs of test_lessons.py.
"""

import copy
import re
import tomllib
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from shared import once
from kdsharp import course

FOLDER = Path(__file__).parent / "wrong"
LESSONS = [name for name in course.lessons() if (FOLDER / f"{name}.toml").is_file()]


def wrong_answers(name):
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["answer"]


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def with_wrong_answers(notebook, answers):
    """The lesson with stub and wrong answers, a check after each, in front of the solution; they carry a number."""
    cells, exercise = [], 0
    checks = [cell for cell in notebook.cells if tagged(cell, "check")]
    for cell in notebook.cells:
        cells.append(cell)
        if not tagged(cell, "stub"):
            continue
        exercise += 1
        mine = [(index, each["code"]) for index, each in enumerate(answers) if each["exercise"] == exercise]
        for index, code in [("stub", cell.source), *mine]:
            check = copy.deepcopy(checks[exercise - 1])
            check.metadata = {"tags": ["raises-exception"], "answer": index}
            cells += [nbformat.v4.new_code_cell(code), check]
    notebook.cells = cells
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return notebook


def test_every_lesson_has_wrong_answers():
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(course.lessons())


@pytest.mark.parametrize("name", once(LESSONS, "04_measuring", "09_distillation"))
def test_stub_and_wrong_answers_meet_their_misconceptions(name, tmp_path):
    """Each check fails with ``NotYet``, with words of its own, and then lets the solution pass."""
    answers = wrong_answers(name)
    notebook = nbformat.read(course.lessons()[name], as_version=4)
    exercises = sum(tagged(cell, "stub") for cell in notebook.cells)
    counts = Counter(answer["exercise"] for answer in answers)
    assert set(counts) == set(range(1, exercises + 1))
    assert min(counts.values()) >= 2
    for cell in notebook.cells:
        cell.source = cell.source.replace('PROFILE = "lab"', 'PROFILE = "smoke"')
    notebook = with_wrong_answers(notebook, answers)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = {}
    for cell in notebook.cells:
        if "answer" not in cell.metadata:
            continue
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert [error.ename for error in errors] == ["NotYet"], (cell.metadata, cell.source)
        if cell.metadata["answer"] == "stub":
            assert len(errors[0].evalue) > 40
        else:
            answer = answers[cell.metadata["answer"]]
            assert re.search(answer["says"], errors[0].evalue), (answer["says"], errors[0].evalue)
            said.setdefault(answer["exercise"], []).append(re.sub(r"[\d.]+", "", errors[0].evalue))
    for exercise, messages in said.items():
        assert len(set(messages)) == len(messages), f"exercise {exercise}: two wrong answers are told the same"
