"""Pages for everybody: what axe-core finds in a browser, and the Notebooks For All checklist on the files."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from shared import once, settled

from kdsharp import course

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
LESSONS = [f"lessons/{name}" for name in course.lessons()]
PAGES = ["index", "sharpen", "instructors", "files", "glossary", "bibliography", "search", *LESSONS]
PAGES += ["doctor", "ethics", "ledger", "package", "package/filters"]
SCREENS = [(390, "dark"), (1440, "light"), (390, "light"), (1440, "dark")]
ZOOMED = 1280 // 2
"""Pixels that are left of a screen at 200 % zoom."""


@pytest.mark.parametrize("name", once([*PAGES, "404"], "index"))
def test_axe_finds_nothing_serious(page, book, name):
    """On a phone and on a desk, light and dark: one page, which changes as its reader changes her mind."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(f"{book}/{name}.html")
    for width, scheme in SCREENS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for island in page.locator("[data-island]").all():
            island.scroll_into_view_if_needed()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if name != "404":  # which has no theme of its own and follows the browser
            assert page.evaluate("document.documentElement.dataset.theme") == scheme
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert not serious, f"{width} {scheme}\n" + "\n".join(
            f"{each['id']} ({each['help']}): {len(each['nodes'])} times, such as {each['nodes'][0]['html'][:200]}"
            for each in serious
        )
    page.set_viewport_size({"width": ZOOMED, "height": 450})
    assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED


@pytest.fixture(scope="module")
def article(smoke_build):
    """The text of a page, as HTML parsed."""

    def of(name):
        path = smoke_build / "book" / "_build" / "html" / f"{name}.html"
        return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")

    return of


@pytest.mark.parametrize(
    "name", once([page for page in PAGES if page != "search"], "index", "lessons/01_spatial_sharpening")
)
def test_a_page_has_what_a_reader_without_eyes_or_a_mouse_goes_by(article, name):
    whole = article(name)
    assert whole.html["lang"] == "en"
    assert whole.title.get_text().strip()
    main = whole.select_one("article")
    levels = [int(each.name[1]) for each in main.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(levels, levels[1:], strict=False)), levels
    vague = {"here", "link", "click here", "this", "read more", "more"}
    assert not [link for link in main.find_all("a") if link.get_text().strip().lower() in vague]
    assert not [image for image in main.find_all("img") if not image.get("alt", "").strip()]
    assert not [table for table in main.find_all("table") if not table.find("th")]
    assert not list(main.find_all(["marquee", "blink"]))


def test_search_finds_what_only_an_output_says(page, book):
    page.goto(f"{book}/search.html?q=onlythere")
    page.locator(".search-summary, #search-results").first.wait_for()
    page.goto(f"{book}/lessons/01_spatial_sharpening.html")
    said = page.locator(".output.text_html p, .output.text_html b").first.inner_text()
    word = max(re.findall(r"[A-Za-z]{7,}", said), key=len)
    page.goto(f"{book}/search.html?q={word}")
    page.locator("#search-results a[href*='01_spatial_sharpening']").first.wait_for(timeout=30_000)
