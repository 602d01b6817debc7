"""What the book makes of every lesson: named folds, no plumbing, words that explain themselves, the ledger's page."""

import nbformat
import pytest
from playwright.sync_api import expect
from shared import once

from kdsharp import course

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.mark.parametrize("lesson", once(course.lessons(), "05_known_blur"))
def test_folds_have_names_and_no_plumbing_is_on_the_page(page, book, lesson):
    page.goto(f"{book}/lessons/{lesson}.html", wait_until="domcontentloaded")
    text = page.locator(".bd-article").inner_text()
    assert "Show code cell source" not in text
    assert "recorded: " not in text
    assert "# Parameters" not in page.locator(".bd-article").text_content()
    cells = nbformat.read(course.lessons()[lesson], as_version=4).cells
    stubs = sum("stub" in course.tags(cell) for cell in cells)
    for words in ("The check says to this start: Not yet:", "The check says to the solution: Right:"):
        assert text.count(words) == stubs, words
    assert "\nRight: " not in text
    for name in ("Solution", "Check"):
        assert page.locator("summary", has_text=name).count() == stubs


def test_a_word_of_the_glossary_explains_itself_on_focus_and_escape_closes_it(page, book):
    page.goto(f"{book}/lessons/05_known_blur.html", wait_until="domcontentloaded")
    link = page.locator("a.reference[href*='glossary.html#term-PSF']").first
    link.focus()
    note = page.locator("#kdsharp-term")
    expect(note).to_contain_text("one point of light")
    assert link.get_attribute("aria-describedby") == "kdsharp-term"
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)
    link.hover()
    expect(note).to_have_count(1)
    page.mouse.move(2, 2)
    expect(note).to_have_count(0)


def test_the_ledger_has_a_page_and_the_guide_leads_to_every_lesson(page, book):
    page.goto(f"{book}/ledger.html", wait_until="domcontentloaded")
    expect(page.locator("[data-part=shown]")).to_contain_text("Nothing here yet")
    page.goto(f"{book}/instructors.html", wait_until="domcontentloaded")
    for name in course.lessons():
        assert page.locator(f".bd-article a[href='lessons/{name}.html']").count() >= 1, name


def test_from_disk_what_is_sealed_is_open(page, smoke_build):
    file = smoke_build / "book" / "_build" / "html" / "lessons" / "05_known_blur.html"
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    quiz = page.locator("[data-island=quiz]")
    expect(quiz).to_contain_text("That leaves blur, not grain.")


@pytest.mark.parametrize("width", [390, 1440])
def test_numbers_keep_their_columns_and_the_page_does_not_scroll_sideways(page, book, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{book}/lessons/05_known_blur.html", wait_until="domcontentloaded")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    output = page.locator("div.cell_output pre", has_text="contrast left")
    assert output.evaluate("each => getComputedStyle(each).whiteSpace") == "pre"
    assert output.evaluate("each => getComputedStyle(each).overflowX") == "auto"


def test_on_a_phone_what_is_cut_says_that_it_slides(page, book):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{book}/lessons/04_measuring.html", wait_until="domcontentloaded")
    formula = page.locator("div.math", has=page.locator("mjx-container")).nth(1)
    page.locator("div.math > mjx-container.kdsharp-wide").first.wait_for()
    hint = "each => getComputedStyle(each, '::before').content"
    assert "slide sideways" in formula.evaluate(hint)  # SSIM has three factors
    assert "slide sideways" not in page.locator("div.math").first.evaluate(hint)  # PSNR fits
    assert page.locator("span.math mjx-container.kdsharp-wide").count() == 0
    page.goto(f"{book}/lessons/12_optimizers.html", wait_until="domcontentloaded")
    cut = page.locator("table.kdsharp-wide").first
    cut.wait_for()
    assert "slide sideways" in cut.evaluate(hint)


def test_on_a_phone_the_first_column_of_a_wide_table_stays_where_it_is(page, book):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{book}/lessons/15_five_reports.html", wait_until="domcontentloaded")
    table = page.locator("table.kdsharp-wide:has(tr > :nth-child(5))").first
    table.wait_for()
    first, last = (table.locator(f"tbody tr:first-child > :{which}-child") for which in ("first", "last"))
    before, away = first.bounding_box()["x"], last.bounding_box()["x"]
    table.evaluate("each => { each.scrollLeft = 120 }")
    assert first.bounding_box()["x"] == before
    assert last.bounding_box()["x"] < away - 50


def test_the_map_of_the_lessons_fits_the_screen(page, book):
    for width, shown, hidden in ((390, "narrow", "wide"), (1440, "wide", "narrow")):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"{book}/index.html", wait_until="domcontentloaded")
        assert not page.locator(f".kdsharp-map-{hidden}").is_visible()
        drawn = page.locator(f".kdsharp-map-{shown}")
        assert drawn.is_visible()
        if shown == "narrow":
            assert drawn.evaluate("each => each.scrollWidth <= each.clientWidth")
            assert min(row.bounding_box()["height"] for row in drawn.locator("a").all()) >= 44  # a finger's width
