"""Where pairs come from: bundled photos, dead leaves, folders of pairs, crops (floor 3; lesson 03).

Photos are split by photo, never by crop: two crops of one photo know each other.
"""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from kdsharp import images
from kdsharp.checkpoints import data_folder
from kdsharp.checks import UsageError, check_name
from kdsharp.degrade import Degradation

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


def folder_photos(folder: str | Path) -> tuple[list[Photo], list[str]]:
    """The user's own RGB photos in ``folder``, and the names of the files left out because they are not 8-bit RGB.

    Raises:
        UsageError: when the folder is missing or holds no usable photo, or a file is damaged.
    """
    found, left_out = [], []
    for path in images.list_images(folder):
        if images.kind(path) == "RGB":
            found.append(Photo(path.stem, images.read(path)))
        else:
            left_out.append(path.name)
    if not found:
        raise UsageError(f"{folder} holds no 8-bit RGB photo, only {', '.join(left_out)}")
    return found, left_out


def dead_leaves(
    size: int, rng: np.random.Generator, palette: np.ndarray | None = None, radius_min: float = 3
) -> np.ndarray:
    """A dead-leaves picture: opaque textured disks that fall on each other until nothing is uncovered.

    Radii follow ``p(r) ~ r^-3``, which gives the picture the scale statistics of photos; each leaf carries a
    texture with a 1/f^s spectrum; the picture is rendered twice as large and averaged down, so that its edges are
    anti-aliased as a camera's are. Lee, Mumford and Huang 2001; Achddou, Gousseau and Ladjal, SSVM 2021.

    Args:
        size: side in pixels.
        rng: the caller's random generator.
        palette: colours to draw from, uint8 (N, 3); random ones when None.
        radius_min: smallest radius in pixels of the picture.

    Returns:
        uint8 (size, size, 3).
    """
    side = 2 * size
    colours = rng.integers(0, 256, (4096, 3)) if palette is None else palette
    textures = [_texture(side, rng.uniform(0.5, 2.5), rng) for _ in range(3)]
    canvas = np.zeros((side, side, 3), np.float32)
    free = np.ones((side, side), bool)
    low, high = 2 * radius_min, side / 2
    for _ in range(6000):
        radius = (low**-2 - rng.random() * (low**-2 - high**-2)) ** -0.5
        _drop_leaf(canvas, free, radius, colours[rng.integers(len(colours))], textures[rng.integers(3)], rng)
        if free.mean() < 0.002:
            break
    canvas[free] = colours[rng.integers(len(colours))]
    reduced = canvas.reshape(size, 2, size, 2, 3).mean((1, 3))
    return (reduced + 0.5).clip(0, 255).astype(np.uint8)


def _drop_leaf(
    canvas: np.ndarray,
    free: np.ndarray,
    radius: float,
    colour: np.ndarray,
    texture: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Paint one ellipse where the canvas is still free: front to back, so that each pixel is painted once."""
    side = len(free)
    y, x = rng.uniform(0, side, 2)
    stretch, angle = rng.uniform(0.4, 1), rng.uniform(0, np.pi)
    top, left = max(0, int(y - radius)), max(0, int(x - radius))
    box = (slice(top, int(y + radius) + 2), slice(left, int(x + radius) + 2))
    open_here = free[box]
    if not open_here.any():
        return
    rows = np.arange(top, top + open_here.shape[0], dtype=np.float32)[:, None] - y
    columns = np.arange(left, left + open_here.shape[1], dtype=np.float32)[None] - x
    along, across = columns * np.cos(angle) + rows * np.sin(angle), rows * np.cos(angle) - columns * np.sin(angle)
    inside = (along**2 + (across / stretch) ** 2 <= radius**2) & open_here
    shade = texture[box][inside] * rng.uniform(0, 45)
    canvas[box][inside] = colour + shade[:, None]
    open_here[inside] = False


def _texture(side: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise with the amplitude spectrum 1/f^slope, mean 0, standard deviation 1, (side, side)."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) / frequency**slope
    noise = np.fft.irfft2(spectrum, (side, side)).astype(np.float32)
    return (noise - noise.mean()) / noise.std()


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

    Indexing gives two float32 tensors (batch, 3, size, size) in [0, 1].
    """

    def __init__(
        self,
        pictures: list[np.ndarray],
        degradation: Degradation,
        size: int,
        batch: int,
        seed: int = 0,
        margin: int = 12,
    ) -> None:
        self.size, self.batch, self.seed, self.margin = size, batch, seed, margin
        self.degradation = degradation
        need = size + 2 * margin
        self.pictures = [picture for picture in pictures if min(picture.shape[:2]) >= need]
        if not self.pictures:
            raise UsageError(f"no picture is as large as a crop with its margin ({need} pixels); use smaller crops")

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step])
        need = self.size + 2 * self.margin
        crops = []
        for index in rng.integers(len(self.pictures), size=self.batch):
            picture = self.pictures[index]
            top = rng.integers(picture.shape[0] - need + 1)
            left = rng.integers(picture.shape[1] - need + 1)
            crop = np.rot90(picture[top : top + need, left : left + need], int(rng.integers(4)))
            crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
        sharp = torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy()).float() / 255
        inner = (..., slice(self.margin, self.margin + self.size), slice(self.margin, self.margin + self.size))
        return self.degradation(sharp, rng)[inner].contiguous(), sharp[inner].contiguous()


class PairCrops(Dataset):
    """Training batches of (blurred, sharp) crops of real pairs, one for each step number, as :class:`Crops`.

    Args:
        folder: the pairs; each batch reads its pictures from disk.
        size: side of a crop in pixels, at most the shorter side of the (resized) pictures.
        batch: crops a batch.
        seed: of the whole sequence.
        resize: reduce both pictures to this width and height first (report A's 128), or None.

    Indexing gives two float32 tensors (batch, 3, size, size) in [0, 1].
    """

    def __init__(self, folder: PairedFolder, size: int, batch: int, seed: int = 0, resize: int | None = None) -> None:
        self.folder, self.size, self.batch, self.seed, self.resize = folder, size, batch, seed, resize

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step])
        crops = [self._crop(int(index), rng) for index in rng.integers(len(self.folder), size=self.batch)]
        both = torch.from_numpy(np.stack(crops)).permute(1, 0, 4, 2, 3).float() / 255
        return both[0].contiguous(), both[1].contiguous()

    def _crop(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """(2, size, size, 3): the same place of both pictures, turned and mirrored alike."""
        name, *pair = self.folder[index]
        if self.resize is not None:
            side = (self.resize, self.resize)
            pair = [np.asarray(Image.fromarray(picture).resize(side, Image.Resampling.BICUBIC)) for picture in pair]
        height, width = pair[0].shape[:2]
        if min(height, width) < self.size:
            raise UsageError(f"pair {name} has {width}x{height} pixels, too few for a crop of {self.size}")
        top, left = rng.integers(height - self.size + 1), rng.integers(width - self.size + 1)
        both = np.stack([picture[top : top + self.size, left : left + self.size] for picture in pair])
        both = np.rot90(both, int(rng.integers(4)), axes=(1, 2))
        return both[:, :, ::-1] if rng.random() < 0.5 else both


def training_pictures(
    degradation: Degradation,
    leaves: int,
    seed: int = 0,
    leaf_size: int = 320,
    progress: bool = False,
    own: list[Photo] | None = None,
) -> list[np.ndarray]:
    """The bundled training photos (or one's ``own``) in three sizes, and ``leaves`` dead-leaves pictures.

    The leaves have the colours of the photos. The smaller sizes show the same scene with finer detail, which nine
    photos are short of. All are prepared for the protocol; uint8 (H, W, 3).

    Args:
        degradation: prepares the pictures.
        leaves: number of dead-leaves pictures.
        seed: of the dead leaves.
        leaf_size: their side in pixels.
        progress: show a bar.
        own: the user's sharp photos (:func:`folder_photos`) in place of the bundled ones.
    """
    prepared = [degradation.prepare(photo.pixels) for photo in (photos("train") if own is None else own)]
    rng = np.random.default_rng([seed, 7])
    colours = np.concatenate([rng.permutation(picture.reshape(-1, 3))[:2000] for picture in prepared])
    smaller = [_shrink(picture, scale) for scale in (0.7, 0.5) for picture in prepared]
    bar = tqdm(range(leaves), desc="dead leaves", unit="picture", disable=not progress)
    return prepared + smaller + [degradation.prepare(dead_leaves(leaf_size, rng, colours)) for _ in bar]


def _shrink(picture: np.ndarray, scale: float) -> np.ndarray:
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


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
