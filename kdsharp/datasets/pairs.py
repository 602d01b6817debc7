"""Pairs of a blurred and a sharp picture: real ones in folders, synthetic ones from photos (lesson 03)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from kdsharp import images
from kdsharp.checks import UsageError, check_name
from kdsharp.datasets import layouts
from kdsharp.datasets.bundled import Photo
from kdsharp.degrade import Degradation


class PairedFolder(Dataset):
    """Real pairs on disk, matched by name; no pixel is read before it is asked for.

    Layouts: GoPro's own ``{split}/{scene}/{blur,sharp}/``, without the split, without the scene, or neither; and the
    same with the names ``input`` and ``target``, ``LQ`` and ``GT``, ``blurry`` and ``sharp``
    (:mod:`kdsharp.datasets.layouts`).

    Args:
        root: the folder.
        split: ``train`` or ``test`` (``valid`` and ``val`` count as ``test``), where the layout has splits.
        blur: which blurred folder of GoPro: ``blur`` (averaged frames as displayed) or ``blur_gamma`` (averaged in
            linear light). Published tables differ in it, so it is never guessed.

    Indexing gives ``(name, blurred, sharp)``, two uint8 (H, W, 3) arrays of one size.

    Raises:
        UsageError: when there are no pairs, a partner is missing, two files have one name, or a header says that a
            pair has two sizes, is no 8-bit RGB, or is the same picture twice. All headers are read first.
    """

    def __init__(self, root: str | Path, split: str = "test", blur: str = "blur") -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise UsageError(f"{root} is not a folder; give the folder of a data set of pairs")
        check_name(blur, layouts.BLURS, "blur folder")
        base = layouts.split_folder(self.root, split) or self.root
        found = list(layouts.scenes(base, blur))
        self.pairs = [pair for prefix, left, right in found for pair in _match(prefix, left, right)]
        if not self.pairs:
            named = (layouts.split_folder(self.root, name) for name in layouts.SPLITS)
            others = [path.name for path in named if path is not None]
            there = f"; it has {', '.join(others)}/, but no {split}/: give that folder itself" if others else ""
            raise UsageError(f"{root} holds no pairs{there}; allowed are {layouts.ALLOWED} (see data/README.md)")
        _check_headers(self.root, self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[str, np.ndarray, np.ndarray]:
        name, blurred, sharp = self.pairs[index]
        return name, images.read(blurred), images.read(sharp)


def _match(prefix: str, blurred: Path, sharp: Path) -> Iterator[tuple[str, Path, Path]]:
    missing = next((half for half in (blurred, sharp) if not half.is_dir()), None)
    if missing is not None:
        other = sharp if missing == blurred else blurred
        raise UsageError(f"{missing} is missing beside {other}; choose another blur folder or complete the data")
    left, right = _by_stem(blurred), _by_stem(sharp)
    alone = sorted(left.keys() ^ right.keys())
    if alone:
        where = blurred if alone[0] in left else sharp
        other = sharp if alone[0] in left else blurred
        raise UsageError(f"{len(alone)} images have no partner, first {alone[0]!r}: in {where}, not in {other}")
    for name in sorted(left):
        yield prefix + name, left[name], right[name]


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in images.list_images(folder):
        if path.stem in found:
            raise UsageError(
                f"{path} and {found[path.stem].name} have one name, so that it is not known which is meant; remove one"
            )
        found[path.stem] = path
    return found


def _check_headers(root: Path, pairs: list[tuple[str, Path, Path]]) -> None:
    """Everything that headers say of a whole set, before any of it is worked on."""
    kinds, same = [], []
    for name, *pair in pairs:
        (kind, size), (other_kind, other_size) = map(images.header, pair)
        kinds += [(path, found) for path, found in zip(pair, (kind, other_kind), strict=True) if found != "RGB"]
        if size != other_size:
            told = [f"{path} has {w}x{h} pixels" for path, (w, h) in zip(pair, (size, other_size), strict=True)]
            raise UsageError(f"pair {name}: {', '.join(told)}; both must have the same size")
        if _is_same(*pair):
            same.append(name)
    if kinds:
        path, kind = kinds[0]
        raise UsageError(
            f"{len(kinds)} of {2 * len(pairs)} files are not 8-bit RGB, first {path} ({kind}); convert them with: "
            f"kdsharp sharpen FOLDER --convert --strength 0 --out NEW"
        )
    if same:
        raise UsageError(
            f"{len(same)} of {len(pairs)} pairs are one and the same file twice, first {same[0]!r}; remove them, or "
            f"give the true partners (kdsharp data check {root} lists all)"
        )


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths are one file, or two with the same bytes."""
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def synthetic_pairs(
    degradation: Degradation, pictures: Sequence[Photo], seed: int = 0
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
