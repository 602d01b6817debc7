"""What each lab's scores make of ten made-up submissions, whose points a person wrote down before (no sandbox here).

A submission runs in this process as the marking runs it, in the smoke profile and without the cells that only show or
check; `tests/labs/submissions/LAB.toml` holds what it writes and what it should get.
"""

import ast
import contextlib
import io
import re
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from shared import once

from kdsharp.labs import labs, source
from kdsharp.labs.spec import Failure, Secret, Value

FOLDER = Path(__file__).parent / "submissions"
LABS = labs()
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION.*?### END SOLUTION[ \t]*$", re.DOTALL | re.MULTILINE)


def submissions(name):
    return tomllib.loads((FOLDER / f"{name.split('_')[0]}.toml").read_text(encoding="utf-8"))["submission"]


def without_solutions(text):
    return REGION.sub(lambda found: f"{found[1]}# Your code here.", text)


def plain(found):
    """An answer as it leaves the sandbox."""
    if isinstance(found, torch.Tensor):
        return found.detach().numpy()
    if isinstance(found, dict):
        return {name: plain(each) for name, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(each) for each in found]
    return found.item() if isinstance(found, np.generic) else found


def executed(lab, submission):
    """The names that a submission defines: its parameters, what is given, and what it writes."""
    cells = {cell["grade_id"]: cell["source"] for cell in submission.get("cell", [])}
    names = {}
    for cell in nbformat.read(source(lab), as_version=4).cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        given = nbgrader.get("grade") is False and cell.cell_type == "code"
        if not given and "parameters" not in cell.metadata.get("tags", []):
            continue
        text = cell.source.replace('PROFILE = "lab"', 'PROFILE = "smoke"')
        if nbgrader.get("solution"):
            stub = submission["base"] == "stub"
            text = cells.pop(nbgrader["grade_id"], without_solutions(text) if stub else text)
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, cell.id, "exec"), names)
    assert not cells, f"no cell has the grade_id {list(cells)}"
    return names


def answer(question, names):
    try:
        if isinstance(question, Value):
            return plain(eval(question.expression, names))
        return plain(eval(question.function, names)(*question.arguments, **question.options))
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")


def marked(lab, submission, secret):
    names = executed(lab, submission)
    found = {}
    for exercise in lab.exercises:
        answers = {name: answer(question, names) for name, question in exercise.ask(secret).questions.items()}
        found[exercise.name] = exercise.mark(answers, exercise.ask(secret))
    return found


def test_every_lab_has_ten_submissions():
    assert {path.stem for path in FOLDER.glob("*.toml")} == {name.split("_")[0] for name in LABS}
    for name, lab in LABS.items():
        known = {exercise.name for exercise in lab.exercises}
        made = submissions(name)
        assert len({each["name"] for each in made}) == 10
        assert all(set(each["expected"]) == known for each in made)
        assert made[0]["expected"] == {exercise.name: exercise.points for exercise in lab.exercises}
        assert set(made[1]["expected"].values()) == {0}


@pytest.mark.filterwarnings("ignore")  # of a submission's own arithmetic
@pytest.mark.parametrize("name", once(LABS, "lab1_filters"))
def test_a_person_and_the_scores_agree(name):
    lab, secret = LABS[name], Secret(b"a class of tests")
    for submission in submissions(name):
        found = marked(lab, submission, secret)
        assert {each: verdict.points for each, verdict in found.items()} == submission["expected"], submission["name"]
        for exercise in lab.exercises:
            verdict = found[exercise.name]
            full = verdict.points == exercise.points
            assert full == (not verdict.misconception), (submission["name"], exercise.name, verdict)
            assert full or len(verdict.message) > 20
            assert not re.search(r"\d\.\d", verdict.misconception), "a misconception is counted over a class"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", once(LABS, "lab1_filters"))
def test_the_full_solution_scores_fully_whatever_the_secret(name):
    full = submissions(name)[0]
    for key in (b"three", b"four", b"k9", b"k22"):  # these refused labs 3 and 5 some points before
        found = {each: verdict.points for each, verdict in marked(LABS[name], full, Secret(key)).items()}
        assert found == full["expected"], key


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", once(LABS, "lab1_filters"))
@pytest.mark.parametrize(
    "junk", [None, "", [], {}, np.zeros(0), np.full((3, 3), np.nan), Failure("too slow"), 1e308, True]
)
def test_no_answer_is_a_score_and_no_error(name, junk):
    for exercise in LABS[name].exercises:
        task = exercise.ask(Secret(b"junk"))
        verdict = exercise.mark(dict.fromkeys(task.questions, junk), task)
        assert verdict.points == 0
        assert verdict.misconception


def test_stubs_are_programs():
    for lab in LABS.values():
        for cell in nbformat.read(source(lab), as_version=4).cells:
            if "### BEGIN SOLUTION" in cell.source and cell.cell_type == "code":
                ast.parse(without_solutions(cell.source))
