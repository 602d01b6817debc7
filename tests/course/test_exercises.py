"""Exercises, folds and words as the page of a lesson shows them, without running a lesson."""

import nbformat
import pytest
from IPython.testing.globalipapp import start_ipython
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kdsharp.checks import UsageError
from kdsharp.course import RESULT, exercises, lessons, terms
from kdsharp.course.published import for_page
from kdsharp.places import place

CHECK = 'from kdsharp import course\ncourse.expect(answer > 1, "one is <not> enough.")\ncourse.passed("more than one.")'


def code(source, *tags, outputs=()):
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {}, outputs=list(outputs))


def exercise():
    return new_notebook(cells=[code("answer = 1", "stub"), code("answer = 2", "solution"), code(CHECK, "check")])


def test_a_start_is_labelled_once_and_its_check_stands_below_it():
    notebook = exercise()
    exercises.with_starts(notebook)
    stub, said, solution, check = notebook.cells
    assert stub.source == f"{exercises.START}\nanswer = 1"
    assert said.source.endswith(f"try_start({CHECK!r})")
    assert (solution.source, check.source) == ("answer = 2", CHECK)
    exercises.mark_start(stub)
    assert stub.source.count(exercises.START) == 1
    nbformat.validate(notebook)


def test_what_the_check_says_to_the_start_is_shown_and_nothing_of_it_stays(monkeypatch):
    shown = []
    shell = start_ipython() or __import__("IPython").get_ipython()
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    monkeypatch.setitem(shell.user_ns, "answer", 1)
    exercises.try_start(CHECK + "\nleft = 3")
    assert shown[0]["text/plain"] == "The check says to this start: Not yet: one is <not> enough."
    assert "<b>The check says to this start:</b> Not yet: one is &lt;not&gt; enough." in shown[0]["text/html"]
    assert "left" not in shell.user_ns
    shell.user_ns["answer"] = 2
    with pytest.raises(UsageError, match="must be wrong for a reason"):
        exercises.try_start(CHECK)


def test_a_page_has_named_folds_and_nothing_of_the_plumbing():
    recorded = new_output("display_data", {RESULT: {"a": 1}, "text/plain": "recorded: a = 1"})
    right = new_output("stream", name="stdout", text="Right: more than one.\n")
    cells = [
        code('PROFILE = "lab"', "parameters"),
        code('# Parameters\nPROFILE = "smoke"', "injected-parameters"),
        code("import numpy as np\nfrom kdsharp import course"),
        code("import numpy as np\nnp.zeros(3)"),
        code("answer = 2", "solution", "hide-input"),
        code(CHECK, "check", "hide-input", outputs=[right]),
        code("plots.show()", "hide-input"),
        code("%matplotlib inline"),
        code("course.record(a=1)", outputs=[recorded]),
    ]
    notebook = new_notebook(cells=cells)
    for_page(notebook, [])
    names = [cell.metadata.get("mystnb", {}).get("code_prompt_show") for cell in notebook.cells]
    assert names == ["Parameters", "Imports", None, "Solution", "Check", "Code", None, "Code"]
    assert all("hide-input" in cell.metadata.tags for cell, name in zip(notebook.cells, names, strict=True) if name)
    assert not any("injected" in str(cell.metadata) for cell in notebook.cells)
    assert notebook.cells[-1].outputs == []
    assert notebook.cells[4].outputs[0].data["text/plain"] == "The check says to the solution: Right: more than one."


def test_what_is_to_be_answered_before_a_cell_runs_is_folded_on_a_page_that_runs_nothing():
    told = new_output("stream", text="42\n")
    cells = [
        new_markdown_cell("## 1. By hand\n\nBefore you run the cell: how many? Write it down before you run it."),
        code("answer = 6 * 7"),
        code("print(answer)", "nbval-check-output", outputs=[told]),
        code("print(answer)", outputs=[told]),
    ]
    notebook = new_notebook(cells=cells)
    for_page(notebook, [])
    assert ["hide-output" in cell.metadata.get("tags", []) for cell in notebook.cells] == [False, False, True, False]
    assert notebook.cells[2].metadata["mystnb"]["code_prompt_show"] == "Show the result"


def test_goals_and_setup_fold_so_that_the_first_section_begins_on_the_first_screen():
    picture = new_output("display_data", {"text/plain": "a picture"})
    goals = "Why.\n\n**You will be able to**\n\n- *see*.\n\n**Before you start.** Lesson 00.\n\n**Minutes.** 45."
    cells = [
        new_markdown_cell("# A lesson"),
        code("cover()", "hide-input", outputs=[picture]),
        new_markdown_cell(goals),
        code("SEED = 0", "parameters"),
        code("import numpy as np"),
        code("budget = 1", "hide-input"),
        code("idea = 1"),
        new_markdown_cell("## 1. The idea\n\n**You will be able to** read this."),
        code("later = 2", "hide-input"),
    ]
    notebook = new_notebook(cells=cells)
    for_page(notebook, [])
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == [
        "cover()", "cover()\n\nSEED = 0\n\nimport numpy as np\n\nbudget = 1", "idea = 1", "later = 2",
    ]  # fmt: skip
    assert notebook.cells[1].metadata.tags == ["remove-input"]  # its code stands with the set-up
    assert notebook.cells[3].metadata["mystnb"]["code_prompt_show"].startswith("Set-up")
    assert notebook.cells[1].outputs == [picture]
    assert notebook.cells[2].source.startswith('Why.\n\n<details class="kdsharp-goals"><summary>What you will')
    assert "(45 minutes)</summary>" in notebook.cells[2].source
    assert "<details" not in notebook.cells[5].source


def test_the_first_use_of_a_term_is_a_link_and_code_formulas_and_headings_are_left_alone():
    known = ["PSF", "halo", "inverse filter", "scale", "SSIM", "MS-SSIM"]
    text = "# A halo\n\n`PSF` and $PSF$ [PSF](x.md): two PSFs, a PSF, an Inverse filter. Halos at a scale; MS-SSIM."
    seen = set()
    linked = terms.link_terms(text, known, seen)
    assert linked == (
        "# A halo\n\n`PSF` and $PSF$ [PSF](x.md): two {term}`PSFs <PSF>`, a PSF, an "
        "{term}`Inverse filter <inverse filter>`. {term}`Halos <halo>` at a scale; {term}`MS-SSIM`."
    )
    assert terms.link_terms("a PSF and SSIM", known, seen) == "a PSF and {term}`SSIM`"
    assert terms.link_terms("{term}`the scale <scale>` and a {term}`psnr`", known, seen).count("{term}") == 2
    assert terms.without_roles("{term}`the scale <scale>` of {term}`PSNR`") == "the scale of PSNR"


def test_the_glossary_is_read_and_every_everyday_word_is_in_it():
    known = terms.glossary((place("book") / "glossary.md").read_text(encoding="utf-8"))
    assert len(known) > 60
    assert set(known) >= terms.EVERYDAY
    seen = set()
    for path in lessons().values():
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                linked = terms.link_terms(cell.source, known, seen)
                assert terms.without_roles(linked) == terms.without_roles(cell.source)
    assert len(seen) > 40
