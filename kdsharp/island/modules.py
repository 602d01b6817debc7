"""The ESM modules of the islands, as a widget, a saved file and a published page need them."""

import base64
import html
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

WEB = Path(__file__).parent / "web"
IMPORT = re.compile(r'(\bfrom\s+)"\./([\w-]+)\.mjs"')
WORKER = re.compile(r'new URL\("\./([\w-]+)\.mjs", import\.meta\.url\)')


@cache
def source(name: str) -> str:
    """A module with its imports and workers inside, as ``data:`` addresses: one text that runs without a server.

    The same import is the same address everywhere, so that two islands on a page share one store.
    """
    text = (WEB / f"{name}.mjs").read_text(encoding="utf-8")
    text = WORKER.sub(lambda found: f'"{address(found[1])}"', text)
    return IMPORT.sub(lambda found: f'{found[1]}"{address(found[2])}"', text)


def address(name: str) -> str:
    """The whole of a module as a ``data:`` address."""
    return "data:text/javascript;base64," + base64.b64encode(source(name).encode()).decode()


def look() -> str:
    """The style that all islands share."""
    return (WEB / "look.css").read_text(encoding="utf-8")


def widget(name: str, facts: dict[str, Any]) -> Any:
    """The anywidget of a module. It has ``facts`` from the start, and ``answer``, which the kernel sets."""
    import anywidget
    import traitlets

    class Widget(anywidget.AnyWidget):
        _esm, _css = source(name), look()
        facts = traitlets.Dict().tag(sync=True)
        answer = traitlets.Dict().tag(sync=True)

    return Widget(facts=facts)


def document(name: str, fragment: str, title: str) -> str:
    """One HTML file: the fragment, its module and the style."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n:root {{ color-scheme: light dark }}\n"
        "body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 1em auto; padding: 0 1em }\n"
        f"{look()}</style></head>\n<body>{fragment}\n"
        f'<script type="module">\nimport {{ findIslands }} from "{address("islands")}";\n'
        f'import island from "{address(name)}";\nfindIslands(async () => island);\n</script></body></html>\n'
    )


def publish(folder: Path) -> None:
    """Put the modules and the style into a folder that a page loads ``page.mjs`` and ``look.css`` from."""
    shutil.copytree(WEB, folder, dirs_exist_ok=True)
