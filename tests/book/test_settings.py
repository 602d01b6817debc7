"""What the book is told when it is built: the repository's address, where scripts come from, solutions or none."""

import shutil
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

from kdsharp import book, course, runs
from kdsharp.book import pages, settings
from kdsharp.checks import UsageError
from kdsharp.course.published import for_page
from kdsharp.island import packages

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
ADDRESS = "https://github.com/someone/theirs"


def settled(tmp_path, monkeypatch, here=True, url=""):
    monkeypatch.setattr(packages, "are_here", lambda: here)
    config = tmp_path / "_config.yml"
    shutil.copy(ROOT / "book" / "_config.yml", config)
    text = config.read_text(encoding="utf-8").replace('url: ""', f'url: "{url}"')
    config.write_text(text, encoding="utf-8")
    settings.settle(config)
    return yaml.safe_load(config.read_text(encoding="utf-8"))


def test_the_address_stands_in_one_place_and_in_no_lesson():
    for path in [*course.lessons().values(), *(ROOT / "book").glob("*.md"), ROOT / "environment.yml"]:
        text = path.read_text(encoding="utf-8")
        for host in ("mybinder.org", "colab.research.google.com", "kdsharp/kdsharp"):
            assert host not in text, path


def test_without_an_address_no_page_has_a_link_to_a_repository(tmp_path, monkeypatch):
    found = settled(tmp_path, monkeypatch)
    assert "repository" not in found
    assert pages.links(found["sphinx"]["config"]["kdsharp_repository"], "main", "lessons/09_distillation") == []


def test_with_an_address_each_page_links_its_own_source(tmp_path, monkeypatch):
    config = settled(tmp_path, monkeypatch, url=ADDRESS + "/")["sphinx"]["config"]
    assert config["kdsharp_repository"] == ADDRESS
    (group,) = pages.links(ADDRESS, "main", "lessons/09_distillation")
    addresses = {each["text"]: each["url"] for each in group["buttons"]}
    assert addresses["Source"] == f"{ADDRESS}/blob/main/notebooks/09_distillation.ipynb"
    assert addresses["Run on Binder"].endswith("/gh/someone/theirs/main?labpath=notebooks%2F09_distillation.ipynb")
    assert addresses["Run on Colab"].endswith("/github/someone/theirs/blob/main/notebooks/09_distillation.ipynb")
    (group,) = pages.links(ADDRESS, "main", "glossary")
    assert [each["url"] for each in group["buttons"]] == [
        f"{ADDRESS}/blob/main/book/glossary.md",
        f"{ADDRESS}/edit/main/book/glossary.md",
    ]
    for page in ("index", "lessons/00_start_here"):
        assert (ROOT / pages.source_of(page)).is_file()


@pytest.mark.parametrize("url", ["github.com/a/b", "https://github.com/a", "https://github.com/a/b/tree/main"])
def test_an_address_that_would_make_broken_links_is_refused(tmp_path, monkeypatch, url):
    with pytest.raises(UsageError, match="https://HOST/OWNER/NAME"):
        settled(tmp_path, monkeypatch, url=url)


def test_formulas_come_from_the_book_or_with_a_checksum_from_the_cdn(tmp_path, monkeypatch):
    here = settled(tmp_path, monkeypatch)["sphinx"]["config"]
    assert here["mathjax_path"] == "../packages/mathjax/es5/tex-mml-chtml.js"
    assert "http" not in pages.policy(is_whole=True)
    assert "connect-src 'self';" in pages.policy(is_whole=True)
    away = settled(tmp_path, monkeypatch, here=False)["sphinx"]["config"]
    assert away["mathjax_path"].startswith(packages.HOST)
    assert away["mathjax_options"]["integrity"] == packages.INTEGRITY[packages.FORMULAS]
    assert f"connect-src 'self' {packages.HOST};" in pages.policy(is_whole=False)


def test_a_book_without_solutions_holds_none(tmp_path):
    path = course.find_lesson("1")
    notebook = nbformat.read(path, as_version=4)
    solutions = [cell.source for cell in notebook.cells if "solution" in course.tags(cell)]
    assert solutions
    settings.leave_solutions_out(notebook)
    text = nbformat.writes(notebook)
    for each in solutions:
        assert nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each)])) not in text
        assert each not in [cell.source for cell in notebook.cells]
    assert [cell for cell in notebook.cells if "stub" in course.tags(cell)]


def test_a_page_begins_with_a_folded_cell_that_installs_only_where_there_is_an_address():
    path = course.find_lesson("1")
    notebook = nbformat.read(path, as_version=4)
    settings.begin_with_install(notebook, "", "main")
    assert notebook == nbformat.read(path, as_version=4)
    settings.begin_with_install(notebook, ADDRESS, "main")
    for_page(notebook, [])
    title, first = notebook.cells[:2]
    assert title.source.startswith("# 01")
    assert first.source.endswith(f'@ git+{ADDRESS}@main"')
    assert first.metadata["mystnb"]["code_prompt_show"] == "Install"
    wanted = Requirement(first.source.split('"')[1])
    assert wanted.extras <= set(EXTRAS)


@pytest.fixture
def executed(tmp_path):
    """A lesson of one cell, and its executed form."""
    source = tmp_path / "lesson.ipynb"
    cell = nbformat.v4.new_code_cell("PROFILE = 'lab'", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_code_cell("1 + 1")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, source)
    out = tmp_path / "out" / "lesson.ipynb"
    out.parent.mkdir()
    assert runs.run_lesson(source, out, {"PROFILE": "smoke"}, progress=False).ok
    return source, out


def test_a_lesson_is_stale_by_what_it_was_made_from_and_not_by_the_time_of_files(executed, tmp_path, monkeypatch):
    source, out = executed
    source.touch()
    assert not book._is_stale(out, source, "smoke")
    assert book._is_stale(out, source, "lab")
    assert book._is_stale(tmp_path / "none.ipynb", source, "smoke")
    package = tmp_path / "package"
    package.mkdir()
    with monkeypatch.context() as changed:
        changed.setattr(runs, "PACKAGE", package)  # another package: no file of ours
        assert book._is_stale(out, source, "smoke")
    with monkeypatch.context() as changed:
        changed.setattr(runs, "place", lambda name: package)  # other data
        assert book._is_stale(out, source, "smoke")
    assert not book._is_stale(out, source, "smoke")
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[1].source = "1 + 2"
    nbformat.write(notebook, source)
    assert book._is_stale(out, source, "smoke")


def test_a_lesson_that_failed_is_stale(tmp_path, executed):
    source, out = executed
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[1].source = "1 / 0"
    nbformat.write(notebook, source)
    assert not runs.run_lesson(source, out, {"PROFILE": "smoke"}, progress=False).ok
    assert book._is_stale(out, source, "smoke")
