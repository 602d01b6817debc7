"""What every page of the book gets from Sphinx: a security policy, links to the repository, a card for sharing."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx

from kdsharp.book.reference import explain
from kdsharp.island import packages
from kdsharp.places import PACKAGE

POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
"""A page loads what lies in the book, and sends nothing anywhere. Scripts of the theme stand inline."""
OPEN_TO_CDN = ("script-src", "style-src", "font-src", "connect-src")


MISSING = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>No such page: kdsharp</title>'
    "<style>:root {{ color-scheme: light dark; background: Canvas; color: CanvasText }} "
    "body {{ font: 18px/1.5 system-ui; margin: 3em auto; max-width: 36em; padding: 0 1em }}</style></head>\n"
    "<body><main><h1>There is no such page</h1><p>The book has moved it, or never had it: "
    '<a href="{home}">to the front page</a>.</p></main></body></html>\n'
)


def policy(is_whole: bool) -> str:
    """The content-security policy of a page; unless the book ``is_whole``, the CDN is let in."""
    opened = {} if is_whole else {name: f"{POLICY[name]} {packages.HOST}" for name in OPEN_TO_CDN}
    return "; ".join(f"{name} {value}" for name, value in (POLICY | opened).items())


def source_of(page: str) -> str:
    """The file that a page is made from: of lessons in ``notebooks/``, of the package its module, else in ``book/``."""
    folder, _, name = page.rpartition("/")
    if folder == "package":
        return f"kdsharp/{name}/__init__.py" if (PACKAGE / name).is_dir() else f"kdsharp/{name}.py"
    return f"notebooks/{name}.ipynb" if folder == "lessons" else f"book/{page}.md"


def links(repository: str, branch: str, page: str) -> list[dict[str, Any]]:
    """The theme's buttons for a page: where to run it, its source, how to change it; none without an address."""
    if not repository:
        return []
    host, owner, name = repository.removeprefix("https://").split("/")
    source = source_of(page)
    found = [
        ("Source", f"{repository}/blob/{branch}/{source}", "fas fa-code"),
        ("Suggest an edit", f"{repository}/edit/{branch}/{source}", "fas fa-pencil-alt"),
    ]
    if source.endswith(".ipynb") and host == "github.com":  # what Binder and Colab take by owner and name
        binder = f"https://mybinder.org/v2/gh/{owner}/{name}/{branch}?labpath={quote(source, safe='')}"
        colab = f"https://colab.research.google.com/github/{owner}/{name}/blob/{branch}/{source}"
        found = [("Run on Binder", binder, "fas fa-play"), ("Run on Colab", colab, "fas fa-play"), *found]
    buttons = [
        {"type": "link", "text": text, "url": url, "icon": icon, "tooltip": text, "label": _label(text)}
        for text, url, icon in found
    ]
    return [
        {
            "type": "group",
            "tooltip": "Run it, or see and change its source",
            "icon": "fas fa-rocket",
            "buttons": buttons,
            "label": "repository-buttons",
        }
    ]


def _label(text: str) -> str:
    return text.lower().replace(" ", "-") + "-button"


def card(base: str, title: str) -> str:
    """What other sites show of a page: a title and, where the book's own address is known, the picture."""
    properties = {"og:title": title, "og:type": "article", "og:site_name": "kdsharp"}
    if base:
        properties |= {"og:image": f"{base}/_static/card.jpg", "og:image:alt": "a photo, blurred and sharpened"}
    return "".join(f'<meta property="{name}" content="{html.escape(text)}">' for name, text in properties.items())


def complete(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Sphinx's ``html-page-context``: runs after the theme's own, which makes the list of buttons."""
    security = f'<meta http-equiv="Content-Security-Policy" content="{policy(packages.are_here())}">'
    title = html.unescape(re.sub("<[^>]+>", "", context.get("title", "kdsharp")))
    context["metatags"] = security + card(app.config.html_baseurl.rstrip("/"), title) + context.get("metatags", "")
    for kind in ("script_files", "css_files"):  # no page runs its cells on a server, and declared twice it is an error
        context[kind] = [each for each in context[kind] if not _of_thebe(each)]
    if doctree is not None:
        buttons = links(app.config.kdsharp_repository, app.config.kdsharp_branch, pagename)
        context["header_buttons"] = buttons + context.get("header_buttons", [])


def _of_thebe(asset: Any) -> bool:
    """Whether a script or style sheet belongs to the theme's way to a kernel on a server."""
    return "thebe" in f"{asset.filename} {asset.attributes}".lower()


def finish(app: Sphinx, error: Exception | None) -> None:
    """Sphinx's ``build-finished``: the page for addresses that are none, and the list of pages for search engines.

    A host serves the first for any missing address, at any depth, so that its own links are whole or none: it has a
    sentence, and a way to the front page. The second needs the book's own address.
    """
    if error is not None:
        return
    out, base = Path(app.outdir), app.config.html_baseurl.rstrip("/")
    (out / "404.html").write_text(MISSING.format(home=html.escape(base or ".") + "/"), encoding="utf-8")
    if base:
        urls = "".join(f"<url><loc>{base}/{page}.html</loc></url>" for page in sorted(app.env.found_docs))
        schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
        (out / "sitemap.xml").write_text(f'<urlset xmlns="{schema}">{urls}</urlset>', encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks of an extension."""
    app.add_config_value("kdsharp_repository", "", "html", str)
    app.add_config_value("kdsharp_branch", "main", "html", str)
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("autodoc-process-docstring", explain, priority=900)  # after napoleon has read Args and Raises
    app.connect("html-page-context", complete, priority=900)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
