"""What every page of the book gets from Sphinx: a security policy, links to the repository, a card for sharing."""

from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx

from kdsharp.island import packages

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


def policy(is_whole: bool) -> str:
    """The content-security policy of a page; unless the book ``is_whole``, the CDN is let in."""
    opened = {} if is_whole else {name: f"{POLICY[name]} {packages.HOST}" for name in OPEN_TO_CDN}
    return "; ".join(f"{name} {value}" for name, value in (POLICY | opened).items())


def source_of(page: str) -> str:
    """The file that a page is made from: ``lessons/09_x`` lies in ``notebooks/``, all else in ``book/``."""
    folder, _, name = page.rpartition("/")
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


def complete(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Sphinx's ``html-page-context``: runs after the theme's own, which makes the list of buttons."""
    security = f'<meta http-equiv="Content-Security-Policy" content="{policy(packages.are_here())}">'
    context["metatags"] = security + context.get("metatags", "")
    if doctree is not None:
        buttons = links(app.config.kdsharp_repository, app.config.kdsharp_branch, pagename)
        context["header_buttons"] = buttons + context.get("header_buttons", [])


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks of an extension."""
    app.add_config_value("kdsharp_repository", "", "html", str)
    app.add_config_value("kdsharp_branch", "main", "html", str)
    app.connect("html-page-context", complete, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
