"""A lecturer's own photos (``--hidden DIR``): what networks of labs 3 and 5 are scored on, and nobody else has."""

import hashlib
from pathlib import Path

from torch import Tensor

from kdsharp.checks import UsageError
from kdsharp.datasets import folder_photos
from kdsharp.images import to_tensor

COUNT, SIDE = 4, 256
"""How many photos are used, the first by name, and how much of each: the upper left corner, in pixels a side."""
LEAST = 64
"""Pixels a side of the smallest photo that says anything."""


def photos(folder: Path, count: int = COUNT) -> list[Tensor]:
    """The first ``count`` photos of a folder by name, (1, 3, H, W) in [0, 1], H and W at most ``SIDE``.

    Raises:
        UsageError: in one sentence, where there are fewer, one cannot be read, or one is too small.
    """
    found = folder_photos(folder)[0]
    if len(found) < count:
        raise UsageError(f"{folder} holds {len(found)} RGB photos, and {count} are needed to score on")
    used = [to_tensor(photo.pixels)[..., :SIDE, :SIDE] for photo in found[:count]]
    for path, photo in zip(found.paths, used, strict=False):
        if min(photo.shape[-2:]) < LEAST:
            size = f"{photo.shape[-1]}x{photo.shape[-2]}"
            raise UsageError(f"{path} has {size} pixels; photos to score on need {LEAST} a side")
    return used


def digest(folder: Path | None) -> str:
    """What the photos are, so that marks made with others are not taken for current; empty without a folder."""
    if folder is None:
        return ""
    paths = folder_photos(folder)[0].paths[:COUNT]
    return hashlib.sha256(b"\0".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()
