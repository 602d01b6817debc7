"""Writing a photo: the same format, quality and facts; whole or not at all."""

from pathlib import Path

import numpy as np
from PIL import Image

from kdsharp.checks import UsageError, atomic_path
from kdsharp.images.formats import SUFFIXES, check_codec
from kdsharp.images.reading import Kept


def write(path: str | Path, pixels: np.ndarray, kept: Kept | None = None) -> Path:
    """Write uint8 (H, W, 3) pixels; the file appears whole or not at all.

    Args:
        path: its suffix names the format, unless ``kept`` does.
        pixels: the photo.
        kept: what :func:`open_photo` found beside the pixels.

    Raises:
        UsageError: when the folder cannot be written or the suffix names no known format.
    """
    path, options = Path(path), dict(kept.options) if kept else {}
    if "format" not in options and path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot write {path}: its suffix must be one of {', '.join(SUFFIXES)}")
    check_codec(path)
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, **options)
    return path
