"""Photos by name: those inside scikit-image's wheel, split by photo, and the user's own (lesson 03)."""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data

from kdsharp import images
from kdsharp.checkpoints import data_folder
from kdsharp.checks import UsageError, check_name

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Photo:
    """A named photo, uint8 (H, W, 3)."""

    name: str
    pixels: np.ndarray


@cache
def photo_table() -> dict[str, dict[str, str]]:
    """``data/photos.toml``: split, file, SHA-256 and licence of each bundled photo."""
    return tomllib.loads((data_folder() / "photos.toml").read_text(encoding="utf-8"))


def photos(split: str) -> list[Photo]:
    """The bundled photos of one split (``train``, ``validation``, ``test``), in a fixed order.

    They come out of scikit-image's own wheel, so nothing is downloaded; grey ones are repeated in three channels.

    Raises:
        UsageError: for an unknown split, or when a file differs from the one that the scores were measured on.
    """
    check_name(split, SPLITS, "split")
    folder = Path(skimage.data.__file__).parent
    return [_bundled(folder, name, row) for name, row in photo_table().items() if row["split"] == split]


def _bundled(folder: Path, name: str, row: dict[str, str]) -> Photo:
    path = folder / row["file"]
    if not path.is_file():
        raise UsageError(f"photo {name!r} is missing from scikit-image ({path.name}); reinstall scikit-image")
    if hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
        raise UsageError(f"photo {name!r} differs from the one measured; install the pinned scikit-image")
    return Photo(name, images.read(path, convert=True))


def folder_paths(folder: str | Path, most: int | None = None) -> tuple[list[Path], list[str]]:
    """The user's own RGB photos in ``folder`` by name, and the names of the files left out: they are not 8-bit RGB.

    Args:
        folder: that holds the photos.
        most: photos that are wanted, at least 1, all by default; the files behind the last of them stay unopened.

    Raises:
        UsageError: when the folder is missing or holds no usable photo, or the header of an opened file is damaged.
    """
    found: list[Path] = []
    left_out: list[str] = []
    for path in images.list_images(folder):
        if len(found) == most:
            break
        if images.kind(path) == "RGB":
            found.append(path)
        else:
            left_out.append(path.name)
    if not found:
        raise UsageError(f"{folder} holds no 8-bit RGB photo, only {', '.join(left_out)}")
    return found, left_out


class FolderPhotos(Sequence[Photo]):
    """Photos by path, each read when it is asked for and kept by nobody: a folder of any size in bounded memory."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return FolderPhotos(self.paths[index])
        return Photo(self.paths[index].stem, images.read(self.paths[index]))


def folder_photos(folder: str | Path) -> tuple[FolderPhotos, list[str]]:
    """The photos of :func:`folder_paths`, and the names left out."""
    paths, left_out = folder_paths(folder)
    return FolderPhotos(paths), left_out
