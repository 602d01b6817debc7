"""The labs' notebooks: what marks what, their anatomy, and their run."""

import ast
import os
import re
import subprocess
import sys

import nbformat
import pytest
from shared import once

from kdsharp.labs import labs, source

LABS = labs()


def cells(lab):
    return nbformat.read(source(lab), as_version=4).cells


def graded(lab):
    """grade_id to the metadata of nbgrader, of every cell that has any."""
    found = [cell.metadata["nbgrader"] for cell in cells(lab) if "nbgrader" in cell.metadata]
    names = [each["grade_id"] for each in found]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("name", LABS)
def test_every_exercise_has_its_cell_and_its_points(name):
    lab, known = LABS[name], graded(LABS[name])
    tests = {each: meta["points"] for each, meta in known.items() if meta["grade"] and not meta["solution"]}
    assert tests == {exercise.name: exercise.points for exercise in lab.exercises}
    read = {each: meta["points"] for each, meta in known.items() if meta["grade"] and meta["solution"]}
    assert read == {manual.name: manual.points for manual in lab.manual}
    assert all(meta["locked"] for meta in known.values() if not meta["solution"])
    assert {meta["schema_version"] for meta in known.values()} == {3}


@pytest.mark.parametrize("name", LABS)
def test_anatomy(name):
    lab, found = LABS[name], cells(LABS[name])
    everything = "\n".join(cell.source for cell in found)
    assert found[0].source.startswith(f"# Lab {lab.name[3]} · ")
    assert everything.index("You will be able to") < everything.index("PROFILE = ")
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in found) == 1
    assert everything.count("### BEGIN SOLUTION") == everything.count("### END SOLUTION")
    assert everything.count("<summary>Hint 1</summary>") == everything.count("<summary>Hint 2</summary>") >= 2
    assert everything.count("*Rubric:*") == len(lab.manual)
    predictions = [exercise.name for exercise in lab.exercises if exercise.name.startswith("predict_")]
    assert len(predictions) >= 2
    locks = re.findall(r"^(\w+) = course\.commit\(", everything, re.MULTILINE)
    assert len(locks) == len(predictions)
    for lock in locks:  # the answer comes after the lock, and behind it
        assert everything.index(f"{lock} = course.commit(") < everything.index(f"{lock}.reveal(")
    calls = [each for cell in found if cell.cell_type == "code" for each in ast.walk(ast.parse(cell.source))]
    shown = [each for each in calls if isinstance(each, ast.Call) and ast.unparse(each.func) == "plots.show"]
    assert shown
    assert all(len(each.args) == 3 for each in shown), "a figure has a caption and alt text"
    assert everything.index("## Take-aways") < everything.index("course.quiz(") < everything.index("course.ledger(")
    assert "kdsharp.labs" not in everything  # it is not there while a submission is marked
    assert len(re.findall(r"course\.record\(\s*headline=f", everything)) == 1
    assert "course.finish(PROFILE, SEED)" in found[-1].source
    for cell in found:
        if cell.cell_type == "code" and "nbval-check-output" not in cell.metadata.get("tags", []):
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("name", once(LABS, "lab1_filters"))
def test_runs_under_nbval_in_smoke_profile(name, tmp_path):
    text = source(LABS[name]).read_text(encoding="utf-8")
    assert r"PROFILE = \"lab\"" in text
    copy = tmp_path / f"{name}.ipynb"
    copy.write_text(text.replace(r"PROFILE = \"lab\"", r"PROFILE = \"smoke\""), encoding="utf-8")
    command = ["-m", "pytest", "-q", "--nbval-lax", "-p", "no:cacheprovider", "-c", os.devnull, str(copy)]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
