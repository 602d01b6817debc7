"""Training pictures that stay on disk: a folder of any size in bounded memory (lesson 03)."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kdsharp import images

SCALES = (1.0, 0.7, 0.5)
"""Each photo in three sizes: the smaller ones show the same scene with finer detail."""
BUDGET = 512 * 2**20
"""Bytes of decoded pictures that are kept: 150 photos of 512x512 pixels fit, so that each is decoded once."""


class DiskPictures(Sequence[np.ndarray]):
    """Photos by path in three sizes, and pictures that are in memory anyway, as one sequence of uint8 (H, W, 3).

    A picture is decoded when it is asked for; the newest stay in memory, up to ``budget`` bytes.

    Args:
        paths: 8-bit RGB photos (see :func:`kdsharp.datasets.folder_paths`).
        prepare: makes the protocol's sharp picture of a photo.
        more: pictures in memory, which come last.
        budget: bytes.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        prepare: Callable[[np.ndarray], np.ndarray],
        more: Sequence[np.ndarray] = (),
        budget: int = BUDGET,
    ) -> None:
        self.prepare, self.more, self.budget = prepare, list(more), budget
        self.photos = [(path, scale) for scale in SCALES for path in paths]
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self.photos) + len(self.more)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        if index >= len(self.photos):
            return self.more[index - len(self.photos)]
        if index not in self._kept:
            path, scale = self.photos[index]
            self._kept[index] = shrink(self.prepare(images.read(path)), scale)
            while sum(each.nbytes for each in self._kept.values()) > self.budget and len(self._kept) > 1:
                self._kept.popitem(last=False)
        self._kept.move_to_end(index)
        return self._kept[index]

    def at_least(self, side: int) -> "DiskPictures":
        """Those whose shorter side has ``side`` pixels or more, as the headers say; nothing is decoded."""
        made = DiskPictures([], self.prepare, [each for each in self.more if min(each.shape[:2]) >= side], self.budget)
        shapes = {path: self._shape(path) for path in dict.fromkeys(path for path, _ in self.photos)}
        made.photos = [(path, scale) for path, scale in self.photos if min(scaled(shapes[path], scale)) >= side]
        return made

    def _shape(self, path: Path) -> tuple[int, ...]:
        """Of a photo once it is prepared, by its header."""
        with Image.open(path) as image:
            width, height = image.size
        return self.prepare(np.broadcast_to(np.uint8(0), (height, width, 3))).shape


def scaled(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Height and width of a picture of this shape at a scale."""
    return round(shape[0] * scale), round(shape[1] * scale)


def shrink(picture: np.ndarray, scale: float) -> np.ndarray:
    """A uint8 (H, W, 3) picture at a smaller scale, by Lanczos's filter."""
    if scale == 1:
        return picture
    height, width = scaled(picture.shape, scale)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
