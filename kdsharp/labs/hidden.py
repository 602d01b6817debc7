"""A lecturer's own photos (``--hidden DIR``): what networks of labs 3 and 5 are scored on, and nobody else has."""

import hashlib
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from kdsharp import datasets, images
from kdsharp.checks import UsageError

COUNT, SIDE = 4, 256
"""How many photos are used, the first by name, and how much of each: the upper left corner, in pixels a side."""
LEAST = 64
"""Pixels a side of the smallest photo that says anything."""


def photos(folder: Path, count: int = COUNT) -> list[Tensor]:
    """The first ``count`` photos of a folder by name, (1, 3, H, W) in [0, 1], H and W at most ``SIDE``.

    Raises:
        UsageError: in one sentence, where there are fewer, one cannot be read, or one is too small.
    """
    found, _ = datasets.folder_paths(folder, count)
    if len(found) < count:
        raise UsageError(f"{folder} holds {len(found)} RGB photos, and {count} are needed to score on")
    used = [_corner(path, _stamp(path)) for path in found]
    for path, photo in zip(found, used, strict=True):
        if min(photo.shape[-2:]) < LEAST:
            size = f"{photo.shape[-1]}x{photo.shape[-2]}"
            raise UsageError(f"{path} has {size} pixels; photos to score on need {LEAST} a side")
    return used


def digest(folder: Path | None) -> str:
    """What the photos are, so that marks made with others are not taken for current; empty without a folder."""
    if folder is None:
        return ""
    used, _ = datasets.folder_paths(folder, COUNT)
    return hashlib.sha256(b"\0".join(_hash(path, _stamp(path)) for path in used)).hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change: every submission asks for the same photos, and a file is read again when these move."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=2 * COUNT)
def _corner(path: Path, stamp: tuple[int, int]) -> Tensor:
    return images.to_tensor(images.read(path)[:SIDE, :SIDE])  # cut first, or the whole photo would stay in memory


@lru_cache(maxsize=2 * COUNT)
def _hash(path: Path, stamp: tuple[int, int]) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
