"""Images at the file boundary and inside: read, write, convert, pad (floor 1; lessons 00 and 03).

At the boundary an image is a uint8 array (H, W, 3), RGB. Inside it is a float32 tensor (B, C, H, W) in [0, 1].
"""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError, features
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import UsageError, atomic_path, check_images

_CODECS = {".jp2": "jpg_2000", ".avif": "avif"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".ppm") + tuple(
    suffix for suffix, codec in _CODECS.items() if features.check(codec)
)
"""Photos as they are found in a folder, where this Pillow has the codec. GIF holds palettes only, never 8-bit RGB."""
MAX_PIXELS = 100_000_000
"""Largest photo that is read, in pixels: with the input and the output in memory this stays well under 2 GB."""
MIN_SIDE = 16
"""Smallest side in pixels: below it no blur fits into the picture."""

Image.MAX_IMAGE_PIXELS = None  # open_photo states its own limit, with a remedy, before any pixel is decoded

_KINDS = {"L": "greyscale", "1": "black-and-white", "P": "palette", "LA": "greyscale with alpha", "CMYK": "CMYK"}
_KINDS |= {"RGBA": "RGBA (with alpha)", "I;16": "16-bit", "I;16B": "16-bit", "I": "32-bit", "F": "float"}


def open_photo(path: str | Path, convert: bool = False) -> tuple[np.ndarray, dict[str, Any]]:
    """Read a photo with what is needed to write it back in the same form.

    Args:
        path: any file that Pillow decodes.
        convert: accept greyscale, palette, CMYK, 16-bit and alpha images by turning them into 8-bit RGB.

    Returns:
        the pixels, uint8 (H, W, 3), turned upright as its EXIF orientation says, and the save options
        (format, ICC profile, JPEG quality tables).

    Raises:
        UsageError: when the file is missing, empty, truncated, of another kind, too small or too large.
    """
    path = Path(path)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "missing"
        raise UsageError(f"{path} is {kind}; give the path of an image file ({', '.join(SUFFIXES)})")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty (0 bytes); copy or download it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd EXIF blocks that do not touch the pixels
            with Image.open(path) as image:
                _check_kind(path, image, convert)
                options: dict[str, Any] = {"format": image.format}
                if image.info.get("icc_profile"):
                    options["icc_profile"] = image.info["icc_profile"]
                if image.format == "JPEG":
                    options["quality"] = 95
                pixels = np.asarray(_to_rgb(ImageOps.exif_transpose(image)))
    except UnidentifiedImageError:
        raise UsageError(f"{path} is not an image that can be read; allowed are {', '.join(SUFFIXES)}") from None
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} is damaged ({error}); copy or download it again") from None
    return pixels, options


def _check_kind(path: Path, image: Image.Image, convert: bool) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UsageError(
            f"{path} has {width}x{height} = {width * height / 1e6:.0f} megapixels; the limit is "
            f"{MAX_PIXELS / 1e6:.0f} megapixels; crop it or make it smaller"
        )
    if min(width, height) < MIN_SIDE:
        raise UsageError(f"{path} has {width}x{height} pixels; each side needs at least {MIN_SIDE}; use a larger image")
    found = _kind(path, image)
    if found != "RGB" and not convert:
        raise UsageError(f"{path} is a {found} image, but 8-bit RGB is needed; pass --convert, or save it as 8-bit RGB")


def _kind(path: Path, image: Image.Image) -> str:
    """``RGB`` for an 8-bit RGB image, otherwise what it is in words."""
    if image.mode == "RGB" and _depth(path, image) > 8:
        return "16-bit"
    return _KINDS.get(image.mode, image.mode)


def kind(path: Path) -> str:
    """``RGB`` for an 8-bit RGB image, otherwise what the file's header says in words.

    Raises:
        UsageError: when it is empty or no image at all.
    """
    try:
        with Image.open(path) as image:
            return _kind(path, image)
    except (UnidentifiedImageError, OSError):
        raise UsageError(f"{path} is not an image that can be read; repair or remove it") from None


def _depth(path: Path, image: Image.Image) -> int:
    """Bits per channel as the file's header says: Pillow reduces deeper RGB images to 8 bits without a word."""
    if image.format == "TIFF":
        return max(image.tag_v2.get(258, (8,)))  # type: ignore[attr-defined]
    with path.open("rb") as file:
        head = file.read(1 << 20)  # a colour profile may stand before JPEG 2000's codestream
    if image.format == "PNG":
        return head[24]
    if image.format == "PPM":  # P6, width, height and largest value, with comments between them
        numbers = re.sub(rb"#[^\n]*", b"", head).split(maxsplit=4)
        return int(numbers[3]).bit_length()
    siz = head.find(b"\xff\x4f\xff\x51") if image.format == "JPEG2000" else -1
    return (head[siz + 42] & 0x7F) + 1 if siz >= 0 else 8  # the first component's depth in the codestream's SIZ marker


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        sixteen = np.asarray(image, dtype=np.float64)
        return Image.fromarray((sixteen / 257 + 0.5).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def read(path: str | Path, convert: bool = False) -> np.ndarray:
    """The pixels of a photo, uint8 (H, W, 3). Errors and ``convert`` as in :func:`open_photo`."""
    return open_photo(path, convert)[0]


def write(path: str | Path, pixels: np.ndarray, **options: Any) -> Path:
    """Write uint8 (H, W, 3) pixels; the file appears whole or not at all.

    Raises:
        UsageError: when the folder cannot be written or the suffix names no known format.
    """
    path = Path(path)
    if "format" not in options and path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot write {path}: its suffix must be one of {', '.join(SUFFIXES)}")
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, **options)
    return path


def list_images(folder: str | Path) -> list[Path]:
    """All image files directly in ``folder``, sorted by name.

    Raises:
        UsageError: when the folder is missing or holds no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give a folder that holds images")
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in SUFFIXES)
    if not found:
        raise UsageError(f"{folder} holds no image; allowed are {', '.join(SUFFIXES)}")
    return found


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) or (H, W) to float32 (1, C, H, W) in [0, 1], channels last in memory: networks are faster so."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise UsageError(f"expected uint8 (H, W, 3), found {pixels.dtype} of shape {pixels.shape}")
    stacked = pixels if pixels.ndim == 3 else pixels[..., None]
    return torch.tensor(stacked)[None].permute(0, 3, 1, 2).float().div_(255)


def to_array(batch: Tensor) -> np.ndarray:
    """float (1, 3, H, W) to uint8 (H, W, 3): clamp to [0, 1], round to the nearest of 256 levels."""
    check_images(batch)
    levels = batch.detach()[0].permute(1, 2, 0).clamp(0, 1).mul_(255).round_().byte()
    return levels.contiguous().cpu().numpy()


def quantize(batch: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to 8 bits, still as float: what a file can hold."""
    return batch.detach().clamp(0, 1).mul(255).round().div(255)


def to_linear(srgb: Tensor) -> Tensor:
    """sRGB values to linear light, both in [0, 1] (IEC 61966-2-1). Blur adds light, so it happens here (lesson 03)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055).clamp_min(0) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """Linear light to sRGB values; the inverse of :func:`to_linear`."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def luma(batch: Tensor) -> Tensor:
    """RGB (B, 3, H, W) to luma (B, 1, H, W) with the BT.601 weights 0.299, 0.587, 0.114."""
    check_images(batch, channels=3)
    weights = batch.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (batch * weights).sum(1, keepdim=True)


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """Pad right and bottom by reflection until both sides divide by ``multiple`` (by repetition on tiny images)."""
    height, width = batch.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    mode = "reflect" if bottom < height and right < width else "replicate"
    return F.pad(batch, (0, right, 0, bottom), mode=mode) if bottom or right else batch
