"""Headless runs on machines as they are: kernels that die or do not start, and programs that started us."""

import json
import os

import nbformat
import papermill
import pytest

from kdsharp import checks, runs
from kdsharp.course import lessons


def lesson(tmp_path, *sources, name="lesson"):
    path = tmp_path / f"{name}.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def test_a_kernel_that_dies_is_one_failed_lesson_with_its_cell(tmp_path):
    path = lesson(tmp_path, "1 + 1", "import os; os.kill(os.getpid(), 9)")
    done = runs.run_lesson(path, tmp_path / "out.ipynb", {}, progress=False)
    assert not done.ok
    assert done.error.startswith("cell 2: the kernel died, most likely for want of memory; close other programs")
    assert (tmp_path / "out.ipynb").is_file()


def test_the_others_run_and_the_results_are_whole(tmp_path, monkeypatch):
    paths = {"a": lesson(tmp_path, "import os; os.kill(os.getpid(), 9)"), "b": lesson(tmp_path, "2", name="b")}
    monkeypatch.setattr(runs, "find_lesson", paths.get)
    found = runs.run_lessons(["a", "b"], "smoke", {}, tmp_path / "out", progress=False)
    assert [run.ok for run in found] == [False, True]
    table = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["ok"] for row in table["lessons"]] == [False, True]


def test_a_kernel_that_does_not_start_is_tried_once_more(tmp_path, monkeypatch):
    tries, real = [], papermill.execute_notebook

    def first_fails(*given, **more):
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return real(*given, **more)

    monkeypatch.setattr(papermill, "execute_notebook", first_fails)
    path = lesson(tmp_path, "1")
    assert runs.run_lesson(path, tmp_path / "out.ipynb", {}, progress=False).ok
    assert len(tries) == 2

    def never(*given, **more):
        raise RuntimeError("Kernel didn't respond in 60 seconds")

    monkeypatch.setattr(papermill, "execute_notebook", never)
    assert "the kernel did not start" in runs.run_lesson(path, tmp_path / "out.ipynb", {}, progress=False).error


@pytest.mark.parametrize("name", ["JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"])
def test_a_kernel_started_from_within_jupyter_knows_that_nobody_watches(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    monkeypatch.delenv("KDSHARP_EXPLORER", raising=False)
    path = lesson(tmp_path, "from kdsharp.island import is_live\nassert not is_live()")
    done = runs.run_lesson(path, tmp_path / "out.ipynb", {}, progress=False)
    assert done.ok, done.error
    assert "KDSHARP_EXPLORER" not in os.environ


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("False", False), ("None", None), (".3", 0.3), ("1", 1), ("2.", 2.0), ("1e-3", 0.001)]
    + [("adam", "adam"), ('["a", "b"]', ["a", "b"]), ("true", True), ("nan", "nan"), ("-", "-"), ("3rd", "3rd")],
)
def test_values_mean_what_they_mean_to_papermill(text, value):
    found = checks.value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_mounts_that_know_no_permissions_or_no_rename_are_no_failure(tmp_path, monkeypatch):
    from pathlib import Path

    def refused(*given):
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    with checks.atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("one")
    monkeypatch.setattr(Path, "replace", refused)
    with checks.atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("two")
    assert (tmp_path / "a.txt").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_lesson_knows_its_name_and_whoever_started_it_keeps_theirs(tmp_path, monkeypatch):
    monkeypatch.setenv("KDSHARP_LESSON", "another")
    path = lesson(tmp_path, "from kdsharp.course.kept import lesson_name; print(lesson_name())", name="05_known_blur")
    assert runs.run_lesson(path, tmp_path / "out.ipynb", {}, progress=False).ok
    text = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs[0].text
    assert text == "05_known_blur\n"
    assert os.environ["KDSHARP_LESSON"] == "another"


def test_lessons_run_side_by_side_and_those_with_a_stopwatch_alone(tmp_path, monkeypatch):
    note = "import time; began = time.time(); time.sleep(2)\n"
    note += f"open(r'{tmp_path}/' + NAME, 'w').write(f'{{began}} {{time.time()}}')"
    timed = "def milliseconds(call): call()\nmilliseconds(lambda: 1)\n"
    sources = {"a": note, "b": timed + note, "c": note}
    paths = {name: lesson(tmp_path, f"NAME = {name!r}\n" + text, name=name) for name, text in sources.items()}
    monkeypatch.setattr(runs, "find_lesson", paths.get)
    found = runs.run_lessons(["a", "b", "c"], "smoke", {}, tmp_path / "out", progress=False, together=2)
    assert [run.lesson for run in found] == ["a", "b", "c"]
    assert all(run.ok for run in found), found
    table = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["lesson"] for row in table["lessons"]] == ["a", "b", "c"]
    began, ended = zip(*(map(float, (tmp_path / name).read_text().split()) for name in "abc"), strict=True)
    assert max(began[0], began[2]) < min(ended[0], ended[2])
    assert ended[1] < min(began[0], began[2])


def test_one_lesson_with_a_stopwatch_runs_too(tmp_path, monkeypatch):
    path = lesson(tmp_path, "def milliseconds(call): call()", "milliseconds(lambda: 1)", name="a")
    monkeypatch.setattr(runs, "find_lesson", {"a": path}.get)
    assert runs.run_lessons(["a"], "smoke", {}, tmp_path / "out", progress=False)[0].ok


def test_the_lessons_that_tell_milliseconds_are_those_that_are_timed():
    timed = {name[:2] for name, path in lessons().items() if runs.is_timed(path)}
    assert timed == {"00", "07", "08", "13", "14"}
