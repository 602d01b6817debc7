"""The instructor's table: counted from the notebooks, measured from their executed copies."""

import importlib

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kdsharp.checks import UsageError
from kdsharp.course import RESULT, guide, lessons


def notebook(*cells):
    first = new_markdown_cell("# 09 · Distillation\n\n**Minutes.** 45, of which the computer needs two.")
    return new_notebook(cells=[first, *cells])


def write(path, *cells, **metadata):
    made = notebook(*cells)
    made.metadata.update(metadata)
    nbformat.write(made, path)
    return path


def test_what_a_lesson_holds_is_counted(tmp_path):
    cells = [
        new_code_cell("explore.Explorer(\n    draw,\n)"),
        new_code_cell("opinion.OpinionTest(systems, 0).run(opinion.edge_rater)"),
        new_code_cell("blind = opinion.OpinionTest(systems, 0)"),
        new_code_cell("def f(): ...", metadata={"tags": ["stub"]}),
        new_code_cell('course.quiz([{"question": "A?"}, {\'question\': "The question: B?"}])'),
    ]
    found = guide.overview(write(tmp_path / "a.ipynb", *cells))
    assert found == guide.Overview("Distillation", minutes=45, cells=6, explorers=2, exercises=1, questions=2)


def test_a_lesson_without_minutes_is_refused(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 09 · Distillation")]), path)
    with pytest.raises(UsageError, match=r"does not say its title .* or its minutes"):
        guide.overview(path)


def test_every_lesson_keeps_the_contract():
    for path in lessons().values():
        found = guide.overview(path)
        assert 40 <= found.minutes <= 75, path.name
        assert found.explorers >= 1, path.name
        assert 3 <= found.exercises <= 5, path.name
        assert 3 <= found.questions <= 5, path.name


def test_the_table_shows_seconds_and_the_headline(tmp_path):
    output = new_output("display_data", data={RESULT: {"gain": 0.31, "headline": "0.31 dB by a mask"}})
    cell = new_code_cell("course.record()", outputs=[output])
    name, path = next(iter(lessons().items()))
    write(tmp_path / path.name, cell, papermill={"duration": 12.4})
    rows = guide.lesson_table(tmp_path).splitlines()
    assert len(rows) == 2 + len(lessons())
    assert rows[2].startswith(f"| {name[:2]} | **[Start here](lessons/{name}.ipynb)**<br>0.31 dB by a mask | ")
    assert "| 12 |" in rows[2]
    assert rows[3].startswith("| 01 | **[Sharpening in space](lessons/01_spatial_sharpening.ipynb)** | ")


def test_the_command_prints_it(kdsharp, tmp_path):
    done = kdsharp("course", "table", tmp_path)
    assert done.returncode == 0
    assert done.stdout == guide.lesson_table(tmp_path)


def test_an_editors_copies_are_no_lessons(tmp_path, monkeypatch):
    module = importlib.import_module("kdsharp.course.lessons")

    (tmp_path / ".ipynb_checkpoints").mkdir()
    for name in ("01_a", "01_a-Copy1", "02_b", ".ipynb_checkpoints/01_a-checkpoint", "notes", "1_c"):
        (tmp_path / f"{name}.ipynb").touch()
    monkeypatch.setattr(module, "place", lambda name: tmp_path)
    assert list(module.lessons()) == ["01_a", "02_b"]
