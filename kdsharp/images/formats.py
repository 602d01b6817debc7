"""What a file is, by its header: its kind, its depth, how many pictures it holds, whether it lost anything."""

import importlib.util
import re
from pathlib import Path

from PIL import Image, PngImagePlugin, features

from kdsharp.checks import UsageError, check_installed
from kdsharp.images.facts import orientation

_CODECS = {".jp2": "jpg_2000", ".avif": "avif"}
HEIF = (".heic", ".heif", ".hif")
"""What iPhones make: read and written by pillow-heif, kdsharp's extra ``heic``."""
if importlib.util.find_spec("pillow_heif"):
    importlib.import_module("pillow_heif").register_heif_opener()
SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".mpo",
    ".bmp",
    ".tif",
    ".tiff",
    ".webp",
    ".ppm",
    ".pgm",
    ".pbm",
) + tuple(suffix for suffix, codec in _CODECS.items() if features.check(codec))
SUFFIXES += HEIF  # without the extra each is refused by name, never passed over
"""Photos as they are found in a folder, where this Pillow has the codec. GIF holds palettes only, never 8-bit RGB."""
WRITTEN = ("PNG", "JPEG", "MPO", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF", "HEIF")
"""Formats that a photo is written back in; a camera's MPO is a JPEG with another behind it."""
MAX_PIXELS = 256_000_000
"""Largest photo that is read, in pixels: 190 megapixels, as phones make them, take 3 GB from file to file."""
MIN_SIDE = 16
"""Smallest side in pixels: below it no blur fits into the picture."""
RAW = (".3fr", ".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw")
"""What cameras call the files of their sensor."""
HEAD = 1 << 20
"""Bytes of a file in which its description is looked for: a colour profile may stand before it."""

Image.MAX_IMAGE_PIXELS = None  # check_kind states its own limit, with a remedy, before any pixel is decoded
PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK = 1 << 26  # long texts beside a picture are no damage

_KINDS = {"L": "greyscale", "1": "black-and-white", "P": "palette", "LA": "greyscale with alpha", "CMYK": "CMYK"}
_KINDS |= {"RGBA": "RGBA (with alpha)", "I;16": "16-bit", "I;16B": "16-bit", "I": "32-bit", "F": "float"}


def check_kind(path: Path, image: Image.Image, convert: bool) -> None:
    """A single picture of a size and a kind that can be sharpened.

    Raises:
        UsageError: with what it is instead, and the remedy.
    """
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UsageError(
            f"{path} has {width}x{height} = {width * height / 1e6:.0f} megapixels; the limit is "
            f"{MAX_PIXELS / 1e6:.0f} megapixels; crop it or make it smaller"
        )
    if min(width, height) < MIN_SIDE:
        raise UsageError(f"{path} has {width}x{height} pixels; each side needs at least {MIN_SIDE}; use a larger image")
    if image.format == "TIFF" and _is_raw(path, image):
        raise UsageError(
            f"{path} is a camera's raw file, whose first picture is a preview of {width}x{height} pixels; develop it "
            "into a photo first"
        )
    if image.format == "TIFF" and image.tag_v2.get(284) == 2 and depth(path, image) > 8:  # type: ignore[attr-defined]
        raise UsageError(
            f"{path} keeps its {depth(path, image)}-bit colours in planes of their own, which is not read; save it "
            "with its colours beside each other (interleaved)"
        )
    count = pictures(image)
    if count > 1:
        raise UsageError(f"{path} holds {count} pictures (an animation, or pages); give each as a file of its own")
    found = kind_of(path, image)
    if found != "RGB" and not convert:
        raise UsageError(f"{path} is a {found} image, but 8-bit RGB is needed; pass --convert, or save it as 8-bit RGB")


def _is_raw(path: Path, image: Image.Image) -> bool:
    """Whether a TIFF is what a camera's sensor saw: its first picture is a reduced one, or it is a DNG or CR2."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    reduced = tags.get(254, 0)
    return bool(isinstance(reduced, int) and reduced & 1) or 50706 in tags or _head(path)[8:10] == b"CR"


def unknown(path: Path) -> str:
    """The sentence for a file that Pillow does not know."""
    if path.suffix.lower() in RAW:
        return f"{path} is a camera's raw file; develop it into a photo first"
    if path.suffix.lower() in (".tif", ".tiff"):
        return f"{path} is a TIFF of a kind that is not read (colours as floats are one); save it as 8-bit RGB"
    return f"{path} is not an image that can be read; allowed are {', '.join(SUFFIXES)}"


def pictures(image: Image.Image) -> int:
    """How many pictures a file holds; what stands behind a camera's MPO, a preview or a second view, is not counted."""
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def kind_of(path: Path, image: Image.Image) -> str:
    """``RGB`` for an 8-bit RGB image, otherwise what it is in words."""
    if image.mode == "RGB" and "transparency" in image.info:
        return "RGB with a transparent colour"
    if image.mode in ("RGB", "RGBA") and depth(path, image) > 8:
        return f"{depth(path, image)}-bit"
    return _KINDS.get(image.mode, image.mode)


def check_codec(path: Path) -> None:
    """A photo of an iPhone needs a package that not everyone has.

    Raises:
        UsageError: with the command that installs it.
    """
    if path.suffix.lower() in HEIF:
        check_installed(("pillow_heif",), "heic")


def kind(path: Path) -> str:
    """``RGB`` for an 8-bit RGB image, otherwise what the file's header says in words.

    Raises:
        UsageError: when it is empty or no image at all.
    """
    check_codec(path)
    try:
        with Image.open(path) as image:
            return kind_of(path, image)
    except Exception:  # as in open_photo
        raise UsageError(f"{path} is not an image that can be read; repair or remove it") from None


def header(path: Path) -> tuple[str, tuple[int, int]]:
    """What a file's header says: its kind as :func:`kind` has it, and (width, height) once it is upright.

    Raises:
        UsageError: when it is empty or no image at all.
    """
    found = kind(path)
    with Image.open(path) as image:
        width, height = image.size
        return found, (height, width) if orientation(image) >= 5 else (width, height)


def depth(path: Path, image: Image.Image) -> int:
    """Bits per channel as the file's header says: Pillow reduces deeper RGB images to 8 bits without a word."""
    if image.format == "HEIF":
        return int(image.info.get("bit_depth", 8))
    if image.format == "TIFF":
        return max(image.tag_v2.get(258, (8,)))  # type: ignore[attr-defined]
    head = _head(path)
    if image.format == "PNG":
        return head[24]
    if image.format == "PPM":  # P6, width, height and largest value, with comments between them
        numbers = re.sub(rb"#[^\n]*", b"", head).split(maxsplit=4)
        return int(numbers[3]).bit_length()
    if image.format == "AVIF":  # the configuration of its codec: two flags for 10 and 12 bits
        place = head.find(b"av1C")
        flags = head[place + 6] if place >= 0 else 0
        return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    siz = head.find(b"\xff\x4f\xff\x51") if image.format == "JPEG2000" else -1
    return (head[siz + 42] & 0x7F) + 1 if siz >= 0 else 8  # the first component's depth in the codestream's SIZ marker


def is_lossless_webp(path: Path) -> bool:
    """Whether a WebP holds every pixel as it was: its chunk is called VP8L then; Pillow does not tell."""
    head, place = _head(path), 12
    while place + 8 <= len(head):
        name, size = head[place : place + 4], int.from_bytes(head[place + 4 : place + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
        place += 8 + size + size % 2
    return False


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def is_photo(path: Path) -> bool:
    """Whether a path is an image file by its name, and none that a system hides beside others (``._a.png``)."""
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() in SUFFIXES


def list_images(folder: str | Path) -> list[Path]:
    """All image files directly in ``folder``, sorted by name, without what a Mac or an editor hides beside them.

    Raises:
        UsageError: when the folder is missing or holds no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give a folder that holds images")
    found = sorted(path for path in folder.iterdir() if is_photo(path))
    if not found:
        raise UsageError(f"{folder} holds no image; allowed are {', '.join(SUFFIXES)}")
    return found
