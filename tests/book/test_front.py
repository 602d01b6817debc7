"""What the first page shows: the map of the lessons, the wipe, how to cite, and a card for other sites."""

import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

from kdsharp import course
from kdsharp.book import front, pages
from kdsharp.checks import UsageError
from kdsharp.explore.wipe import Wipe

ROOT = Path(__file__).parents[2]


def lesson(tmp_path, number, before):
    text = f"# {number} · Title {number}\n\n**Before you start.** {before}\n\n**Minutes.** 4{number[1]}."
    path = tmp_path / f"{number}_title.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), path)
    return path


@pytest.fixture
def four(tmp_path):
    texts = {
        "00": "Python.",
        "01": "Lesson 00.",
        "02": "lesson 00 and [lesson 01](x)",
        "03": "Lessons: lesson 01, lesson 02",
    }
    return {f"{number}_title": lesson(tmp_path, number, text) for number, text in texts.items()}


def test_what_a_lesson_needs_is_what_it_says(four):
    assert [front.needs(path) for path in four.values()] == [[], [], ["01"], ["01", "02"]]


def both_maps(lessons):
    """The one for a wide page and the one for a phone."""
    return front.lesson_map(lessons).split('<div class="kdsharp-map kdsharp-map-narrow">')


def test_the_map_links_every_lesson_below_what_it_needs_and_names_no_need_twice(four):
    wide, narrow = both_maps(four)
    tops = [int(y) for y in re.findall(r'<rect x="\d+" y="(\d+)"', wide)]
    assert tops == sorted(set(tops))
    assert wide.count("<path") == 3  # 03 needs 01 too, which 02 needs already
    assert re.findall(r"min(.*?)</span>", narrow) == ["", ", after 00", ", after 01", ", after 02"]
    for drawn in (wide, narrow):
        assert re.findall(r'href="([^"]+)"', drawn) == [f"lessons/{name}.html" for name in four]
        assert "43 min" in drawn


def test_the_map_of_the_course_has_every_lesson_and_its_minutes():
    wide, narrow = both_maps(course.lessons())
    assert len(re.findall(r"\d+ min<", wide)) == len(re.findall(r"\d+ min", narrow)) == len(course.lessons())
    assert "15 Reading five reports</b><span>75 min, after 12 and 13<" in narrow


def test_the_page_says_how_to_cite_as_the_citation_file_does():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    text = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert found["title"] in text
    assert f"version {found['version']}, {found['date-released'].year}" in text


def test_a_wipe_has_both_pictures_where_no_script_runs():
    left, right = (np.full((20, 30, 3), value, np.uint8) for value in (10, 200))
    wipe = Wipe(("a <dark> one", left), ("a light one", right))
    assert wipe.still().count("<img") == 2
    assert 'alt="a &lt;dark&gt; one"' in wipe.still()
    with pytest.raises(UsageError, match="one size"):
        Wipe(("a", left), ("b", right[:10]))


def test_a_card_is_the_first_picture_left_and_the_second_right():
    left, right = (np.full((300, 450, 3), value, np.uint8) for value in (10, 200))
    made = np.asarray(Image.open(io.BytesIO(front.card(left, right))))
    assert made.shape == (front.CARD[1], front.CARD[0], 3)
    assert made[:, :500].mean() < 20
    assert made[:, 700:].mean() > 190
    assert 'property="og:title" content="A &amp; b"' in pages.card("", "A & b")
    assert "og:image" not in pages.card("", "title")
    assert 'content="https://a.org/b/_static/card.jpg"' in pages.card("https://a.org/b", "title")
