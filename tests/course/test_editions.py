"""Copies of the course: written once, brought up to date cell by cell, and never written over."""

import json
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from kdsharp.checks import UsageError
from kdsharp.course import editions, lessons, tags
from kdsharp.course.editions import Changes, delivered, digest, merge

FOLDED = {"hide-input", "remove-input", "hide-cell"}
"""What the book folds by its tag; JupyterLab knows another word."""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two small lessons; the test may change it as its authors would."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    exercise = [("stub", "answer = 1"), ("solution", "answer = 2"), ("check", "assert answer == 2")]
    for number, name in enumerate(("00_first", "01_second")):
        made = [new_markdown_cell(f"# 0{number} · A title", id="title")]
        made += [new_code_cell(source, id=tag, metadata={"tags": [tag]}) for tag, source in exercise]
        nbformat.write(new_notebook(cells=made), folder / f"{name}.ipynb")
    monkeypatch.setattr(editions, "lessons", lambda: {path.stem: path for path in sorted(folder.glob("*.ipynb"))})
    return folder


def change(path, edit):
    notebook = nbformat.read(path, as_version=4)
    edit(notebook.cells)
    nbformat.write(notebook, path)


def sources(path):
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


def test_a_student_gets_stubs_and_checks_and_an_instructor_everything(course, tmp_path):
    editions.start(tmp_path / "mine")
    editions.start(tmp_path / "all", "instructor")
    assert list(sources(tmp_path / "mine" / "00_first.ipynb")) == ["title", "stub", "check"]
    assert list(sources(tmp_path / "all" / "01_second.ipynb")) == ["title", "stub", "solution", "check"]


def test_a_copy_is_never_written_over(course, tmp_path):
    editions.start(tmp_path / "mine")
    change(tmp_path / "mine" / "00_first.ipynb", lambda cells: cells[1].update(source="answer = 3"))
    (tmp_path / "mine" / editions.MANIFEST).unlink()
    with pytest.raises(UsageError, match="holds a copy of the course already"):
        editions.start(tmp_path / "mine")
    assert sources(tmp_path / "mine" / "00_first.ipynb")["stub"] == "answer = 3"


def test_an_update_brings_what_changed_into_cells_that_were_left_alone(course, tmp_path):
    mine = tmp_path / "mine"
    editions.start(mine)
    change(mine / "00_first.ipynb", lambda cells: cells[1].update(source="answer = 3"))
    change(mine / "00_first.ipynb", lambda cells: cells.append(new_code_cell("my own", id="own")))

    def edit(cells):
        cells[0]["source"] = "# 00 · A better title"
        cells[1]["source"] = "answer = 0  # another start"
        cells.insert(1, new_markdown_cell("new words", id="new"))

    change(course / "00_first.ipynb", edit)
    assert editions.is_behind(mine)
    found = editions.update(mine)
    assert found == [Changes("00_first", changed=1, added=1, kept=["answer = 0  # another start"])]
    now = sources(mine / "00_first.ipynb")
    assert list(now) == ["title", "new", "stub", "check", "own"]
    assert (now["title"], now["stub"], now["own"]) == ("# 00 · A better title", "answer = 3", "my own")
    assert not editions.is_behind(mine)
    assert editions.update(mine) == []


def test_what_was_deleted_stays_deleted_and_what_the_course_drops_goes_unless_it_was_edited(course, tmp_path):
    mine = tmp_path / "mine"
    editions.start(mine)
    change(mine / "00_first.ipynb", lambda cells: cells.pop(0))
    change(mine / "01_second.ipynb", lambda cells: cells[2].update(source="mine"))
    for name in ("00_first", "01_second"):
        change(course / f"{name}.ipynb", lambda cells: cells.pop())
    assert editions.update(mine) == [Changes("00_first", removed=1)]
    assert list(sources(mine / "00_first.ipynb")) == ["stub"]
    assert sources(mine / "01_second.ipynb")["check"] == "mine"


def test_a_new_lesson_comes_and_a_deleted_one_does_not_come_back(course, tmp_path):
    mine = tmp_path / "mine"
    editions.start(mine)
    (mine / "00_first.ipynb").unlink()
    shutil.copy(course / "01_second.ipynb", course / "02_third.ipynb")
    assert editions.update(mine) == [Changes("02_third", added=3)]
    assert sorted(path.stem for path in mine.glob("*.ipynb")) == ["01_second", "02_third"]


def test_a_lesson_that_cannot_be_read_or_stands_in_the_way_is_named_and_the_others_are_done(course, tmp_path):
    mine = tmp_path / "mine"
    editions.start(mine)
    (mine / "00_first.ipynb").write_text("{")
    (mine / "02_third.ipynb").write_text("mine")
    shutil.copy(course / "01_second.ipynb", course / "02_third.ipynb")
    change(course / "01_second.ipynb", lambda cells: cells[0].update(source="# new"))
    first, second, third = editions.update(mine)
    assert "00_first.ipynb cannot be read" in first.trouble
    assert (second.lesson, second.changed) == ("01_second", 1)
    assert "stands in the way" in third.trouble
    assert (mine / "00_first.ipynb").read_text() == "{"
    assert (mine / "02_third.ipynb").read_text() == "mine"


def test_outputs_of_a_cell_stay_while_its_source_does(course, tmp_path):
    mine = tmp_path / "mine"
    editions.start(mine)
    result = nbformat.v4.new_output("stream", text="seen")
    for index in (1, 2):
        change(mine / "00_first.ipynb", lambda cells, index=index: cells[index].update(outputs=[result]))
    change(course / "00_first.ipynb", lambda cells: cells[3].update(source="assert answer == 2, 'why'"))
    editions.update(mine)
    stub, check = nbformat.read(mine / "00_first.ipynb", as_version=4).cells[1:]
    assert (len(stub.outputs), len(check.outputs)) == (1, 0)


def test_cells_that_were_moved_stay_where_they_are():
    cells = [new_code_cell(name, id=name) for name in "abc"]
    before = delivered(new_notebook(cells=cells))
    fresh = [*cells[:2], new_code_cell("x", id="x"), cells[2]]
    merged = merge([cells[2], cells[0], cells[1]], before, fresh, Changes("lesson"))
    assert [cell.id for cell in merged] == ["c", "a", "b", "x"]
    assert digest(cells[0]) != digest(new_markdown_cell("a"))


@pytest.mark.parametrize("content", [None, "{", '{"edition": "pirate", "lessons": {}}', '{"edition": "student"}', "[]"])
def test_a_folder_without_a_copy_is_refused(course, tmp_path, content):
    if content is not None:
        (tmp_path / editions.MANIFEST).write_text(content)
    with pytest.raises(UsageError, match="course start"):
        editions.update(tmp_path)


def test_the_commands(kdsharp, tmp_path):
    done = kdsharp("course", "start")
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (tmp_path / "my-course").glob("*.ipynb")} == set(lessons())
    assert "holds a copy" in kdsharp("course", "start").stderr
    assert "my-course is as the course is" in kdsharp("course", "update").stdout
    manifest = tmp_path / "my-course" / editions.MANIFEST
    facts = json.loads(manifest.read_text())
    del facts["lessons"]["09_distillation"]
    manifest.write_text(json.dumps(facts))
    done = kdsharp("course", "update")
    assert done.returncode == 2
    assert "09_distillation.ipynb stands in the way" in done.stdout


def test_an_unknown_edition_is_refused(kdsharp, tmp_path):
    done = kdsharp("course", "start", "x", "--edition", "teacher")
    assert done.returncode == 2
    assert "student, instructor" in done.stderr


def jupyter(monkeypatch):
    """What ``kdsharp lab`` would open."""
    from kdsharp.cli import course as command

    opened = []
    monkeypatch.setattr(command.subprocess, "call", lambda arguments: opened.append(arguments[-1]) or 0)
    return command.lab, opened


def test_lab_makes_a_copy_once_and_opens_it(tmp_path, monkeypatch, capsys):
    import typer

    lab, opened = jupyter(monkeypatch)
    for _ in range(2):
        with pytest.raises(typer.Exit):
            lab("9", "student", tmp_path / "mine")
        change(tmp_path / "mine" / "09_distillation.ipynb", lambda cells: cells.append(new_code_cell("mine")))
    assert opened == [str(tmp_path / "mine" / "09_distillation.ipynb")] * 2
    assert nbformat.read(opened[0], as_version=4).cells[-2].source == "mine"
    with pytest.raises(typer.Exit):
        lab("9", "instructor", tmp_path / "mine")
    assert opened[-1] == str(lessons()["09_distillation"])


@pytest.mark.parametrize("path", lessons().values(), ids=lessons())
def test_what_the_book_folds_is_folded_in_jupyterlab_too(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            assert folded == bool(FOLDED & set(tags(cell))), cell.source[:60]
