"""Other domains for lesson 13: real pictures that are no holiday photos, and which are training photos (floor 7)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from torch.nn import functional as F

from kdsharp import images
from kdsharp.checks import check_positive
from kdsharp.datasets import Photo, photos
from kdsharp.images import to_array, to_tensor

UNSEEN = {"retina": "retina.jpg", "moon": "moon.png", "cells": "cell.png"}
"""In scikit-image's wheel and in no split of ``data/photos.toml``: they are not sharp at pixel level, so they are
halved first."""
SEEN = {"tissue": "immunohistochemistry", "deep sky": "hubble_deep_field", "printed page": "page"}
"""Bundled photos of the split ``train``: filters were tuned on them; the bundled networks learned from other photos."""


@dataclass(frozen=True)
class Domain:
    """One picture of another domain, and whether it is among the course's own training photos."""

    photo: Photo
    seen: bool

    @property
    def label(self) -> str:
        """Its name, with a star where it is a training photo."""
        return self.photo.name + ("*" if self.seen else "")


def domains(side: int = 320) -> list[Domain]:
    """An eye's retina, the moon and a cell, which no network here has seen; tissue, sky and a page, training photos.

    Args:
        side: of each picture the square with the most detail is taken, of at most this many pixels a side.
    """
    check_positive(side, "side")
    folder = Path(skimage.data.__file__).parent
    found = []
    for name, file in UNSEEN.items():
        halved = F.avg_pool2d(to_tensor(images.read(folder / file, convert=True)), 2)
        found.append(Domain(Photo(name, _busiest(to_array(halved), side)), seen=False))
    train = {photo.name: photo.pixels for photo in photos("train")}
    return found + [Domain(Photo(name, _busiest(train[own], side)), seen=True) for name, own in SEEN.items()]


def _busiest(pixels: np.ndarray, side: int) -> np.ndarray:
    """The square of at most ``side`` pixels with the most detail, out of squares that overlap by half."""
    height, width = pixels.shape[:2]
    step = max(1, side // 2)
    corners = [
        (top, left)
        for top in range(0, max(1, height - side + 1), step)
        for left in range(0, max(1, width - side + 1), step)
    ]
    grey = pixels.mean(2)
    detail = np.abs(np.diff(grey, axis=0))[:, :-1] + np.abs(np.diff(grey, axis=1))[:-1]
    top, left = max(corners, key=lambda at: detail[at[0] : at[0] + side, at[1] : at[1] + side].mean())
    return pixels[top : top + side, left : left + side].copy()


def sentence(gains: dict[str, float]) -> str:
    """Which domains a method gains on and which it harms, in one sentence.

    Args:
        gains: label to gain over the input in dB.
    """
    won = [f"{name} {gain:+.2f}" for name, gain in gains.items() if gain >= 0.005]
    lost = [f"{name} {gain:+.2f}" for name, gain in gains.items() if gain <= -0.005]
    level = [name for name, gain in gains.items() if abs(gain) < 0.005]
    parts = [f"gains on {', '.join(won)} dB"] if won else ["gains on none of these"]
    parts += [f"**does harm** on {', '.join(lost)} dB"] if lost else ["it does no harm anywhere"]
    parts += [f"leaves {', '.join(level)} as it was"] if level else []
    return "; ".join(parts)
