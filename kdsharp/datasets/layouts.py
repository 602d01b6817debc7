"""Where pairs lie: the names that people give to the halves and to the splits (lesson 03)."""

from collections.abc import Iterator
from pathlib import Path

BLURS = ("blur", "blur_gamma")
"""GoPro's blurred folders: averaged as displayed, or in linear light. Published tables differ in it."""
HALVES = (("input", "target"), ("lq", "gt"), ("blurry", "sharp"), ("blurred", "sharp"), ("blur", "gt"))
"""Names of the blurred and the sharp folder, beside GoPro's own; upper or lower case."""
SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing", "valid", "val", "validation"),
}
"""Names of folders that are taken for a split, the first that is there."""
ALL_SPLITS = tuple(name for names in SPLITS.values() for name in names)
ALLOWED = "SPLIT/SCENE/{blur,sharp}/, with or without SPLIT and SCENE, or {input,target}, {LQ,GT}, {blurry,sharp}"


def halves(folder: Path, blur: str = "blur") -> tuple[Path, Path] | None:
    """The blurred and the sharp folder directly in ``folder``; one of them may be missing; None where both are."""
    there = {path.name.lower(): path for path in _folders(folder)}
    names = ((blur, "sharp"), *HALVES)
    both = next((pair for pair in names if pair[0] in there and pair[1] in there), None)
    one = both or next((pair for pair in names if pair[0] in there or pair[1] in there), None)
    if one is None:
        return None
    left, right = (there.get(name, folder / name) for name in one)
    return left, right


def scenes(base: Path, blur: str = "blur") -> Iterator[tuple[str, Path, Path]]:
    """(prefix of the names, blurred folder, sharp folder) of ``base`` itself and of each folder in it."""
    own = halves(base, blur)
    if own is not None:
        yield "", *own
    for scene in _folders(base):
        found = None if own is not None and scene in own else halves(scene, blur)
        if found is not None:
            yield f"{scene.name}/", *found


def split_folder(root: Path, split: str) -> Path | None:
    """The folder of a split below ``root``, by any of its names; None where there is none."""
    there = {path.name.lower(): path for path in _folders(root)}
    return next((there[name] for name in SPLITS.get(split, (split,)) if name in there), None)


def _folders(folder: Path) -> list[Path]:
    """Folders in it, without hidden ones and a Mac's companions."""
    inside = (path for path in sorted(folder.iterdir()) if path.is_dir())
    return [path for path in inside if not path.name.startswith((".", "__MACOSX"))]
