"""Files of strangers, read outside the sandbox: notebooks, outputs, answers, frames."""

import base64
import contextlib
import io
import json
import pickle
import struct

import nbformat
import numpy as np
import pytest
from PIL import Image

from kdsharp.checks import UsageError
from kdsharp.labs import marking, outputs, packing, rebuild
from kdsharp.labs.rebuild import Unreadable
from kdsharp.labs.spec import Exercise, Failure, Lab, Manual, Secret, Task, Verdict, prediction, tally


def release():
    cells = [
        nbformat.v4.new_code_cell("import given", metadata={"nbgrader": {"grade_id": "setup", "locked": True}}, id="a"),
        nbformat.v4.new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "write", "solution": True}}, id="b"),
        nbformat.v4.new_code_cell("check(x)", metadata={"nbgrader": {"grade_id": "test", "grade": True}}, id="c"),
        nbformat.v4.new_markdown_cell(
            "*Your answer here.*", metadata={"nbgrader": {"grade_id": "why", "grade": True, "solution": True}}, id="d"
        ),
    ]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kdsharp"] = {"lab": "lab0", "version": rebuild.version(made)}
    return made


def handed(change=lambda cells: cells, **metadata):
    found = json.loads(nbformat.writes(release()))
    found["cells"] = change(found["cells"])
    found["metadata"]["kdsharp"] |= metadata
    return rebuild.rebuild(rebuild.read(json.dumps(found).encode()), release())


def sources(notebook):
    return [cell.source for cell in notebook.cells]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "no valid JSON"),
        (b"\xff\xfe\x00", "no text"),
        (b"[" * 100_000, "too deep|no valid JSON"),
        (b"[]", "no notebook of format 4"),
        (b'{"worksheets": []}', "no notebook of format 4"),
        (b" " * (rebuild.MOST_BYTES + 1), "hand it in without outputs"),
        (json.dumps({"cells": [{}] * 2000}).encode(), "2000 cells"),
        (pickle.dumps([1]), "no text|no valid JSON"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason(content, said):
    with pytest.raises(Unreadable, match=said):
        rebuild.read(content)


def test_an_untouched_notebook_comes_back_as_it_was():
    notebook, notes = handed()
    assert sources(notebook) == sources(release())
    assert notes == []


def test_removed_marked_cells_are_put_back_in_their_place():
    notebook, notes = handed(lambda cells: [cells[1], cells[3]])
    assert sources(notebook) == sources(release())
    assert len(notes) == 2
    assert "the cell test was missing" in notes[1]


def test_of_a_doubled_cell_the_first_counts_and_the_second_is_ordinary_code():
    notebook, notes = handed(lambda cells: [*cells, cells[1] | {"source": "x = 2"}, cells[2]])
    assert [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells][4:] == [None, None]
    assert "a second cell write: the first one counts" in notes


def test_edited_checks_and_points_are_ours_again():
    def edit(cells):
        cells[2]["source"] = "pass"
        cells[2]["metadata"]["nbgrader"] |= {"points": 10_000, "grade_id": "test", "locked": False}
        return cells

    notebook, notes = handed(edit)
    assert notebook.cells[2] == release().cells[2]
    assert notes == ["the given cell test was edited: the original is used"]


def test_another_version_of_the_lab_is_named_and_marked_all_the_same():
    notebook, notes = handed(version="00000000")
    assert "another version of the lab (00000000" in notes[0]
    assert len(notebook.cells) == 4


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[click](javascript:alert(1))",
        "$\\href{javascript:alert(1)}{x}$",
        "```\n</code></pre><script>alert(1)</script>\n```",
        "![x](https://example.org/track.png)",
    ],
)
def test_nothing_that_an_author_writes_is_markup_any_more(text):
    from nbconvert.filters import markdown2html

    notebook, _ = handed(
        lambda cells: [*cells[:3], cells[3] | {"source": text}, {"cell_type": "markdown", "source": text}]
    )
    for cell in notebook.cells[3:]:
        page = markdown2html(cell.source)
        assert not any(each in page for each in ("<script", "<img", "<a ", "$\\href</"))
        assert page.startswith(('<div class="highlight"', "<pre"))


def test_an_author_s_metadata_attachments_and_outputs_go_no_further():
    def edit(cells):
        cells[1] |= {"attachments": {"x": {}}, "outputs": [{"output_type": "display_data", "data": {"text/html": "x"}}]}
        cells[1]["metadata"]["tags"] = ['"><script>']
        return [*cells, {"cell_type": "code", "source": ["y = ", "2"], "metadata": {"tags": ["<b>"]}, "id": "<i>"}]

    notebook, _ = handed(edit)
    assert "<" not in json.dumps(notebook)
    assert notebook.cells[-1].source == "y = 2"
    nbformat.validate(notebook)


def test_outputs_are_text_and_pictures_of_ours():
    picture = io.BytesIO()
    Image.new("RGB", (4, 3)).save(picture, "PNG")
    data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/html": "<script>"}
    cleaned = outputs.clean(
        [
            {"output_type": "stream", "name": "stderr", "text": ["a\x1b[31mb", "\x00c"]},
            {"output_type": "display_data", "data": data},
            {"output_type": "display_data", "data": {"text/html": "<script>", "application/javascript": "x"}},
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": []},
            "nonsense",
            {"output_type": "display_data", "data": {"image/png": '"><script>'}},
        ]
    )
    assert [each.output_type for each in cleaned] == ["stream", "display_data", "stream", "stream", "stream"]
    assert cleaned[0].text == "abc"
    assert cleaned[0].name == "stdout", "nbgrader takes stderr for a failed test"
    assert set(cleaned[1].data) == {"image/png", "text/plain"}
    assert "<" not in json.dumps(cleaned)
    assert len(outputs.clean([{"output_type": "stream", "text": "x" * 10**6}])[0].text) < 5000


def test_a_picture_of_20000_pixels_a_side_is_named_and_not_drawn():
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 20_000, 20_000, 8, 2, 0, 0, 0) + b"\0\0\0\0"
    shown = outputs.clean([{"output_type": "display_data", "data": {"image/png": base64.b64encode(header).decode()}}])
    assert shown[0].text.startswith("[a picture that is not shown: it ")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        [1, [2, {"a": None}]],
        {"x": np.arange(6.0).reshape(2, 3)},
        np.zeros((0, 3), np.uint8),
    ],
)
def test_values_come_back_as_they_were_packed(value):
    np.testing.assert_equal(packing.unpack(packing.pack(value)), value)


@pytest.mark.parametrize("value", [object(), np.array(["a"]), np.array([None]), print, 1j])
def test_what_is_no_plain_value_is_no_answer(value):
    with pytest.raises(TypeError, match="cannot be an answer"):
        packing.pack(value)


def test_an_answer_that_is_a_pickle_a_bomb_or_nonsense_is_a_failure():
    good = packing.pack({"a": np.ones(3)})
    huge = (1 << 60).to_bytes(8, "little") + good[8:]
    deep = json.dumps({"__metadata__": {"value": "[" * 5000 + "]" * 5000}}).encode()
    nested = json.dumps({"__metadata__": {"value": "[" * 30 + "]" * 30}}).encode()
    wide = json.dumps(
        {
            "__metadata__": {"value": '{"$array": "0"}'},
            "0": {"dtype": "F64", "shape": [10**9], "data_offsets": [0, 8 * 10**9]},
        }
    )
    files = [pickle.dumps(np.ones(3)), b"", good[:30], huge]
    files += [len(each).to_bytes(8, "little") + each for each in (deep, nested, wide.encode(), b"{}")]
    for content in files:
        with pytest.raises(ValueError, match="cannot be read|too deep"):
            packing.unpack(content)


def test_mutated_answers_are_read_or_refused():
    from shared import mutated

    rng, good = np.random.default_rng(0), packing.pack({"a": np.ones((3, 4)), "b": [1, "x"]})
    for _ in range(2000):
        with contextlib.suppress(ValueError):
            packing.unpack(mutated(good, rng))


def test_frames_end_where_they_cannot_be_read():
    def read(said):
        return [frame for frame, _ in marking.frames(said)]

    assert read(b'{"cell": 0}\n{"answer": "x", "length": 3}\nabc{"end": true}\n') == [
        {"cell": 0},
        {"answer": "x", "length": 3},
        {"end": True},
    ]
    for broken in (
        b'{"length": -1}\n',
        b'{"length": 999}\n',
        b'{"length": true}\n',
        b"[]\n",
        b"nonsense\n",
        b'{"length": 1e3}\n',
    ):
        assert read(b'{"cell": 0}\n' + broken + b'{"end": true}\n') == [{"cell": 0}]


def test_a_score_is_inside_its_points_whatever_a_check_gives():
    for given, expected in ((99.0, 3.0), (-5.0, 0.0), (float("nan"), 0.0), (float("inf"), 0.0), (2.5, 2.5)):
        exercise = Exercise("x", 3, lambda secret: Task({}), lambda answers, task, given=given: Verdict(given))
        assert exercise.mark({}, Task({})).points == expected


def test_a_check_that_stumbles_over_an_answer_gives_none():
    exercise = Exercise("x", 3, lambda secret: Task({}), lambda answers, task: answers["a"].mean())
    assert exercise.mark({"a": "text"}, Task({})).misconception == "unreadable answer"


def test_partial_credit_names_the_first_misconception():
    assert tally(3, [(1, True, "a", "A"), (1, False, "b", "B"), (1, True, "c", "C")]) == Verdict(2, "b", "B")


def test_a_prediction_counts_for_having_been_made():
    made = prediction("p", 1, "P", ("a", "b"), right="b")
    for answer, points, belief in (
        (["a", 0.6], 1, False),
        (["b", 1], 1, True),
        (None, 0, None),
        (["c", 0.5], 0, None),
        (["a", 7], 0, None),
        (["a", True], 0, None),
    ):
        verdict = made.mark({"made": answer}, made.ask(Secret(b"k")))
        assert verdict.points == points
        assert (verdict.belief and verdict.belief.right) == belief
    assert made.mark({"made": Failure("NameError")}, Task({})).points == 0


def test_a_lab_whose_points_do_not_sum_is_refused():
    nothing = Exercise("x", 19, lambda secret: Task({}), lambda answers, task: Verdict(0))
    with pytest.raises(UsageError, match="sum to 19"):
        Lab("lab0", "t", (nothing,))
    with pytest.raises(UsageError, match="rubric of y"):
        Lab("lab0", "t", (nothing,), (Manual("y", 1, ((2, "z"),)),))


def test_each_class_has_questions_of_its_own_and_the_same_ones_every_time():
    one, other = Secret(b"one"), Secret(b"other")
    assert one.seed("a", "b") == one.seed("a", "b") != other.seed("a", "b")
    assert one.seed("a", "b") != one.seed("ab")
