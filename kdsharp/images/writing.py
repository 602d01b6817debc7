"""Writing a photo: the same format, quality and facts; whole or not at all."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from kdsharp.checks import UsageError, atomic_path
from kdsharp.images.formats import SUFFIXES, check_codec
from kdsharp.images.reading import Kept

JPEG_BYTES = 8
"""More than a JPEG needs for a pixel: white noise at its best quality takes 2.9 (`tests/images/test_kept.py`)."""


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
    before = ImageFile.MAXBLOCK  # Pillow packs a JPEG as a whole, into memory that it guesses too small for fine grain
    ImageFile.MAXBLOCK = max(before, JPEG_BYTES * pixels.shape[0] * pixels.shape[1])
    try:
        with atomic_path(path) as temporary:
            Image.fromarray(pixels).save(temporary, **options)
    finally:
        ImageFile.MAXBLOCK = before
    return path
