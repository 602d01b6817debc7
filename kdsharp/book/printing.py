"""The book on paper: its built pages as one document, which an installed Chromium or Chrome prints as a PDF.

Where a page acts, the paper has the still: the frame that tells. A prediction is a question, and the answer follows.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from posixpath import dirname, normpath

from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader
from tqdm.auto import tqdm

from kdsharp.book.serving import serving
from kdsharp.checks import UsageError, atomic_path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
ELSEWHERE = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("C:/Program Files/Google/Chrome/Application/chrome.exe"),
    Path("C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe"),
)
"""Where systems have one that put nothing on the path."""
PATIENCE = 1800
"""Seconds that a browser may take for several hundred pages."""
FORMULAS_AND_PICTURES = 600_000
"""Milliseconds of the page's own clock, which stands still while something loads."""
SHEET = Path(__file__).with_name("print.css")


def find_browser() -> str:
    """The program that prints.

    Raises:
        UsageError: where there is none.
    """
    found = [path for path in map(shutil.which, BROWSERS) if path] + [str(path) for path in ELSEWHERE if path.is_file()]
    if not found:
        raise UsageError("a PDF needs Chromium, Chrome or Edge, and none is installed here")
    return found[0]


def print_book(html: Path, out: Path, progress: bool = True) -> Path:
    """Print a built book as one PDF, A4: title, contents with links and page numbers, all pages in that order.

    It is printed twice: where a page begins is known when it has been printed, and its number has its room already.

    Args:
        html: folder of the built pages.
        out: the PDF's path; what was there is replaced when the new one is whole.
        progress: show a bar, a step for each page and one for each of the browser's two turns.

    Raises:
        UsageError: where no browser is installed, or the browser gave no PDF.
    """
    browser = find_browser()
    paper = html / "on_paper.html"
    with tqdm(total=len(contents(html)) + 2, desc="the book on paper", disable=not progress) as bar:
        text = document(html, bar)
        try:
            with serving(html) as address, atomic_path(out) as unfinished:
                for turn in range(2):
                    paper.write_text(numbered(text, sheets(unfinished)) if turn else text, encoding="utf-8")
                    _print(browser, f"{address}/{paper.name}", unfinished)
                    bar.update()
        finally:
            paper.unlink(missing_ok=True)
    return out


def _print(browser: str, address: str, out: Path) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # an open browser would take the call
        command = [browser, "--headless", "--disable-gpu", f"--user-data-dir={profile}", "--no-pdf-header-footer"]
        command += ["--generate-pdf-document-outline", f"--virtual-time-budget={FORMULAS_AND_PICTURES}"]
        if getattr(os, "geteuid", lambda: 1)() == 0:  # as in most containers
            command.append("--no-sandbox")
        try:
            done = subprocess.run(
                [*command, f"--print-to-pdf={out.resolve()}", address], capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            raise UsageError(f"{browser} did not print the book within {PATIENCE // 60} minutes") from None
    if done.returncode or not out.is_file() or not out.stat().st_size:
        raise UsageError(f"{browser} printed nothing:\n{done.stderr.strip()[-1000:]}")


def sheets(pdf: Path) -> dict[str, int]:
    """On which sheet of a printed book each chapter begins: its place in the document to a number from 1."""
    found = PdfReader(pdf)
    return {
        name.removeprefix("/"): 1 + (found.get_destination_page_number(each) or 0)
        for name, each in found.named_destinations.items()
        if re.fullmatch(r"/page-\d+", name)
    }


def numbered(text: str, known: Mapping[str, int]) -> str:
    """The document of :func:`document` with the numbers of :func:`sheets` in its contents."""
    return re.sub(r"<!--(page-\d+)-->", lambda place: str(known[place[1]]), text)


def contents(html: Path) -> list[tuple[str, str, str]]:
    """Part, title and address of each page, in the order of the book's own contents; the front page comes first."""
    front = BeautifulSoup((html / "index.html").read_text(encoding="utf-8"), "html.parser")
    found, part = [], ""
    for each in front.select("nav.bd-docs-nav .caption-text, nav.bd-docs-nav a.reference.internal"):
        if each.name == "a":
            address = str(each["href"]).partition("#")[0] or "index.html"
            found.append((part, each.get_text(strip=True), address))
        else:
            part = each.get_text(strip=True)
    return found


def document(html: Path, bar: "tqdm[None] | None" = None) -> str:
    """All pages of a built book as one HTML document, to be printed from the folder of the pages."""
    pages = contents(html)
    numbers = {address: number for number, (_, _, address) in enumerate(pages)}
    front = BeautifulSoup((html / "index.html").read_text(encoding="utf-8"), "html.parser")
    sheets = "".join(str(each) for each in front.select("link[rel=stylesheet]"))
    scripts = "".join(str(each) for each in front.select("script") if "mathjax" in str(each).lower())
    chapters = []
    for number, (_, _, address) in enumerate(pages):
        soup = BeautifulSoup((html / address).read_text(encoding="utf-8"), "html.parser")
        article = soup.select_one("article.bd-article")
        if article is None:
            raise UsageError(f"{html / address} is no page of a book; build the book again")
        lay_flat(article)
        _join(article, address, numbers)
        chapters.append(f'<section class="kdsharp-chapter" id="page-{number}">{article.decode_contents()}</section>')
        if bar is not None:
            bar.update()
    style = f"<style>{SHEET.read_text(encoding='utf-8')}</style>"
    return (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>kdsharp</title>'
        f'{sheets}{style}{scripts}</head><body><main class="bd-article bd-content">'
        f"{_title(front)}{_listed(pages)}{''.join(chapters)}</main></body></html>"
    )


def _title(front: BeautifulSoup) -> str:
    """The first sheet: what the book is called, its picture, its version."""
    heading, picture = front.select_one("article h1"), front.select_one("article img[src*=front]")
    title = heading.find(string=True, recursive=False) if heading else "kdsharp"
    return (
        f'<section class="kdsharp-title"><p class="kdsharp-name">kdsharp</p><p class="kdsharp-of">{title}</p>'
        f"{picture or ''}<p>Version {metadata.version('kdsharp')}. The kdsharp authors, MIT licence. Numbers are "
        "those that were measured when the pages were made; on the published pages the sliders move.</p></section>"
    )


def _listed(pages: list[tuple[str, str, str]]) -> str:
    lines, before = ["<h1>Contents</h1>"], ""
    for number, (part, title, _) in enumerate(pages):
        if part != before:
            lines.append(f"<h2>{part}</h2>")
        lines.append(f'<p><a href="#page-{number}">{title}</a><span><!--page-{number}--></span></p>')
        before = part
    return f'<section class="kdsharp-contents">{"".join(lines)}</section>'


def lay_flat(article: Tag) -> None:
    """Open what paper cannot: stills, hints and solutions; clips and the code of figures, checks and imports stay on
    screen.
    """
    for each in article.select("script, .headerlink, button, noscript style, .kdsharp-clip"):
        each.decompose()
    for each in article.select("noscript"):
        each.unwrap()
    for fold in article.select("details"):
        name = fold.summary.get_text(" ", strip=True) if fold.summary else ""
        if "hide" in fold.get_attribute_list("class") and "Solution" not in name and not fold.select(".cell_output"):
            fold.decompose()
        else:
            fold["open"] = ""
    for image in article.select("img"):
        image.attrs.pop("loading", None)


def _join(article: Tag, address: str, numbers: dict[str, int]) -> None:
    """Let addresses be those of the one document: pages become places in it, files are named from its folder."""
    own = numbers[address]
    for each in article.select("[id]"):
        if each.find_parent("svg") is None:
            each["id"] = f"page-{own}-{each['id']}"
    for name, each in [("href", each) for each in article.select("[href]")] + [
        ("src", each) for each in article.select("[src]")
    ]:
        target, mark, anchor = str(each[name]).partition("#")
        if ":" in target:  # of another host, or inside
            continue
        whole = normpath(f"{dirname(address)}/{target}".lstrip("/")) if target else address
        if whole in numbers:
            each[name] = f"#page-{numbers[whole]}" + (f"-{anchor}" if anchor else "")
        else:
            each[name] = whole + mark + anchor
