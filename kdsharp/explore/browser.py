"""The exported student on a web page: the reader's own photo, the reader's own processor (floor 7; lessons 00, 13, 14).

The page holds the networks. What runs them, onnxruntime-web, lies in the published book; in JupyterLab and in a saved
file it comes from a public CDN, checked against a checksum, when the reader chooses a photo. A page that nobody touches
fetches nothing, and a photo never leaves the reader's machine.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from kdsharp import checkpoints, kernels
from kdsharp.checks import UsageError, atomic_path, make_folder
from kdsharp.inference import OVERLAP, TILE, WHOLE
from kdsharp.island import Island, note, packages
from kdsharp.island.files import webp
from kdsharp.tune import settings

VERSION = packages.VERSIONS["onnxruntime-web"]
"""Of onnxruntime-web: pinned, because a page is read years after it was made."""
MEGABYTES, CARD_MEGABYTES = 4, 7
"""What a browser loads for it, compressed; and once more for a graphics card."""
FILTERS = {"unsharp mask": "unsharp", "Laplacian": "laplacian"}
"""The classical filters that a page has beside its networks, by the package's names; tuned for ``shake``."""
LENGTH = 5.5
"""Pixels: of the path by which a photo is shaken here, the longest of the protocol ``shake``."""
MOST = 50
"""Megapixels: beyond that, the copies of a photo that are needed come near what a page may hold."""


class BrowserPage(Island):
    """Networks that a reader runs on a photo of her own; shown in a notebook, on a book's page, or as a file.

    Args:
        models: name to an ONNX file that takes and gives ``pixels`` (``kdsharp.export.export(..., pixels=True)``), or
            its bytes; the first is chosen at the start.
        example: uint8 (H, W, 3), a photo for readers who have none at hand.
        shaken: whether a photo is shaken first, so that its truth is known, until the reader switches it off.
        already: whether the example is blurred already, so that it is not shaken once more.

    Raises:
        UsageError: for a file that takes no ``pixels``.
    """

    module: ClassVar[str] = "browser"

    def __init__(
        self, models: Mapping[str, bytes | Path], example: np.ndarray, shaken: bool = False, already: bool = False
    ) -> None:
        self.models = {name: each if isinstance(each, bytes) else each.read_bytes() for name, each in models.items()}
        for name, content in self.models.items():
            if b"\n\x06pixels" not in content:  # protobuf's way to write a name of six letters
                raise UsageError(f"{name!r} takes no uint8 pixels; export it with pixels=True, or --pixels")
        self.example, self.shaken, self.already = webp(example), shaken, already

    def facts(self, live: bool) -> dict[str, Any]:
        return {
            "cdn": _program(packages.RUNTIME, packages.WASM),
            "card": _program(packages.CARD_RUNTIME, packages.CARD_WASM),
            "version": VERSION,
            "megabytes": [MEGABYTES, CARD_MEGABYTES],
            "models": {
                name: f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"
                for name, content in self.models.items()
            },
            "filters": {
                shown: {"filter": name, "settings": settings(name, "shake")} for shown, name in FILTERS.items()
            },
            "example": self.example,
            "shaken": self.shaken,
            "already": self.already,
            "taps": taps(),
            "whole": WHOLE,
            "tile": TILE,
            "overlap": OVERLAP,
            "most": MOST,
        }

    def still(self) -> str:
        return "<p><b>Sharpen a photo of yours</b></p>" + note("This works in JupyterLab and on the published page.")

    def save(self, path: str | Path) -> Path:
        """Write one HTML file that works from any web server, and from disk."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.document("Sharpen a photo with kdsharp"), encoding="utf-8")
        return Path(path)


def _program(script: str, wasm: str) -> dict[str, str]:
    """Where a page finds a build of onnxruntime-web, and the checksums of its two files."""
    files = {"script": script, "wasm": wasm}
    addresses = {name: packages.on_cdn(file) for name, file in files.items()}
    return addresses | {f"{name}Integrity": packages.INTEGRITY[file] for name, file in files.items()}


def taps() -> list[tuple[int, int, float]]:
    """The hand that shakes a photo on the page: ``(dx, dy, weight)`` in pixels for each place of its path, sum 1."""
    psf = kernels.shake(LENGTH, np.random.default_rng(3)).double()
    rows, columns = psf.nonzero(as_tuple=True)
    half = len(psf) // 2
    return [(x - half, y - half, psf[y, x].item()) for y, x in zip(rows.tolist(), columns.tolist(), strict=True)]


def students(names: Sequence[str | Path], cache: str | Path = "build/students") -> dict[str, Path]:
    """Networks as a page takes them: name to an ONNX file with ``pixels``, exported once and kept in ``cache``.

    Args:
        names: of bundled networks, or checkpoint files, which are named without their suffix.
        cache: folder; a file in it is named after a hash of its checkpoint.
    """
    from kdsharp import export

    found = {}
    for name in names:
        loaded = checkpoints.load(str(name))
        weights = hashlib.sha256()
        for key, value in loaded.model.state_dict().items():
            weights.update(key.encode() + value.numpy().tobytes())
        path = make_folder(cache) / f"{Path(name).stem}-{weights.hexdigest()[:12]}.onnx"
        if not path.is_file():
            export.export(loaded.model, path, pixels=True)
        found[Path(name).name.removesuffix(".safetensors")] = path
    return found
