"""Sentences of a lesson as HTML, for islands (floor 7)."""

from functools import cache
from typing import Any


@cache
def _reader() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def paragraphs(markdown: str) -> str:
    """Markdown, tables among it, as HTML; HTML inside is shown as text, and formulas are not set."""
    return _reader().render(markdown).strip()


def sentence(markdown: str) -> str:
    """One line of Markdown as HTML without a paragraph around it."""
    return _reader().renderInline(markdown.strip())
