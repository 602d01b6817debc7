"""Whether a folder of blurred and sharp pairs is sound, file by file (floor 4; lesson 03).

:class:`kdsharp.datasets.PairedFolder` stops at the first mistake; this module goes on and lists them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage
from tqdm.auto import tqdm

from kdsharp import images
from kdsharp.checks import UsageError, check_name
from kdsharp.datasets import layouts

SPLITS = layouts.ALL_SPLITS


@dataclass(frozen=True)
class Finding:
    """What is wrong with one file or folder; ``serious`` when measuring or training on it would fail or mislead."""

    path: Path
    sentence: str
    serious: bool = True


@dataclass
class Survey:
    """The pairs of one folder (blurred, sharp), the number of its scenes, and what is wrong without opening a file."""

    pairs: list[tuple[Path, Path]] = field(default_factory=list)
    scenes: int = 0
    findings: list[Finding] = field(default_factory=list)


def check(
    folder: str | Path, split: str | None = None, blur: str = "blur", progress: bool = True
) -> tuple[int, list[Finding]]:
    """Open every pair of a folder in any layout of PairedFolder. Returns the number of pairs and the findings.

    Args:
        folder: holds the splits, or the pairs of one.
        split: only this one; every split that is there when None.
        blur: GoPro's blurred folder, ``blur`` or ``blur_gamma``.
        progress: show a bar.

    Raises:
        UsageError: when the folder or the split is missing.
    """
    folder = Path(folder)
    check_name(blur, layouts.BLURS, "blur folder")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the folder of a data set of pairs")
    if split is not None and not (folder / split).is_dir():
        raise UsageError(f"{folder} has no split {split!r}; give the name of a folder in it")
    splits = (split,) if split is not None else SPLITS
    surveys = [survey(folder / name, blur) for name in splits if (folder / name).is_dir()] or [survey(folder, blur)]
    findings = [finding for each in surveys for finding in each.findings]
    pairs = [pair for each in surveys for pair in each.pairs]
    for blurred, sharp in tqdm(pairs, unit="pair", disable=not progress):
        findings += _compare(blurred, sharp)
    return len(pairs), findings


def survey(base: Path, blur: str = "blur") -> Survey:
    """Match the files of every two halves that :mod:`kdsharp.datasets.layouts` finds, by name."""
    found = Survey()
    halves = [(left, right) for _, left, right in layouts.scenes(base, blur)]
    found.scenes = sum(prefix != "" for prefix, _, _ in layouts.scenes(base, blur))
    known = {half for pair in halves for half in pair}
    for child in sorted(base.iterdir()):
        if images.is_photo(child):
            found.findings.append(Finding(child, "lies outside the folders of pairs and is not used", serious=False))
        elif child.is_dir() and child not in known | {half.parent for half in known} and _has_pictures(child):
            sentence = f"holds images, but no {blur}/ and sharp/; they are not used"
            found.findings.append(Finding(child, sentence, serious=False))
    for left, right in halves:
        missing = [half for half in (left, right) if not half.is_dir()]
        if missing:
            other = right if missing[0] == left else left
            found.findings.append(Finding(missing[0], f"is missing beside {other.name}/"))
        else:
            _match(left, right, found)
    if not halves:
        found.findings.append(Finding(base, f"holds no pairs; allowed are {layouts.ALLOWED}"))
    return found


def _has_pictures(folder: Path) -> bool:
    return any(map(images.is_photo, folder.iterdir()))


def _match(left: Path, right: Path, found: Survey) -> None:
    by_stem: list[dict[str, Path]] = []
    for folder in (left, right):
        stems: dict[str, Path] = {}
        for path in sorted(folder.iterdir()):
            if not images.is_photo(path):
                found.findings.append(Finding(path, "is no image and is not used", serious=False))
                continue
            if path.stem in stems:
                sentence = f"has the same name as {stems[path.stem].name} but for the suffix; only one of them is used"
                found.findings.append(Finding(path, sentence))
            stems[path.stem] = path
        if not stems:
            found.findings.append(Finding(folder, "holds no image"))
        by_stem.append(stems)
    blurred, sharp = by_stem
    for stems, others, where in ((blurred, sharp, right), (sharp, blurred, left)):
        if others:  # an empty folder has been reported once, not once for each file
            alone = sorted(stems.keys() - others.keys())
            found.findings += [Finding(stems[stem], f"has no partner in {where}") for stem in alone]
    found.pairs += [(blurred[stem], sharp[stem]) for stem in sorted(blurred.keys() & sharp.keys())]


def _compare(blurred: Path, sharp: Path) -> Iterator[Finding]:
    """Findings of one pair; the two warnings need both pictures, of one size."""
    pixels = []
    for path in (blurred, sharp):
        try:
            pixels.append(images.read(path, convert=True))
            kind = images.kind(path)
        except UsageError as error:
            yield Finding(path, str(error).removeprefix(f"{path} "))
            continue
        if kind != "RGB":
            yield Finding(path, f"is a {kind} image; save it as 8-bit RGB")
    if len(pixels) < 2:
        return
    (height, width), (other_height, other_width) = (each.shape[:2] for each in pixels)
    if (height, width) != (other_height, other_width):
        sentence = f"has {width}x{height} pixels, its partner in {sharp.parent.name}/ {other_width}x{other_height}"
        yield Finding(blurred, sentence)
    elif np.array_equal(pixels[0], pixels[1]):
        yield Finding(blurred, f"has the same pixels as its partner in {sharp.parent.name}/")
    else:
        before, after = map(sharpness, pixels)
        if before > after:
            sentence = f"is sharper than its partner in {sharp.parent.name}/ ({before:.0f} against {after:.0f})"
            yield Finding(blurred, sentence, serious=False)


def sharpness(pixels: np.ndarray) -> float:
    """Variance of the Laplacian of the luma: edges raise it, and so does noise, so it warns and proves nothing."""
    luma = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return float(ndimage.laplace(luma).var())
