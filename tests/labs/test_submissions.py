"""Made-up submissions through the sandbox: each gets the points that a person wrote down before any was scored.

The full solution of each lab, and a stub; what all fifty are worth is asked of the scores in ``test_lab_scores.py``.
"""

import tomllib
from pathlib import Path

import nbformat
import pytest
from shared import once

from kdsharp.labs import find_lab, rebuild, source
from kdsharp.labs.folder import ClassFolder, Received

FILES = sorted((Path(__file__).parent / "submissions").glob("*.toml"))
CASES = {
    f"{path.stem}: {each['name']}": (path.stem, each)
    for path in FILES
    for each in tomllib.loads(path.read_text(encoding="utf-8"))["submission"]
}
THROUGH = [
    name for name, (lab, each) in CASES.items() if each["name"] == "full" or (lab, each["name"]) == ("lab1", "stub")
]


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    pytest.importorskip("nbgrader")
    return ClassFolder(tmp_path_factory.mktemp("classroom"))


def test_each_lab_has_ten_of_them():
    assert {path.stem: sum(name.startswith(path.stem) for name in CASES) for path in FILES} == {
        f"lab{number}": 10 for number in range(1, 6)
    }


@pytest.mark.parametrize("case", once(THROUGH, "lab1: full"))
def test_a_submission_gets_the_points_that_a_person_expected(case, classroom, bwrap):
    name, wanted = CASES[case]
    lab = find_lab(name)
    release = classroom.release(lab)
    notebook = nbformat.read(source(lab), as_version=4) if wanted["base"] == "solution" else nbformat.from_dict(release)
    replaced = {cell["grade_id"]: cell["source"] for cell in wanted.get("cell", [])}
    for cell in notebook.cells:
        cell.source = replaced.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    made, notes = rebuild.rebuild(rebuild.read(nbformat.writes(notebook).encode()), release)
    student = f"student-{list(CASES).index(case)}"
    came = Received(student, case, "files", "", "x.ipynb", "2027-01-01 10:00:00 UTC", False, student, notes)
    classroom.receive(lab, came, None, made)
    marked = classroom.mark(lab, student)
    found = {each.name: marked.verdicts[each.name].points for each in lab.exercises}
    assert found == pytest.approx(wanted["expected"]), {name: each.message for name, each in marked.verdicts.items()}
    assert all(each.message or each.points for each in marked.verdicts.values()), "no point without a reason"
    if wanted["name"] == "full":  # what the notebook measures is what the marking takes for right
        beliefs = [each.belief for each in marked.verdicts.values() if each.belief]
        said = [str(each.get("text")) for put in marked.cells.values() for each in put]
        assert all(each.right for each in beliefs)
        assert sum("Measured:" in each and ": right." in each for each in said) == len(beliefs) >= 2
