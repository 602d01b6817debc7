"""The page on which a reader sharpens a photo of hers, with every student that the course talks about."""

import shutil
from pathlib import Path

from kdsharp.checks import make_folder
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.explore.browser import BrowserPage, students
from kdsharp.images import to_array
from kdsharp.island import modules
from kdsharp.island.files import unpacked

STUDENTS = ("small", "tiny", "base", "gaussian-256", "bilinear-60", "bicubic-4x")
"""All that are bundled, without the teachers; the first is chosen at the start."""
AT_THE_ROOT = "at_the_root"
"""The folder of a book's sources whose files lie beside its first page."""


def write(out: Path, profile: str) -> None:
    """Write the island of ``sharpen.md`` and its service worker into a book's sources; smoke has one student."""
    networks = STUDENTS[:1] if profile == "smoke" else STUDENTS
    _, blurred, _ = next(pair for pair in synthetic_pairs(protocol("shake"), photos("test")) if pair[0] == "chelsea")
    page = BrowserPage(students(networks), to_array(blurred), already=True).page()
    (out / "sharpen_island.html").write_text(unpacked(page, out / "_static" / "content", "_static/content"), "utf-8")
    make_folder(out / AT_THE_ROOT)  # a service worker serves the folder that it lies in, and those below
    shutil.copy(modules.WEB / "service.js", out / AT_THE_ROOT)
