"""Training batches: crops of pictures that are blurred on the way, or of real pairs (lesson 03)."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from kdsharp import images
from kdsharp.checks import UsageError, check_positive
from kdsharp.datasets.augment import defocus, lower_contrast
from kdsharp.datasets.bundled import photos
from kdsharp.datasets.disk import SCALES, DiskPictures, shrink
from kdsharp.datasets.leaves import dead_leaves
from kdsharp.datasets.pairs import PairedFolder
from kdsharp.datasets.weave import woven
from kdsharp.degrade import Degradation


class Crops(Dataset):
    """Training batches of (blurred, sharp) crops, one for each step number.

    Batch ``i`` is a function of ``(seed, i)`` alone. A run that was killed therefore sees the same batches when it
    goes on, and two students with the same seed see the same batches.

    Args:
        pictures: uint8 (H, W, 3) pictures, already through the protocol's ``prepare``.
        degradation: blurs the crops.
        size: side of a crop in pixels; smaller pictures are left out.
        batch: crops a batch.
        seed: of the whole sequence.
        margin: extra pixels around a crop while it is blurred, cut off afterwards, so that the reflected border
            of the blur is never seen in training.
        contrast: some of the sharp crops have their contrast lowered, at most to this share of it; 1 leaves them.
        softness: some of the sharp crops have a part out of focus, by a Gaussian of at most this sigma in pixels.
        altered: how many of the crops *some* is, in [0, 1].
        wholly: of those out of focus, the share that is so all over, in [0, 1].
        choices: crops drawn for each that is taken, the one with the most detail. Much of a photo is sky and wall,
            which no blur changes; 1 takes them as they come.

    Indexing gives two float32 tensors (batch, 3, size, size) in [0, 1].
    """

    def __init__(
        self,
        pictures: Sequence[np.ndarray],
        degradation: Degradation,
        size: int,
        batch: int,
        seed: int = 0,
        margin: int = 12,
        contrast: float = 1.0,
        softness: float = 0.0,
        choices: int = 1,
        altered: float = 0.5,
        wholly: float = 0.0,
    ) -> None:
        self.size, self.batch, self.seed, self.margin = size, batch, seed, margin
        self.contrast, self.softness, self.choices, self.altered = contrast, softness, choices, altered
        self.wholly = wholly
        self.degradation = degradation
        need = size + 2 * margin
        self.pictures = (
            pictures.at_least(need)
            if isinstance(pictures, DiskPictures)
            else [picture for picture in pictures if min(picture.shape[:2]) >= need]
        )
        if not len(self.pictures):
            raise UsageError(f"no picture is as large as a crop with its margin ({need} pixels); give larger ones")

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step])
        need = self.size + 2 * self.margin
        crops = []
        for index in rng.integers(len(self.pictures), size=self.batch):
            drawn = [self._cut(int(index), need, rng)]
            drawn += [self._cut(int(rng.integers(len(self.pictures))), need, rng) for _ in range(self.choices - 1)]
            crops.append(max(drawn, key=_detail) if self.choices > 1 else drawn[0])
        sharp = torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy()).float() / 255
        if self.contrast < 1:
            sharp = lower_contrast(sharp, self.contrast, rng, self.altered)
        if self.softness > 0:
            sharp = defocus(sharp, self.softness, rng, self.altered, self.wholly)
        inner = (..., slice(self.margin, self.margin + self.size), slice(self.margin, self.margin + self.size))
        return self.degradation(sharp, rng)[inner].contiguous(), sharp[inner].contiguous()

    def _cut(self, index: int, need: int, rng: np.random.Generator) -> np.ndarray:
        """A square of ``need`` pixels of one picture, turned and mirrored by chance."""
        picture = self.pictures[index]
        top = rng.integers(picture.shape[0] - need + 1)
        left = rng.integers(picture.shape[1] - need + 1)
        crop = np.rot90(picture[top : top + need, left : left + need], int(rng.integers(4)))
        return crop[:, ::-1] if rng.random() < 0.5 else crop


def _detail(crop: np.ndarray) -> float:
    """How much there is to blur: the mean difference of neighbours, in grey levels of the green channel."""
    green = crop[..., 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


class PairCrops(Dataset):
    """Training batches of (blurred, sharp) crops of real pairs, one for each step number, as :class:`Crops`.

    Args:
        folder: the pairs: a folder, whose pictures each batch reads from disk, or a list of (name, blurred, sharp),
            uint8 (H, W, 3).
        size: side of a crop in pixels, at most the shorter side of the (resized) pictures.
        batch: crops a batch.
        seed: of the whole sequence.
        resize: reduce both pictures to this width and height first (report A's 128), or None.
        each: crops from each pair that a batch opens. Decoding two files takes far longer than cutting a crop, so
            large pictures are used more than once while they are in memory.
        grid: crops begin at multiples of this: the step of a blur that has one, such as a picture enlarged four times.

    Indexing gives two float32 tensors (batch, 3, size, size) in [0, 1].
    """

    def __init__(
        self,
        folder: PairedFolder | list[tuple[str, np.ndarray, np.ndarray]],
        size: int,
        batch: int,
        seed: int = 0,
        resize: int | None = None,
        each: int = 1,
        grid: int = 1,
    ) -> None:
        self.folder, self.size, self.batch, self.seed, self.resize = folder, size, batch, seed, resize
        self.each = int(check_positive(each, "crops of each picture"))
        self.grid = int(check_positive(grid, "grid"))

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step])
        crops: list[np.ndarray] = []
        for index in rng.integers(len(self.folder), size=math.ceil(self.batch / self.each)):
            pair = self._pair(int(index))
            crops += [self._crop(pair, rng) for _ in range(min(self.each, self.batch - len(crops)))]
        both = torch.from_numpy(np.stack(crops)).permute(1, 0, 4, 2, 3).float() / 255
        return both[0].contiguous(), both[1].contiguous()

    def _pair(self, index: int) -> list[np.ndarray]:
        name, *pair = self.folder[index]
        if self.resize is not None:
            side = (self.resize, self.resize)
            pair = [np.asarray(Image.fromarray(picture).resize(side, Image.Resampling.BICUBIC)) for picture in pair]
        height, width = pair[0].shape[:2]
        if min(height, width) < self.size:
            raise UsageError(f"pair {name} has {width}x{height} pixels, too few for a crop of {self.size}")
        return pair

    def _crop(self, pair: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """(2, size, size, 3): the same place of both pictures, turned and mirrored alike."""
        height, width = pair[0].shape[:2]
        top, left = (self.grid * rng.integers((side - self.size) // self.grid + 1) for side in (height, width))
        both = np.stack([picture[top : top + self.size, left : left + self.size] for picture in pair])
        both = np.rot90(both, int(rng.integers(4)), axes=(1, 2))
        return both[:, :, ::-1] if rng.random() < 0.5 else both


class SideBySide(Dataset):
    """Batches of two sources in one: the images of the first, then those of the second.

    Args:
        first, second: indexed by the step number, each gives (blurred, sharp), crops of one size. Where the second has
            blurred images without a label, they stay the last.
    """

    def __init__(self, first: Dataset, second: Dataset) -> None:
        self.sources = (first, second)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        (blurred, sharp), (more_blurred, more_sharp) = (source[step] for source in self.sources)
        return torch.cat([blurred, more_blurred]), torch.cat([sharp, more_sharp])


PALETTE_PHOTOS = 200
"""Dead leaves take their colours from so many photos at most."""


def training_pictures(
    degradation: Degradation,
    leaves: int,
    seed: int = 0,
    leaf_size: int = 320,
    progress: bool = False,
    own: Sequence[Path] | None = None,
    weaves: int = 0,
) -> Sequence[np.ndarray]:
    """The bundled training photos (or one's ``own``) in three sizes, ``leaves`` dead-leaves pictures, and ``weaves``.

    The leaves have the colours of the photos. The smaller sizes show the same scene with finer detail, which nine
    photos are short of. All are prepared for the protocol; uint8 (H, W, 3).

    Args:
        degradation: prepares the pictures.
        leaves: number of dead-leaves pictures.
        seed: of the dead leaves and the weaves.
        leaf_size: their side in pixels.
        progress: show a bar.
        own: the user's sharp photos (:func:`folder_paths`) in place of the bundled ones; they stay on disk.
        weaves: number of pictures of regular patterns (:func:`woven`), in any colours.
    """
    rng = np.random.default_rng([seed, 7])
    chosen = (photo.pixels for photo in photos("train")) if own is None else map(images.read, own[:PALETTE_PHOTOS])
    prepared, colours = [], []
    for pixels in chosen:
        picture = degradation.prepare(pixels)
        colours.append(rng.permutation(picture.reshape(-1, 3))[:2000])
        if own is None:
            prepared.append(picture)
    palette = np.concatenate(colours)
    bar = tqdm(range(leaves), desc="dead leaves", unit="picture", disable=not progress)
    fallen = [degradation.prepare(dead_leaves(leaf_size, rng, palette)) for _ in bar]
    threads = np.random.default_rng([seed, 8])
    fallen += [degradation.prepare(woven(leaf_size, threads)) for _ in range(weaves)]
    if own is not None:
        return DiskPictures(own, degradation.prepare, fallen)
    return [shrink(picture, scale) for scale in SCALES for picture in prepared] + fallen
