"""What a submission puts out, reduced to what can be shown to a lecturer: text, and small pictures drawn again."""

import base64
import binascii
import io
import re
import warnings
from typing import Any

import nbformat
from nbformat import NotebookNode
from PIL import Image

MOST_TEXT = 4000
"""Characters of one output."""
MOST_OUTPUTS = 20
MOST_SIDE = 4000
MOST_PICTURE = 2_000_000
"""Bytes of a picture."""
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(found: Any) -> list[NotebookNode]:
    """Outputs of a cell as text and PNG pictures of ours; all else (HTML, JavaScript, SVG) is named and left out.

    Standard error and exceptions become plain text too, because nbgrader takes them for a failed test.
    """
    kept: list[NotebookNode] = []
    for each in (found if isinstance(found, list) else [])[:MOST_OUTPUTS]:
        kind = each.get("output_type") if isinstance(each, dict) else None
        if kind == "stream":
            kept.append(text(_joined(each.get("text"))))
        elif kind == "error":
            kept.append(text(f"{_joined(each.get('ename'))}: {_joined(each.get('evalue'))}\n"))
        elif kind in ("display_data", "execute_result") and isinstance(each.get("data"), dict):
            kept.append(_shown(each["data"]))
    return kept


def text(content: str) -> NotebookNode:
    """A text output, cut where it is long."""
    plain = CONTROL.sub("", COLOURS.sub("", content.encode("utf-8", "replace").decode()))
    cut = f"\n... {len(plain) - MOST_TEXT} more characters\n" if len(plain) > MOST_TEXT else ""
    return nbformat.v4.new_output("stream", name="stdout", text=plain[:MOST_TEXT] + cut)


def _shown(data: dict[str, Any]) -> NotebookNode:
    if "image/png" in data:
        picture, reason = _picture(_joined(data["image/png"]))
        if picture is None:
            return text(f"[a picture that is not shown: {reason}]\n")
        return nbformat.v4.new_output("display_data", data={"image/png": picture, "text/plain": "picture"})
    for kind in ("text/markdown", "text/plain"):  # the first is what a person wrote
        if kind in data and not (said := _joined(data[kind])).startswith("<IPython.core.display."):
            return text(said + "\n")
    return text(f"[an output that is not shown: {', '.join(sorted(map(str, data)))[:200]}]\n")


def _picture(encoded: str) -> tuple[str | None, str]:
    """A PNG, decoded within limits and written again, so that its bytes are ours; or the reason why it is not."""
    if len(encoded) > MOST_PICTURE * 4 / 3:
        return None, f"it is larger than {MOST_PICTURE // 1_000_000} MB"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            content = base64.b64decode(encoded.replace("\n", ""), validate=True)
            picture = Image.open(io.BytesIO(content), formats=["PNG"])
            if max(picture.size) > MOST_SIDE:
                return None, f"it has {picture.width} x {picture.height} pixels"
            out = io.BytesIO()
            picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "P") else "RGB").save(out, "PNG")
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        return None, f"it cannot be read ({type(error).__name__})"
    return base64.b64encode(out.getvalue()).decode(), ""


def _joined(found: Any) -> str:
    if isinstance(found, list):
        return "".join(each for each in found if isinstance(each, str))
    return found if isinstance(found, str) else ""
