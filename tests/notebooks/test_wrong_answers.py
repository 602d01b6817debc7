"""Every check names the misconception behind an answer that a learner might plausibly give.

`wrong/LESSON.toml` holds at least two such answers for each exercise: ``exercise`` (its number, from 1), ``code``, and
``says``, a regular expression that the check's message must match; each has another. The stub is tested in
test_lessons.py, the solution by every run.
"""

import copy
import re
import tomllib
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from kdsharp import course

FOLDER = Path(__file__).parent / "wrong"
LESSONS = {name: path for name, path in course.lessons().items() if (FOLDER / f"{name}.toml").is_file()}


def wrong_answers(name):
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["answer"]


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def with_wrong_answers(notebook, answers):
    """The lesson with each wrong answer, and the check after it, in front of the solution; they carry their number."""
    cells, exercise = [], 0
    checks = [cell for cell in notebook.cells if tagged(cell, "check")]
    for cell in notebook.cells:
        cells.append(cell)
        if not tagged(cell, "stub"):
            continue
        exercise += 1
        for index, answer in enumerate(answers):
            if answer["exercise"] == exercise:
                check = copy.deepcopy(checks[exercise - 1])
                check.metadata = {"tags": ["raises-exception"], "answer": index}
                cells += [nbformat.v4.new_code_cell(answer["code"]), check]
    notebook.cells = cells
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return notebook


@pytest.mark.parametrize("name", LESSONS)
def test_each_wrong_answer_meets_its_misconception(name, tmp_path):
    answers = wrong_answers(name)
    notebook = nbformat.read(LESSONS[name], as_version=4)
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
        if "answer" in cell.metadata:
            errors = [output for output in cell.outputs if output.output_type == "error"]
            answer = answers[cell.metadata["answer"]]
            assert [error.ename for error in errors] == ["NotYet"], answer["code"]
            assert re.search(answer["says"], errors[0].evalue), (answer["says"], errors[0].evalue)
            said.setdefault(answer["exercise"], []).append(re.sub(r"[\d.]+", "", errors[0].evalue))
    for exercise, messages in said.items():
        assert len(set(messages)) == len(messages), f"exercise {exercise}: two wrong answers are told the same"
