"""The exported student on a web page: the reader's own photo, the reader's own processor (floor 7; lesson 14).

The page holds the network. What runs it, onnxruntime-web, comes from a public CDN when the reader chooses a photo: a
page that nobody touches fetches nothing, and a photo never leaves the reader's machine.
"""

import base64
import hashlib
import html
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from kdsharp.checks import UsageError, atomic_path
from kdsharp.explore import island
from kdsharp.inference import OVERLAP, TILE, WHOLE

VERSION = "1.30.0"
"""Of onnxruntime-web: pinned, because a page is read years after it was made."""
CDN = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
MEGABYTES = 4
"""What a browser loads from there, compressed."""
MOST = 50
"""Megapixels: beyond that, the copies of a photo that are needed come near what a page may hold."""


class BrowserPage:
    """Networks that a reader runs on a photo of her own; shown in a notebook, on a book's page, or as a file.

    Args:
        models: name to an ONNX file that takes and gives ``pixels`` (``kdsharp.export.export(..., pixels=True)``), or
            its bytes; the first is chosen at the start.
        example: uint8 (H, W, 3), a photo for readers who have none at hand.

    Raises:
        UsageError: for a file that takes no ``pixels``.
    """

    def __init__(self, models: Mapping[str, bytes | Path], example: np.ndarray) -> None:
        self.models = {name: each if isinstance(each, bytes) else each.read_bytes() for name, each in models.items()}
        for name, content in self.models.items():
            if b"\n\x06pixels" not in content:  # protobuf's way to write a name of six letters
                raise UsageError(f"{name!r} takes no uint8 pixels; export it with pixels=True, or --pixels")
        packed = io.BytesIO()
        Image.fromarray(example).save(packed, format="webp", lossless=True)
        self.example = "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode()

    def fragment(self) -> str:
        """The page's content: controls, the networks, and the script."""
        name = "browser-" + hashlib.sha256(b"".join(self.models.values())).hexdigest()[:10]
        facts = {
            "cdn": CDN,
            "version": VERSION,
            "megabytes": MEGABYTES,
            "models": {key: base64.b64encode(content).decode() for key, content in self.models.items()},
            "example": self.example,
            "whole": WHOLE,
            "tile": TILE,
            "overlap": OVERLAP,
            "most": MOST,
        }
        script = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")
        options = "".join(f"<option>{html.escape(each)}</option>" for each in self.models)
        body = _CONTROLS.replace("OPTIONS", options)
        return island("browser", name, body, facts, script, "border:2px dashed #7b7d7d;padding:1em")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.fragment(), "text/plain": "[a web page that runs the network on your photo]"}

    def save(self, path: str | Path) -> Path:
        """Write one HTML file that works from any web server, and from disk."""
        with atomic_path(path) as temporary:
            temporary.write_text(_DOCUMENT.replace("CONTENT", self.fragment()), encoding="utf-8")
        return Path(path)


_CONTROLS = """
<p><b>Sharpen a photo of yours, on this page</b></p>
<p>Drop a photo here, or <label>choose one: <input type="file" accept="image/*" data-part="file"></label> or
<button type="button" data-part="example">take the example</button></p>
<p><label>network: <select data-part="model">OPTIONS</select></label>
<button type="button" data-part="again" disabled>time it</button></p>
<p role="status" aria-live="polite" data-part="status">Your photo stays on this computer. Nothing is fetched before you
choose one.</p>
<p><label>as it came | sharpened: <input type="range" min="0" max="100" value="50" data-part="split"></label>
<label>strength: <input type="range" min="0" max="2" step="0.25" value="1" data-part="strength"></label></p>
<canvas data-part="canvas" role="img" aria-label="your photo: as it came left of the line, sharpened right of it" hidden
style="max-width:100%"></canvas>
"""

_DOCUMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sharpen a photo with kdsharp</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:1em auto;padding:0 1em}</style></head>
<body>CONTENT</body></html>
"""
