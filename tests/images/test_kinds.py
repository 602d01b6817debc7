"""Every kind of picture in every format: done, done with --convert, refused with a reason, or not possible.

Each cell makes its own file. The table stands in ``book/files.md``, where readers find it, and is compared with what
happens here.
"""

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.datasets import photos

PAGE = Path(__file__).parents[2] / "book" / "files.md"
PHOTO = Image.fromarray(photos("train")[0].pixels[:96, :128])
FORMATS = {
    "JPEG": "jpg",
    "PNG": "png",
    "WebP": "webp",
    "TIFF": "tif",
    "AVIF": "avif",
    "HEIC": "heic",
    "JPEG 2000": "jp2",
    "BMP": "bmp",
    "PPM": "ppm",
    "GIF": "gif",
}
PILLOW = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF", "jp2": "JPEG2000"}
LEAST = {"jpg": 45, "webp": 44, "avif": 44, "heic": 44}
"""Decibels at strength 0; formats that are not here come back exactly."""


def mode(name):
    """A picture of this mode; formats that store it as another have no such kind."""

    def make(path, **options):
        made = PHOTO.quantize(64, dither=Image.Dither.NONE) if name == "P" else PHOTO.convert(name)
        if name in ("LA", "RGBA"):
            made.putalpha(Image.linear_gradient("L").resize(made.size))
        made.save(path, **options)
        with Image.open(path) as image:
            if image.mode != name:
                raise OSError("this format stores it otherwise")

    return make


def transparent_colour(path, **options):
    PHOTO.save(path, transparency=(0, 0, 0), **options)
    with Image.open(path) as image:
        if "transparency" not in image.info:
            raise OSError("this format holds no transparent colour")


def png(path, pixels):
    """A PNG of 16 bits a channel, which Pillow does not write in colour."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 0, 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, content in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
            check = zlib.crc32(name + content)
            file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", check))


def deep(channels, kind):
    def make(path, **options):
        levels = np.asarray(PHOTO).astype(float) / 255
        pixels = (levels * (1 if kind == np.float32 else 65535)).astype(kind)
        pixels = pixels if channels == 3 else pixels[..., 0]
        if path.suffix == ".png" and kind == np.uint16:
            png(path, pixels.reshape(*pixels.shape[:2], channels))
        elif path.suffix == ".tif":
            tifffile.imwrite(path, pixels)
        elif path.suffix == ".ppm" and channels == 3 and kind == np.uint16:
            path.write_bytes(b"P6\n128 96\n65535\n" + pixels.astype(">u2").tobytes())
        elif path.suffix == ".jp2" and channels == 1 and kind == np.uint16:
            Image.fromarray(pixels).save(path, **options)
        else:
            raise OSError("this format has no such kind")
        with Image.open(path):
            pass

    return make


def turned(path, **options):
    exif = Image.Exif()
    exif[0x0112] = 6
    PHOTO.save(path, exif=exif.tobytes(), **options)
    with Image.open(path) as image:
        if path.suffix != ".heic" and image.getexif().get(0x0112) != 6:
            raise OSError("this format holds no orientation")


def profiled(path, **options):
    PHOTO.save(path, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), **options)
    with Image.open(path) as image:
        if not image.info.get("icc_profile"):
            raise OSError("this format holds no profile")


def several(path, **options):
    frames = [Image.fromarray(np.roll(np.asarray(PHOTO), 20 * shift, 1)) for shift in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    with Image.open(path) as image:
        if getattr(image, "n_frames", 1) == 1:
            raise OSError("this format holds one picture")


def changed(change):
    def make(path, **options):
        PHOTO.save(path, **options)
        path.write_bytes(change(path.read_bytes()))

    return make


def renamed(path, **options):
    """A file of another format under this name, as messengers make them."""
    packed = io.BytesIO()
    PHOTO.save(packed, format="JPEG" if path.suffix == ".png" else "PNG")
    path.write_bytes(packed.getvalue())


KINDS = {
    "8-bit RGB": mode("RGB"),
    "turned by its EXIF": turned,
    "with a colour profile": profiled,
    "another format under this name": renamed,
    "greyscale": mode("L"),
    "grey with alpha": mode("LA"),
    "palette": mode("P"),
    "black and white": mode("1"),
    "RGB with alpha": mode("RGBA"),
    "a transparent colour": transparent_colour,
    "CMYK": mode("CMYK"),
    "16-bit RGB": deep(3, np.uint16),
    "16-bit grey": deep(1, np.uint16),
    "float": deep(1, np.float32),
    "animation or pages": several,
    "cut off": changed(lambda content: content[: len(content) // 3]),
    "empty": changed(lambda content: b""),
}


def decibels(a, b):
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)


def outcome(kind, suffix, folder):
    """One cell: what happens to such a file, in the table's words."""
    path = folder / f"photo.{suffix}"
    try:
        KINDS[kind](path, format=PILLOW.get(suffix, suffix.upper()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return "not possible"
    words = "done"
    for convert in (False, True):
        try:
            pixels, kept = images.open_photo(path, convert)
        except UsageError as error:
            said = str(error)
            assert str(path) in said
            assert "\n" not in said
            if "pass --convert" in said and not convert:
                words = "done with `--convert`"
                continue
            for reason, pattern in {
                "holds 3 pictures": "holds 3 pictures",
                "damaged": "is damaged|not an image",
                "empty": r"\(0 bytes\)",
                "never written": "read and not written",
            }.items():
                if re.search(pattern, said):
                    return f"refused: {reason}"
            raise
        written = images.write(folder / f"back.{suffix}", pixels, kept)
        back = images.read(written)
        assert back.shape == pixels.shape
        with Image.open(path) as one, Image.open(written) as other:
            assert one.format == other.format
            name = {"JPEG": "jpg"}.get(str(other.format), suffix)
        assert decibels(back, pixels) >= LEAST.get(name, np.inf if not convert else 38)
        return words
    raise AssertionError("unreachable")


def table():
    """The rows of the page: kind, then a cell a format."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert rows[0][1:] == list(FORMATS)
    return {row[0]: row[1:] for row in rows[2:]}


def test_the_page_has_every_kind_and_no_empty_cell():
    rows = table()
    assert list(rows) == list(KINDS)
    assert all(cell for row in rows.values() for cell in row)


@pytest.mark.parametrize("kind", KINDS)
def test_each_cell_is_what_happens(kind, tmp_path):
    found = []
    for suffix in FORMATS.values():
        folder = tmp_path / suffix
        folder.mkdir()
        found.append(outcome(kind, suffix, folder))
    assert found == table()[kind]
