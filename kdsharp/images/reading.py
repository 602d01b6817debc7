"""A photo's pixels, and what must be kept of it beside them."""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from kdsharp.checks import UsageError, check_readable
from kdsharp.images.facts import HOLDS, LOSSY, facts, orientation, packing, upright
from kdsharp.images.formats import SUFFIXES, WRITTEN, check_codec, check_kind, is_lossless_webp, unknown


@dataclass(frozen=True)
class Kept:
    """What a photo is written back with.

    Args:
        options: for Pillow: format, quality, EXIF, XMP, resolution, colour profile.
        left_out: in words, what this format or this file does not let us keep.
    """

    options: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def under(self, path: str | Path) -> "Kept":
        """The same for a file of another name: where its suffix names another format, only the facts that it holds."""
        Image.init()
        wanted = Image.EXTENSION.get(Path(path).suffix.lower())
        if wanted is None or not self.options or wanted == self.options["format"]:
            return self
        facts = {name: value for name, value in self.options.items() if name in HOLDS.get(wanted, ())}
        return Kept({"format": wanted} | ({"quality": 95} if wanted in LOSSY else {}) | facts, self.left_out)


def open_photo(path: str | Path, convert: bool = False, written: bool = True) -> tuple[np.ndarray, Kept]:
    """Read a photo with what is needed to write it back in the same form.

    Args:
        path: any file that Pillow decodes.
        convert: accept greyscale, palette, CMYK, 16-bit and alpha images by turning them into 8-bit RGB.
        written: refuse formats that cannot be written back.

    Returns:
        the pixels, uint8 (H, W, 3), turned upright as its EXIF orientation says, and what is kept.

    Raises:
        UsageError: when the file is missing, empty, truncated, of another kind, too small or too large, or holds more
            than one picture.
    """
    path = Path(path)
    check_readable(path)
    if not path.is_file():
        link = "a link that leads nowhere" if path.is_symlink() else "no file" if path.exists() else "missing"
        kind = "a folder" if path.is_dir() else link
        raise UsageError(f"{path} is {kind}; give the path of an image file ({', '.join(SUFFIXES)})")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty (0 bytes); copy or download it again")
    try:
        check_codec(path)
    except UsageError as error:
        raise UsageError(f"{path} is a HEIC photo: {error}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd EXIF blocks that do not touch the pixels
            with Image.open(path) as image:
                refused = written and image.format not in WRITTEN
                check_kind(path, image, convert or refused)
                if refused:
                    raise UsageError(
                        f"{path} is a {image.format} file, which is read and not written; save it as one of: "
                        f"{', '.join(SUFFIXES)}"
                    )
                image.load()  # before facts are looked at: damage of the picture is not damage of a fact
                pixels = np.asarray(upright(_to_rgb(path, image), orientation(image)))
                if not written:
                    return pixels, Kept()
                packed = packing(image, image.format == "WEBP" and is_lossless_webp(path))
                kept, lost = facts(image, path)  # last: it sets the orientation to 1
    except UnidentifiedImageError:
        raise UsageError(unknown(path)) from None
    except UsageError:
        raise
    except Exception as error:  # decoders have a dozen of their own for a byte that is not what it was
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UsageError(f"{path} is damaged ({reason}); copy or download it again") from None
    return pixels, Kept(packed | kept, tuple(lost))


def read(path: str | Path, convert: bool = False) -> np.ndarray:
    """The pixels of a photo, uint8 (H, W, 3). Errors and ``convert`` as in :func:`open_photo`."""
    return open_photo(path, convert, written=False)[0]


def _to_rgb(path: Path, image: Image.Image) -> Image.Image:
    """Any picture as 8-bit RGB: deep ones scaled to their white, CMYK by its profile, transparency on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray((_levels(path, image) * 255 + 0.5).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "CMYK" and image.info.get("icc_profile"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            seen = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (OSError, ImageCms.PyCMSError):  # broken, or of another kind of picture: as without a profile
            seen = None
        if seen is not None:
            return seen
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _levels(path: Path, image: Image.Image) -> np.ndarray:
    """A deep grey picture with its white at 1: that of its whole numbers, and the 1 of a float."""
    values = np.asarray(image)
    tags = image.tag_v2 if image.format == "TIFF" else {}  # type: ignore[attr-defined]
    bits, is_signed, is_negative = max(tags.get(258, (16,))), tags.get(339, (1,))[0] == 2, tags.get(262) == 0
    if image.mode == "F":
        levels = np.nan_to_num(values.astype(np.float64))
        if np.median(levels) > 1:
            raise UsageError(
                f"most of the floats in {path} are above 1, which is white (the largest is {levels.max():g}); divide "
                "them by what is white there"
            )
    else:
        if bits == 32 and not is_signed:
            values = values.view(np.uint32)  # Pillow knows signed ones alone
        levels = values / (2.0 ** (bits - is_signed) - 1)
    return 1 - levels if is_negative else levels
