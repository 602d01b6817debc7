"""Predictions, the ledger in its file, calibration and counts: what needs no browser."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from kdsharp import plots
from kdsharp.checks import UsageError
from kdsharp.cli import course as commands
from kdsharp.course import calibration, counts, kept, lessons
from kdsharp.course.predicting import Folded, Guess, Reveal, _pieces, predict


@pytest.fixture
def live(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "course/05_known_blur.ipynb")
    monkeypatch.delenv("KDSHARP_LESSON", raising=False)
    return tmp_path / kept.FILE


def number(**more):
    return Guess("How much?", None, "dB", more.get("within"), more.get("factor"))


def picture():
    return plots.Picture(plots.figure(100, 100), "a white square", "White.")


def entry(sure=75, right=True, question="How much?"):
    return {"kind": "prediction", "state": "locked", "question": question, "sure": sure, "right": right}


@pytest.mark.parametrize(
    ("guess", "rule"),
    [
        (Guess("How many?", None, "", 0, None), "exactly"),
        (Guess("How much?", None, "", 0.3, None), "within 0.3"),
        (Guess("How much?", None, "dB", 0.5, None), "within 0.5 dB"),
        (Guess("How much?", None, "%", 5, None), "within 5 points"),
        (Guess("How much?", None, "", None, None), "within a factor of 1.5"),
        (Guess("Which?", ["a", "b"], None, None, None), ""),
    ],
)
def test_the_rule_says_what_counts_as_right_and_a_count_has_to_be_exact(guess, rule):
    assert guess.rule() == rule


def test_the_live_answer_is_not_in_the_page_before_it_is_asked_for(live):
    guess = number(within=0.5)
    widget = Reveal(guess, [picture().tag()], 3.25, "It **is**.").widget()
    assert "answer" not in widget.facts
    assert "3.25" not in json.dumps(widget.facts)
    widget._handle_custom_msg({"open": True}, [])
    assert widget.answer["measured"] == 3.25
    assert "a white square" in widget.answer["shown"]
    assert widget.answer["text"] == "<p>It <strong>is</strong>.</p>"


def test_what_is_locked_under_a_kernel_lies_in_a_file_and_is_there_again(live):
    guess = number()
    assert guess.widget().facts["kept"] == {}
    guess.widget()._handle_custom_msg({"keep": [guess.name, entry()]}, [])
    assert kept.read() == {"05_known_blur": {guess.name: entry()}}
    assert guess.widget().facts["kept"] == {guess.name: entry()}
    assert number().name == guess.name  # the same question after a restart
    kept.Ledger(whole=True).widget()._handle_custom_msg({"forget": True}, [])
    assert not live.exists()
    assert kept.read() == {}


def test_a_file_that_is_no_ledger_is_left_alone(live):
    live.write_text("[]")
    with pytest.raises(UsageError, match="is no ledger"):
        kept.write("05", "note", {})
    assert live.read_text() == "[]"


def test_a_checks_words_are_noted_where_the_front_end_names_its_cells(live, monkeypatch):
    monkeypatch.setattr(kept, "_cell_id", lambda: "abc")
    kept.note_exercise(False, "the conjugate is missing.")
    assert kept.read()["05_known_blur"]["exercise:abc"]["state"] == "open"
    kept.note_exercise(True, "division where there is signal.")
    assert kept.read()["05_known_blur"]["exercise:abc"]["state"] == "passed"
    monkeypatch.setenv("KDSHARP_EXPLORER", "page")
    live.unlink()
    kept.note_exercise(True, "nobody is there.")
    assert not live.exists()


def test_a_lesson_is_named_by_who_runs_it(live, monkeypatch):
    assert kept.lesson_name() == "05_known_blur"
    monkeypatch.setenv("KDSHARP_LESSON", "09_distillation")
    assert kept.lesson_name() == "09_distillation"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "choices, or a number"),
        ({"choices": ["a", "b"], "unit": "dB"}, "give one of the two"),
        ({"choices": ["a"]}, "at least two choices"),
        ({"choices": ["a", "a"]}, "each another"),
        ({"choices": "ab"}, "at least two choices"),
        ({"unit": "dB", "within": 1, "factor": 2}, "within a distance or within a factor"),
        ({"unit": "dB", "within": -1}, "must not be negative"),
        ({"unit": "dB", "factor": 0.5}, "at least 1"),
    ],
)
def test_a_prediction_that_nobody_can_make_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        predict("Which?", **arguments)


def test_a_measured_answer_must_be_one_that_could_be_given():
    with pytest.raises(UsageError, match="measured answer"):
        Reveal(Guess("Which?", ["a", "b"], None, None, None), [], "c", "")
    with pytest.raises(UsageError, match="finite"):
        Reveal(number(), [], float("nan"), "")
    with pytest.raises(UsageError, match="alt text"):
        number().reveal(plots.figure(100, 100), 3)
    with pytest.raises(UsageError, match="found int"):
        number().reveal([3], 3)


def test_the_still_holds_question_and_answer_and_markdown_cannot_be_html():
    guess = Guess("Is `a` < <i>b</i>?", ["**yes**", "no"], None, None, None)
    assert "<code>a</code> &lt; &lt;i&gt;b" in guess.still()
    assert "<li><strong>yes</strong></li>" in guess.still()
    still = Reveal(guess, [picture().tag()], "no", "| a |\n|---|\n| 1 |").still()
    assert "<figcaption" in still
    assert "<b>Measured:</b> no" in still
    assert "<table>" in still


def test_a_class_is_calibrated_and_a_bad_file_is_named(tmp_path, capsys):
    rows = [entry(95, right) for right in (True, False, False, False)] + [entry(50, True, "Which?")] * 2
    rows += [{"kind": "prediction", "state": "open"}, {"kind": "note"}, entry() | {"right": None}]
    (tmp_path / "a.json").write_text(json.dumps({"lessons": {"05": dict(enumerate(rows))}}))
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(commands.typer.Exit):
        commands.calibration([tmp_path / "a.json", tmp_path / "bad.json", tmp_path / "none"], tmp_path / "c.png")
    said = capsys.readouterr().out
    assert "is no ledger" in said
    assert "is no file" in said
    assert (tmp_path / "c.png").stat().st_size > 5000
    found, _ = calibration.load([tmp_path / "a.json"])
    assert calibration.by_certainty(found) == {50: calibration.Share(2, 2), 95: calibration.Share(4, 1)}
    assert list(calibration.by_question(found)) == ["How much?", "Which?"]
    low, high = calibration.Share(4, 4).interval()
    assert 0.4 < low < high <= 1
    with pytest.raises(UsageError, match="hold no prediction"):
        commands.calibration([tmp_path / "bad.json"], tmp_path / "d.png")


def test_what_a_lesson_holds_is_counted(tmp_path):
    hidden = {"tags": ["hide-input"]}
    shows = "value = 1\nplots.show(\n    figure,\n    'a',\n)\nguess.reveal(1)"
    cells = [
        new_markdown_cell("# 05 · A title\n\n**Minutes.** 45\n\n> **Think first.** `code` and $x$ {cite}`b`"),
        new_code_cell("import numpy"),
        new_code_cell(shows),
        new_code_cell("\n".join("x = 1" for _ in range(11))),
        new_code_cell("course.predict('a', unit='')", metadata=hidden),
        new_code_cell(
            "course.quiz([{'question': 'a', 'order': []}, {'question': 'b', 'answers': []}])", metadata=hidden
        ),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "05_a.ipynb")
    found = counts.count(tmp_path / "05_a.ipynb")
    assert (found.words, found.locks, found.boxes, found.questions, found.kinds) == (6, 1, 1, 2, 2)
    assert found.code == ((6, 5), (11, 0))
    assert found.cells()[-5:] == ["2", "17", "1", "1", "29%"]
    assert len(found.cells()) + 1 == len(counts.HEADINGS)


def test_every_lesson_can_be_counted():
    for path in lessons().values():
        assert counts.count(path).words > 500


def test_a_long_table_behind_a_lock_folds():
    guess = Guess("Which?", ["a", "b"], None, None, None)
    shown = Reveal(
        guess, _pieces(["**All** of it:", Folded("All 26 rows", "| n |\n|---|\n| 7 |")], "", ""), "a", ""
    ).still()
    assert "<details><summary>All 26 rows</summary>" in shown
    assert "<td>7</td>" in shown.split("</summary>")[1].split("</details>")[0]
    assert "&lt;details" not in shown
