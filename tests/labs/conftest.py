"""A lab so small that marking it takes seconds: its kernel imports nothing."""

import shutil

import nbformat
import numpy as np
import pytest
from shared import tool

import kdsharp.labs
from kdsharp.labs import folder as folders
from kdsharp.labs import rebuild
from kdsharp.labs.folder import ClassFolder, Received
from kdsharp.labs.spec import Call, Exercise, Lab, Manual, Task, prediction, tally


def ask_double(secret):
    picture = secret.rng("lab0", "double").random((4, 5))
    return Task({"picture": Call("double", (picture,), seconds=3)}, {"right": 2 * picture})


def score_double(answers, task):
    found, right = answers["picture"], task.kept["right"]
    same = isinstance(found, np.ndarray) and found.shape == right.shape
    named = "returned the input", "Your function answers its input; twice as bright was asked for."
    return tally(
        14, [(4, same, "no picture", "An array of the same shape."), (10, same and np.allclose(found, right), *named)]
    )


LAB = Lab(
    "lab0_tiny",
    "A tiny lab",
    exercises=(
        Exercise("double", 14, ask_double, score_double),
        prediction("predict", 1, "PREDICTION_1", ("a", "b"), right="b"),
    ),
    manual=(Manual("explain", 5, ((2, "what"), (3, "why"))),),
)
RIGHT = "def double(picture):\n    return 2 * picture"


def marked(kind, grade_id, source, **said):
    cell = nbformat.v4.new_code_cell(source) if kind == "code" else nbformat.v4.new_markdown_cell(source)
    nbgrader = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    cell.metadata["nbgrader"] = nbgrader | {"grade_id": grade_id} | said
    return cell


@pytest.fixture(scope="session")
def source_notebook(tmp_path_factory):
    begin, end = "### BEGIN SOLUTION", "### END SOLUTION"
    solution = f"    {begin}\n    brighter = 2 * picture\n    {end}\n"
    stub = f"def double(picture):\n    brighter = picture\n{solution}    return brighter"
    guess = f'PREDICTION_1 = None\n{begin}\nPREDICTION_1 = ("b", 0.8)\n{end}'
    parameters = nbformat.v4.new_code_cell('PROFILE = "lab"\nSEED = 0', metadata={"tags": ["parameters"]})
    cells = [
        nbformat.v4.new_markdown_cell("# A tiny lab"),
        parameters,
        marked("code", "write_double", stub, solution=True),
        marked("code", "double", "assert double(1) == 2", grade=True, locked=True, points=14),
        marked("code", "write_predict", guess, solution=True),
        marked("code", "predict", "assert PREDICTION_1 is not None", grade=True, locked=True, points=1),
        marked("markdown", "explain", f"{begin}\nBecause.\n{end}", grade=True, solution=True, points=5),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    path = tmp_path_factory.mktemp("lab0") / "lab0_tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def replace_labs(patch, notebook):
    patch.setattr(kdsharp.labs, "labs", lambda: {LAB.name: LAB})
    for module in (kdsharp.labs, folders):
        patch.setattr(module, "source", lambda lab: notebook)


@pytest.fixture
def tiny(monkeypatch, source_notebook):
    """The tiny lab, in the place of all others."""
    replace_labs(monkeypatch, source_notebook)
    return LAB


@pytest.fixture(scope="session")
def handed_out(source_notebook, tmp_path_factory):
    """A class folder with the tiny lab handed out, to be copied: nbgrader takes seconds for it."""
    pytest.importorskip("nbgrader")
    made = ClassFolder(tmp_path_factory.mktemp("class"))
    with pytest.MonkeyPatch.context() as patch:
        replace_labs(patch, source_notebook)
        made.release(LAB)
    return made.root


@pytest.fixture
def home(tiny, handed_out, tmp_path):
    """The folder of a class, with the tiny lab handed out."""
    shutil.copytree(handed_out, tmp_path / "class")
    return ClassFolder(tmp_path / "class")


@pytest.fixture
def bwrap():
    return tool("bwrap")


@pytest.fixture
def handed_in(home, tiny):
    """Take in a submission whose cells are replaced by name; returns the student's name in the folder."""

    def take(student, cells=(), own=()):
        notebook = nbformat.from_dict(home.release(tiny))
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = dict(cells).get(name, cell.source)
        notebook.cells += [nbformat.v4.new_code_cell(source) for source in own]
        made, notes = rebuild.rebuild(rebuild.read(nbformat.writes(notebook).encode()), home.release(tiny))
        came = Received(student, student, "files", "", "x.ipynb", "2027-01-01 10:00:00 UTC", False, student, notes)
        home.receive(tiny, came, None, made)
        return student

    return take
