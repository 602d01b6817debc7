"""The book on paper: one document of all pages, and the PDF that a browser makes of it."""

import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from kdsharp.book import printing
from kdsharp.book.serving import serving
from kdsharp.checks import UsageError

SHELL = """<!doctype html><html><head><link rel="stylesheet" href="{up}_static/a.css">
<script>window.MathJax = {{}}</script></head><body>
<nav class="bd-docs-nav"><a class="reference internal" href="#">Front</a>
<p><span class="caption-text">Lessons</span></p><a class="reference internal" href="lessons/01_a.html">01 · A</a></nav>
<article class="bd-article">{body}</article></body></html>"""
FRONT = '<h1 id="front">Front<a class="headerlink" href="#front">#</a></h1><img src="_static/front.webp">'
FRONT += '<figure class="kdsharp-clip"><video src="_static/clip.mp4"></video><figcaption>moves</figcaption></figure>'
LESSON = """<section id="a"><h1>01 · A</h1>
<p id="x"><a href="#x">own</a> <a href="../index.html#front">front</a> <a href="https://example.org/#y">out</a></p>
<img loading="lazy" src="../_static/content/b.webp">
<div data-island="reveal"><div class="kdsharp-still" data-sealed><noscript><p>Measured: 3 dB</p></noscript></div>
<script type="application/json">{}</script></div>
<details><summary>Hint 1</summary><p>hinted</p></details>
<details class="hide above-input"><summary>Solution</summary><pre>solved</pre></details>
<details class="hide above-input"><summary>Code</summary><pre>plumbing</pre></details>
<details class="hide below-input"><summary>Code</summary><div class="cell_output">shown</div></details></section>"""


@pytest.fixture
def pages(tmp_path):
    """The folder of a book of two pages."""
    (tmp_path / "lessons").mkdir()
    (tmp_path / "index.html").write_text(SHELL.format(up="", body=FRONT), encoding="utf-8")
    (tmp_path / "lessons" / "01_a.html").write_text(SHELL.format(up="../", body=LESSON), encoding="utf-8")
    return tmp_path


def test_the_contents_are_those_of_the_book(pages):
    assert printing.contents(pages) == [("", "Front", "index.html"), ("Lessons", "01 · A", "lessons/01_a.html")]


def test_addresses_lead_to_places_in_the_one_document(pages):
    made = BeautifulSoup(printing.document(pages), "html.parser")
    assert [link["href"] for link in made.select(".kdsharp-contents a")] == ["#page-0", "#page-1"]
    assert [link["href"] for link in made.select("#page-1 a")] == [
        "#page-1-x",
        "#page-0-front",
        "https://example.org/#y",
    ]
    assert not made.select("video, figcaption")
    assert made.select_one("#page-1 img")["src"] == "_static/content/b.webp"
    assert made.select_one("link")["href"] == "_static/a.css"
    names = [each["id"] for each in made.select("[id]")]
    assert len(names) == len(set(names))
    inner = {str(link["href"])[1:] for link in made.select("a[href^='#']")}
    assert inner <= set(names)


def test_what_is_folded_or_locked_is_open_and_the_code_of_figures_is_gone(pages):
    made = BeautifulSoup(printing.document(pages), "html.parser")
    assert not made.select("noscript, details:not([open]), .headerlink, img[loading], section script")
    for word in ("Measured: 3 dB", "hinted", "solved", "shown"):
        assert word in made.get_text()
    assert "plumbing" not in made.get_text()


def test_without_a_browser_one_sentence_says_so(pages, monkeypatch):
    monkeypatch.setattr(printing, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(printing, "ELSEWHERE", ())
    with pytest.raises(UsageError, match="^a PDF needs Chromium, Chrome or Edge, and none is installed here$"):
        printing.print_book(pages, pages / "out.pdf")


@pytest.mark.browser
def test_two_pages_are_printed_and_leave_nothing_behind(pages, chromium):
    before = sorted(pages.rglob("*"))
    out = printing.print_book(pages, pages / "out.pdf", progress=False)
    assert out.read_bytes().startswith(b"%PDF")
    assert sorted(pages.rglob("*")) == sorted([*before, out])


@pytest.mark.browser
def test_the_contents_say_on_which_sheet_each_page_begins(pages, chromium):
    (pages / "index.html").write_text(
        SHELL.format(up="", body=FRONT + 60 * "<p>Some words of the front page.</p>"), encoding="utf-8"
    )
    found = PdfReader(printing.print_book(pages, pages / "out.pdf", progress=False))
    texts = [sheet.extract_text() for sheet in found.pages]
    begins = [1 + next(k for k, text in enumerate(texts) if word in text) for word in ("Some words", "hinted")]
    assert begins[0] == 3
    assert begins[1] > 4  # the front page took more than one
    assert re.findall(r"(?:Front|01 · A) (\d+)", texts[1]) == [str(number) for number in begins]
    places = [found.get_destination_page_number(found.named_destinations[f"/page-{k}"]) + 1 for k in range(2)]
    assert places == begins  # the links still lead there


@pytest.fixture(scope="module")
def paper(smoke_build, chromium, tmp_path_factory):
    """The whole book as a PDF."""
    html = smoke_build / "book" / "_build" / "html"
    return printing.print_book(html, tmp_path_factory.mktemp("paper") / "kdsharp.pdf", progress=False)


@pytest.mark.browser
@pytest.mark.long
def test_the_whole_book_is_printed_on_a4_with_headings_and_formulas(paper):
    sheets = PdfReader(paper).pages
    assert 200 < len(sheets) < 900
    assert [round(float(side)) for side in sheets[0].mediabox] == [0, 0, 595, 842]  # A4 in points
    texts = [sheet.extract_text() for sheet in sheets]
    text = "\n".join(texts)
    assert "01 · Sharpening in space" in text
    assert re.search(r"edge map\s+= s − blur\(s\)", text)  # MathJax's letters
    assert r"\text{" not in text
    assert "Measured:" in text
    assert "The sliders move in JupyterLab" in text
    for place, sheet in enumerate(texts[1:20], 2):
        assert str(place) in sheet.splitlines()  # its number stands at the foot


WIDER = """() => [...document.querySelectorAll("main :is(img, svg, pre, table, figure, p, mjx-container, dt)")]
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((each) => each.outerHTML.slice(0, 200))"""


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_nothing_is_wider_than_the_sheet(page, smoke_build):
    html = smoke_build / "book" / "_build" / "html"
    (html / "on_paper_test.html").write_text(printing.document(html), encoding="utf-8")
    page.set_viewport_size({"width": 665, "height": 1000})  # 176 mm
    page.emulate_media(media="print")
    page.set_default_timeout(600_000)  # it is the whole book
    with serving(html) as address:
        page.goto(f"{address}/on_paper_test.html")
        page.wait_for_function("() => MathJax.startup.promise.then(() => true)")
        assert page.evaluate(WIDER) == []
    (html / "on_paper_test.html").unlink()
