"""The published book has all that it needs: no page asks for anything beyond the host that serves it."""

import re
import shutil

import pytest
from shared import once, settled

from kdsharp import course
from kdsharp.book.serving import serving
from kdsharp.island import packages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(not packages.are_here(), reason="npm's packages are not here; fetch them: kdsharp book --fetch"),
]
LESSONS = [f"lessons/{name}" for name in course.lessons()]
PAGES = ["index", "package/filters", "glossary", "instructors", "sharpen", *LESSONS]


@pytest.fixture(scope="module")
def at_a_sub_path(smoke_build, tmp_path_factory):
    """The address of the book in a folder of a host that has other things too."""
    host = tmp_path_factory.mktemp("host")
    shutil.copytree(smoke_build / "book" / "_build" / "html", host / "courses" / "kdsharp")
    with serving(host) as address:
        yield f"{address}/courses/kdsharp"


@pytest.mark.parametrize("name", once(PAGES, "lessons/10_alpha_temperature"))
def test_a_page_asks_for_nothing_beyond_its_host_and_its_formulas_are_rendered(page, at_a_sub_path, name):
    failed, refused, broken = [], [], []
    page.on("pageerror", lambda error: broken.append(str(error)))  # the theme's, too
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"{at_a_sub_path}/{name}.html")
    settled(page)
    for island in page.locator("[data-island]").all():
        island.scroll_into_view_if_needed()
    settled(page)
    assert page.asked == []
    assert failed == []
    assert refused == []
    assert broken == []
    formulas = page.locator(".math")
    assert page.locator("mjx-container").count() >= formulas.count()
    if formulas.count():
        assert formulas.first.bounding_box()["height"] < 200
        assert not re.search(r"\\\(|\\\[", formulas.first.inner_text())


def test_nothing_may_be_sent_elsewhere(page, at_a_sub_path):
    page.goto(f"{at_a_sub_path}/index.html")
    sent = "() => fetch('https://example.org/').then(() => 'sent', (error) => error.message)"
    blocked = []
    page.on("console", lambda said: blocked.append(said.text))
    assert page.evaluate(sent) != "sent"
    assert page.asked == []  # the page's own policy stops it, before the test's does
    assert any("connect-src" in text for text in blocked)
