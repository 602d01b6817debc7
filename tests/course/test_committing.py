"""Predictions of a graded lab: what is written opens the answer, and nothing else does."""

import pytest

from kdsharp.checks import UsageError
from kdsharp.course import commit, kept
from kdsharp.course.committing import committed

CHOICES = ["brighter", "as bright", "darker"]


@pytest.fixture
def seen(monkeypatch):
    """What is displayed, as text."""
    found = []
    monkeypatch.setattr("IPython.display.display", lambda shown, **_: found.append(shown["text/plain"]))
    return found


@pytest.mark.parametrize("written", [("b", 0.8), ["b", 0.8], ("c", 1), ("a", 0)])
def test_a_letter_and_a_share_are_a_prediction(written):
    assert committed(written, "abc") == (written[0], float(written[1]))


@pytest.mark.parametrize(
    "written", [None, "b", ("b",), ("d", 0.5), ("b", 80), ("b", True), ("b", "0.8"), (1, 0.5), ("", 0.5), {"b": 0.8}]
)
def test_anything_else_is_none(written):
    assert committed(written, ("a", "b", "c")) is None


def test_the_answer_stays_closed_until_something_is_written(seen):
    open_yet = commit(None, "How bright?", CHOICES)
    open_yet.reveal("**a table**", "brighter", text="Light adds up.")
    assert "write a letter (a, b, c)" in seen[0]
    assert "locked" in seen[1]
    assert not any("brighter" in each or "table" in each or "Light" in each for each in seen)


@pytest.mark.parametrize(("measured", "verdict"), [("brighter", "not this time"), ("darker", "right")])
def test_hers_stands_beside_the_measured_one(seen, measured, verdict):
    commit(("c", 0.6), "How bright?", CHOICES).reveal("a table", measured, text="Light adds up.")
    assert seen[:2] == ["Locked: c, darker, 60% sure.", "a table"]
    letter = "abc"[CHOICES.index(measured)]
    assert seen[2] == f"You: c, darker (60% sure). Measured: {letter}, {measured}: {verdict}.\n\nLight adds up."


def test_it_counts_in_her_ledger(seen, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "lab1_filters.ipynb")
    monkeypatch.delenv("KDSHARP_LESSON", raising=False)
    monkeypatch.delenv("KDSHARP_EXPLORER", raising=False)
    commit(("c", 0.6), "How bright?", CHOICES).reveal("", "brighter")
    (entry,) = kept.read()["lab1_filters"].values()
    assert (entry["answer"], entry["sure"], entry["measured"], entry["right"]) == ("darker", 60, "brighter", False)


def test_misuse_is_named(seen):
    with pytest.raises(UsageError, match="at least two choices"):
        commit(None, "How bright?", ["brighter"])
    with pytest.raises(UsageError, match="measured answer"):
        commit(("a", 0.5), "How bright?", CHOICES).reveal("", "bright")
