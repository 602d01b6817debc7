"""The reference: every function of the package with its lesson, every lesson with its functions."""

import importlib
import inspect
import re
import zlib

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from kdsharp import course, filters, inference
from kdsharp.book import pages, reference

FOUND = re.compile(r"^(kdsharp\.\S+) py:(?:function|class|exception) ")


def public():
    """The functions and classes of the rooms that the reference shows, by the names it shows them under."""
    for room in reference.rooms():
        whole = importlib.import_module(f"kdsharp.{room}")
        for module in (whole, *reference._modules(whole)):
            for name, thing in vars(module).items():
                is_own = getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
                if is_own and reference.shown_as(thing):
                    yield reference.shown_as(thing)


def test_lessons_in_a_docstring_are_links_and_floors_are_gone():
    assert reference.with_links("A filter (floor 2; lesson 01).") == (
        "A filter (:doc:`lesson 01 </lessons/01_spatial_sharpening>`)."
    )
    several = reference.with_links("See lessons 01, 02 and 05. Lesson 99 is none (floor 3).")
    assert ":doc:`lessons 01 </lessons/01_spatial_sharpening>`, :doc:`02 </lessons/02_frequency" in several
    assert several.endswith("and :doc:`05 </lessons/05_known_blur>`. Lesson 99 is none.")


def test_who_names_no_lesson_gets_that_of_its_module():
    lines = ["A blur."]
    reference.explain(None, "function", "kdsharp.filters.spatial.blur", filters.spatial.blur, None, lines)
    assert lines[-2:] == [":doc:`Lesson 01 </lessons/01_spatial_sharpening>`.", ""]
    lines = ["In MB (lesson 14)."]
    reference.explain(None, "function", "peak_megabytes", inference.peak_megabytes, None, lines)
    assert lines == ["In MB (:doc:`lesson 14 </lessons/14_deployment>`)."]


def test_a_constants_sentence_with_a_colon_is_not_taken_for_a_type():
    lines = ["a polynomial cannot undo them.", "", ":type: Wider blurs than this"]  # as napoleon leaves it
    reference.explain(None, "data", "kdsharp.filters.deconvolution.SIGMA_MAX", 3.0, None, lines)
    assert lines == ["Wider blurs than this: a polynomial cannot undo them."]


def test_what_a_lesson_calls_is_read_from_its_code():
    cells = [
        "%matplotlib inline",
        "from kdsharp import course, filters, metrics\nfrom kdsharp.filters.spatial import blur as soften, SOBEL",
        "course.predict('?', unit='dB')\nmetrics.psnr(filters.unsharp_mask(x), soften(x))\nx.photos()",
    ]
    found = reference.called(new_notebook(cells=[new_code_cell(each) for each in cells]))
    assert found == ["kdsharp.filters.spatial.blur", "kdsharp.filters.unsharp_mask", "kdsharp.metrics.psnr"]


def test_the_source_of_a_page_is_its_module():
    for room in reference.rooms():
        assert (pages.PACKAGE.parent / pages.source_of(f"package/{room}")).is_file()


@pytest.mark.browser
def test_the_book_shows_every_function_that_is_public(smoke_build):
    html = smoke_build / "book" / "_build" / "html"
    packed = (html / "objects.inv").read_bytes().split(b"\n", 4)[4]
    shown = {found[1] for line in zlib.decompress(packed).decode().splitlines() if (found := FOUND.match(line))}
    missing = set(public()) - shown
    assert not missing
    assert len(shown) > 300


@pytest.mark.browser
def test_each_lesson_ends_with_links_that_lead_somewhere(smoke_build):
    html = smoke_build / "book" / "_build" / "html"
    for name, path in course.lessons().items():
        text = (html / "lessons" / f"{name}.html").read_text(encoding="utf-8")
        end = text.rpartition("What this lesson calls")[2].partition("</p>")[0]
        asked = reference.called(nbformat.read(path, as_version=4))
        links = re.findall(r'href="\.\./(package/\w+\.html)#(kdsharp[^"]+)"', end)
        assert [anchor for _, anchor in links] == asked, name
        for page in {page for page, _ in links}:
            there = (html / page).read_text(encoding="utf-8")
            assert all(f'id="{anchor}"' in there for each, anchor in links if each == page)


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_search_finds_a_function_by_its_name(page, book):
    page.goto(f"{book}/search.html?q=richardson_lucy")
    page.locator("#search-results a[href*='package/filters']").first.wait_for()


def test_each_name_that_is_offered_is_explained():
    for room in reference.rooms():
        whole = importlib.import_module(f"kdsharp.{room}")
        for name in getattr(whole, "__all__", ()):
            thing = getattr(whole, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                assert thing.__doc__, f"{room}.{name}"
