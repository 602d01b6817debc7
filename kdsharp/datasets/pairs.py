"""Pairs of a blurred and a sharp picture: real ones in folders, synthetic ones from photos (lesson 03)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from kdsharp import images
from kdsharp.checks import UsageError, check_name
from kdsharp.datasets.bundled import Photo
from kdsharp.degrade import Degradation


class PairedFolder(Dataset):
    """Real pairs on disk, matched by name; nothing is read before it is asked for.

    Three layouts: GoPro's own ``{split}/{scene}/{blur,sharp}/``, its scenes directly (``{scene}/{blur,sharp}/``), and
    the flat one of Restormer and NAFNet (``input/`` and ``target/``, under ``{split}`` or not).

    Args:
        root: the folder.
        split: ``train`` or ``test``, where the layout has splits.
        blur: which blurred folder of GoPro: ``blur`` (averaged frames as displayed) or ``blur_gamma`` (averaged in
            linear light). Published tables differ in it, so it is never guessed.

    Indexing gives ``(name, blurred, sharp)``, two uint8 (H, W, 3) arrays of one size.

    Raises:
        UsageError: when there are no pairs, a partner is missing, or (on reading) the sizes differ.
    """

    def __init__(self, root: str | Path, split: str = "test", blur: str = "blur") -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise UsageError(f"{root} is not a folder; give the folder of a data set of pairs")
        self.pairs = list(self._find(split, check_name(blur, ("blur", "blur_gamma"), "blur folder")))
        if not self.pairs:
            raise UsageError(
                f"{root} holds no pairs; allowed are {split}/SCENE/{{{blur},sharp}}/, SCENE/{{{blur},sharp}}/ "
                f"and {{input,target}}/ (see data/README.md)"
            )

    def _find(self, split: str, blur: str) -> Iterator[tuple[str, Path, Path]]:
        base = self.root / split if (self.root / split).is_dir() else self.root
        if (base / "input").is_dir() and (base / "target").is_dir():
            yield from _match("", base / "input", base / "target")
        for scene in sorted(path for path in base.iterdir() if path.is_dir()):
            if (scene / "sharp").is_dir():
                yield from _match(scene.name + "/", scene / blur, scene / "sharp")

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[str, np.ndarray, np.ndarray]:
        name, blurred_path, sharp_path = self.pairs[index]
        blurred, sharp = images.read(blurred_path), images.read(sharp_path)
        if blurred.shape != sharp.shape:
            raise UsageError(
                f"pair {name}: {blurred_path} has {blurred.shape[1]}x{blurred.shape[0]} pixels, "
                f"{sharp_path} has {sharp.shape[1]}x{sharp.shape[0]}; both must have the same size"
            )
        return name, blurred, sharp


def _match(prefix: str, blurred: Path, sharp: Path) -> Iterator[tuple[str, Path, Path]]:
    if not blurred.is_dir():
        raise UsageError(f"{blurred} is missing beside {sharp}; choose another blur folder or complete the data")
    left = {path.stem: path for path in images.list_images(blurred)}
    right = {path.stem: path for path in images.list_images(sharp)}
    alone = sorted(left.keys() ^ right.keys())
    if alone:
        where = blurred if alone[0] in left else sharp
        other = sharp if alone[0] in left else blurred
        raise UsageError(f"{len(alone)} images have no partner, first {alone[0]!r}: in {where}, not in {other}")
    for name in sorted(left):
        yield prefix + name, left[name], right[name]


def synthetic_pairs(
    degradation: Degradation, pictures: list[Photo], seed: int = 0
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name, blurred, sharp) for each photo, as (1, 3, H, W) tensors; photo ``i`` is blurred by ``(seed, i)``."""
    for index, photo in enumerate(pictures):
        sharp = images.to_tensor(degradation.prepare(photo.pixels))
        yield photo.name, degradation(sharp, np.random.default_rng([seed, index])), sharp


def true_psfs(degradation: Degradation, count: int, seed: int = 0) -> list[Tensor]:
    """The PSFs (K, K) that blurred the first ``count`` photos of :func:`synthetic_pairs` with the same seed.

    Raises:
        UsageError: when the degradation is no blur by one PSF an image.
    """
    psfs = [degradation.psf_for(np.random.default_rng([seed, index])) for index in range(count)]
    known = [psf for psf in psfs if psf is not None]
    if len(known) < count:
        raise UsageError(f"{type(degradation).__name__} is no blur by one known PSF; use `shake` or `gaussian-256`")
    return known
