"""The lessons: committed form, anatomy, execution, parameters, and the student edition."""

import ast
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from shared import once
from kdsharp.course.guide import EXPLORERS
from kdsharp import course

LESSONS = course.lessons()
ALLOWED_WITH_OUTPUT = "nbval-check-output"


def cells(path, tag=None):
    """The cells of a notebook, or those with a tag."""
    found = nbformat.read(path, as_version=4).cells
    return [cell for cell in found if tag is None or tag in cell.metadata.get("tags", [])]


def smoke_copy(source, target):
    """A copy whose parameters ask for the smoke profile."""
    text = source.read_text(encoding="utf-8")
    assert 'PROFILE = \\"lab\\"' in text
    target.write_text(text.replace('PROFILE = \\"lab\\"', 'PROFILE = \\"smoke\\"'), encoding="utf-8")
    return target


@pytest.mark.parametrize("path", LESSONS.values(), ids=LESSONS)
def test_committed_without_outputs_but_for_the_checked_cells(path):
    for cell in cells(path):
        if cell.cell_type == "code" and ALLOWED_WITH_OUTPUT not in cell.metadata.get("tags", []):
            assert cell.outputs == [], cell.source[:80]
            assert cell.execution_count is None
    assert len(cells(path, ALLOWED_WITH_OUTPUT)) >= 2


@pytest.mark.parametrize("path", LESSONS.values(), ids=LESSONS)
def test_anatomy(path):
    everything = "\n".join(cell.source for cell in cells(path))
    assert cells(path)[0].source.startswith(f"# {path.stem[:2]} · ")
    cover = next(cell for cell in cells(path) if cell.cell_type == "code")
    assert isinstance(ast.parse(cover.source).body[-1], ast.Expr)  # else Jupyter shows nothing of it
    assert len(cells(path, "parameters")) == 1
    assert everything.index("You will be able to") < everything.index("PROFILE = ")
    assert 3 <= everything.count("course.predict(") <= 5
    assert "course.ledger(" in everything
    assert any(kind in everything for kind in EXPLORERS)
    assert 3 <= len(cells(path, "stub")) <= 5
    assert len(cells(path, "stub")) == len(cells(path, "solution")) == len(cells(path, "check"))
    assert everything.count("<summary>Hint 1</summary>") == everything.count("<summary>Hint 2</summary>")
    assert everything.count("<summary>Hint 1</summary>") == len(cells(path, "stub"))
    assert "ind the bug" in everything
    assert "course.quiz(" in everything
    assert len(re.findall(r"course\.record\(\s*headline=f", everything)) == 1
    assert "course.finish(PROFILE, SEED)" in cells(path)[-1].source


def test_the_map_of_lesson_00_has_every_lesson_with_its_title_and_question():
    table = "\n".join(cell.source for cell in cells(LESSONS["00_start_here"]) if cell.cell_type == "markdown")
    for name, path in LESSONS.items():
        title, question = re.match(r"# \d\d · (.+)\n\n\*(.+)\*", cells(path)[0].source).groups()
        link = title if name == "00_start_here" else f"[{title}]({name}.ipynb)"
        assert f"| {name[:2]} | {link} | {question} |" in table


@pytest.mark.parametrize("name", once(LESSONS, "00_start_here", "09_distillation"))
def test_runs_under_nbval_in_smoke_profile(name, tmp_path):
    path = LESSONS[name]
    copy = smoke_copy(path, tmp_path / path.name)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "-p", "no:cacheprovider", "-c", os.devnull, str(copy)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout


def test_papermill_takes_other_parameters(tmp_path):
    out = tmp_path / "out.ipynb"
    command = ["-m", "papermill", str(LESSONS["09_distillation"]), str(out), "-p", "PROFILE", "smoke"]
    command += ["-p", "ALPHA", "0.3", "-p", "TEMPERATURE", "2", "--no-progress-bar"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    text = out.read_text(encoding="utf-8")
    assert "ALPHA = 0.3" in text
    assert "TEMPERATURE = 2" in text
    assert r'[\"0\", \"0.25\", \"0.3\", \"0.5\", \"0.75\", \"1\"], \"start\": 2' in text  # the student of section 7 begins there


def test_run_reports_results_and_no_lesson_warns(smoke_build):
    table = json.loads((smoke_build / "smoke" / "results.json").read_text())
    assert [lesson["lesson"] for lesson in table["lessons"]] == list(LESSONS)
    for lesson in table["lessons"]:
        assert lesson["ok"]
        assert lesson["results"], lesson["lesson"]
        assert lesson["seconds"] > 0
    assert table["versions"]["torch"]
    for name in LESSONS:
        for cell in cells(smoke_build / "smoke" / f"{name}.ipynb"):
            for output in cell.get("outputs", []):
                assert output.get("name") != "stderr", output.text


def test_the_alpha_of_a_run_reaches_its_results(kdsharp, tmp_path):
    done = kdsharp("run", "9", "--profile", "smoke", "-p", "ALPHA", "1", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())["lessons"][0]["results"]
    assert results["output_gain"] == 0  # a teacher of no weight: the student alone


def test_a_failing_lesson_is_reported_with_its_cell(kdsharp, tmp_path):
    done = kdsharp("run", "9", "--profile", "smoke", "-p", "ALPHA", "0.5", "-p", "SEED", "none", "--out", tmp_path / "out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED in cell" in done.stdout
    assert not json.loads((tmp_path / "out" / "results.json").read_text())["lessons"][0]["ok"]


@pytest.mark.parametrize(("name", "value"), [("ALPHA", "2"), ("ALPHA", "-0.1"), ("TEMPERATURE", "0"), ("ALPHA", "half")])
def test_impossible_alpha_and_temperature(kdsharp, name, value):
    done = kdsharp("run", "9", "--profile", "smoke", "-p", name, value)
    assert done.returncode == 2
    assert name in done.stderr
    assert "Traceback" not in done.stderr
