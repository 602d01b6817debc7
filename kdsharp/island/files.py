"""Pictures and networks of a page as files beside it, loaded when the reader comes near (floor 6).

A notebook is one file: what its pages show is inside, as ``data:`` addresses. A published page keeps them apart, so
that it opens at once and a browser keeps what it has.
"""

import base64
import hashlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kdsharp.checks import make_folder

DATA = re.compile(r"data:(image/webp|image/png|image/svg\+xml|application/octet-stream);base64,([A-Za-z0-9+/]+=*)")
SUFFIXES = {"image/webp": "webp", "image/png": "png", "image/svg+xml": "svg", "application/octet-stream": "bin"}
SMALL = 2000
"""Characters: what is shorter stays in the page, where it costs less than a request."""
SEALED = re.compile(
    r'(<div class="kdsharp-still" data-sealed>)(?!<noscript>)(.*?)(</div><script type="application/json">)', re.DOTALL
)
EAGER = re.compile(r"<img (?![^>]*\bloading=)")


def seal(page: str) -> str:
    """Put sealed stills where only a browser without scripts reads: with scripts they are not in the page."""
    return SEALED.sub(r"\1<noscript>\2</noscript>\3", page)


def webp(pixels: np.ndarray) -> str:
    """A photo, uint8 (H, W, 3), as a lossless WebP inside a ``data:`` address."""
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, format="webp", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}"


def unpack(notebook: Any, folder: Path, address: str) -> None:
    """Move what the HTML outputs of a notebook hold inside into files, one for each content; images load lazily.

    Args:
        notebook: changed in place.
        folder: of the files.
        address: of that folder, as the page names it.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/html")
            if text is not None:
                whole = text if isinstance(text, str) else "".join(text)
                output["data"]["text/html"] = unpacked(whole, folder, address)


def unpacked(page: str, folder: Path, address: str) -> str:
    """The HTML of a page whose contents have moved into files of ``folder``, which it names by ``address``."""
    make_folder(folder)

    def keep(found: re.Match[str]) -> str:
        if len(found[2]) < SMALL:
            return found[0]
        content = base64.b64decode(found[2])
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{SUFFIXES[found[1]]}"
        (folder / name).write_bytes(content)
        return f"{address}/{name}"

    # no quotes: an ``<img>`` may stand inside JSON
    return seal(EAGER.sub("<img loading=lazy ", DATA.sub(keep, page)))
