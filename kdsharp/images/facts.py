"""What a photo says beside its pixels: when and where it was taken, how its colours are meant, how it was packed."""

from pathlib import Path
from typing import Any

from PIL import Image, JpegImagePlugin, PngImagePlugin

from kdsharp.images.beside import colours, has_clip, segments, upright_xmp

ORIENTATION = 0x0112
SIDES = 40962, 40963
"""EXIF's width and height."""
RESOLUTION = 282
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a photo is turned upright, by its orientation number."""
HOLDS = {
    "JPEG": ("exif", "icc_profile", "dpi", "xmp", "comment", "extra"),
    "PNG": ("exif", "icc_profile", "dpi", "xmp"),
    "WEBP": ("exif", "icc_profile", "xmp"),
    "AVIF": ("exif", "icc_profile", "xmp"),
    "HEIF": ("exif", "icc_profile", "xmp"),
    "TIFF": ("exif", "icc_profile", "dpi"),
    "JPEG2000": (),
    "BMP": ("dpi",),
    "PPM": (),
}
"""Which facts a format can be given by Pillow."""
LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF")
"""Formats that are written at a quality."""
WORDS = {
    "exif": "EXIF",
    "icc_profile": "colour profile",
    "dpi": "resolution",
    "xmp": "XMP",
    "comment": "comment",
    "extra": "IPTC",
}
TIFF_FACTS = (270, 271, 272, 282, 283, 296, 305, 306, 315, 700, 18246, 18249, 33432, 33723, 34377, 34665, 34853)
"""A TIFF's tags that speak of the photo; all others speak of how its pixels lie in the file."""


def orientation(image: Image.Image) -> int:
    """The orientation number, 1 where there is none or it cannot be read."""
    exif = _exif(image)
    found = exif.get(ORIENTATION, 1) if exif else 1
    return found if found in TURNS else 1


def upright(image: Image.Image, number: int) -> Image.Image:
    """The picture turned as an orientation number says."""
    return image.transpose(TURNS[number]) if number in TURNS else image


def facts(image: Image.Image, path: Path) -> tuple[dict[str, Any], list[str]]:
    """What is given to Pillow to write a photo's facts back, and, in words, what cannot be kept."""
    found: dict[str, Any] = {}
    lost: list[str] = []
    exif, broken = _clean_exif(image)
    if exif:
        found["exif"] = exif
    lost += broken
    for name in ("icc_profile", "dpi", "xmp", "comment"):
        if image.info.get(name) and (name != "dpi" or _has_resolution(image)):
            found[name] = image.info[name]
    if image.mode not in ("RGB", "RGBA", "P") and found.pop("icc_profile", None) and image.mode != "CMYK":
        lost.append(f"its colour profile, which speaks of {image.mode} and not of RGB")
    name = "JPEG" if image.format == "MPO" else str(image.format)
    if name == "JPEG" and has_clip(path, found.get("xmp", b"")):
        lost.append("the clip behind it (a motion photo)")
    if found.get("xmp"):
        found["xmp"] = upright_xmp(found["xmp"])
    if extra := segments(image):
        found["extra"] = extra
    lost += [WORDS[each] for each in found if each not in HOLDS[name] and (name, each) != ("TIFF", "xmp")]
    kept: dict[str, Any] = {each: value for each, value in found.items() if each in HOLDS[name]}
    if name == "PNG":
        kept["pnginfo"] = _chunks(image, path, kept.pop("xmp", None))
    if image.info.get("depth_images") or image.info.get("aux"):
        lost.append("the maps that its camera laid beside it (depth, gain)")
    if image.format == "MPO":
        count = getattr(image, "n_frames", 1) - 1
        lost.append(
            f"{count} more picture{'s' if count > 1 else ''} behind the first (a camera's preview or second view)"
        )
    return kept, lost


def packing(image: Image.Image, lossless_webp: bool) -> dict[str, Any]:
    """How a photo is packed again: as well as it came, and without loss where it had none."""
    if image.format in ("JPEG", "MPO"):
        options: dict[str, Any] = {"format": "JPEG", "optimize": True}
        if image.info.get("progressive"):
            options["progressive"] = True
        tables = getattr(image, "quantization", None)
        if orientation(image) != 1 or not tables or image.mode != "RGB":
            return options | {"quality": 97, "subsampling": 0}  # turned blocks are other blocks
        sampling = JpegImagePlugin.get_sampling(image)
        return options | {
            "qtables": tables,
            "subsampling": max(sampling, 0),
        }  # an unusual sampling becomes the full one
    if image.format == "WEBP":
        return {"format": "WEBP"} | ({"lossless": True, "exact": True} if lossless_webp else {"quality": 98})
    if image.format == "HEIF":
        return {"format": "HEIF", "quality": 95, "chroma": 444}
    if image.format == "AVIF":
        return {"format": "AVIF", "quality": 95, "subsampling": "4:4:4"}
    if image.format == "TIFF":
        packed = image.info.get("compression", "raw")
        lossy = packed in ("jpeg", "webp", "group3", "group4", "tiff_ccitt")
        return {"format": "TIFF", "compression": "tiff_lzw" if lossy else packed}
    return {"format": image.format}


def _exif(image: Image.Image) -> Image.Exif | None:
    try:
        return image.getexif()
    except Exception:  # struct.error, SyntaxError, TypeError, KeyError: a block of junk
        return None


def _clean_exif(image: Image.Image) -> tuple[bytes, list[str]]:
    """The EXIF block for an upright photo, without its old thumbnail, and in words what of it cannot be read."""
    exif = _exif(image)
    if exif is None:
        return b"", ["its EXIF block, which cannot be read"]
    if image.format == "TIFF":
        whole, exif = exif, Image.Exif()
        for tag in TIFF_FACTS:
            if tag in whole:
                exif[tag] = dict(whole.get_ifd(tag)) if tag in (34665, 34853) else whole[tag]
        if isinstance(exif.get(700), bytes):
            exif[700] = upright_xmp(exif[700])
    if not len(exif):
        return b"", []
    if 34665 in exif:
        inner: Any = exif[34665] if isinstance(exif[34665], dict) else exif.get_ifd(34665)
        size = image.size[::-1] if orientation(image) >= 5 else image.size  # Pillow has turned a TIFF already
        inner.update({tag: side for tag, side in zip(SIDES, size, strict=True) if tag in inner})
    if ORIENTATION in exif:
        exif[ORIENTATION] = 1
    try:
        return exif.tobytes(), []
    except Exception:  # one tag that holds what its kind cannot hold
        return _readable_tags(exif)


def _readable_tags(exif: Image.Exif) -> tuple[bytes, list[str]]:
    """The EXIF block without the tags that cannot be written."""
    kept, lost = Image.Exif(), []
    for tag in list(exif):
        try:
            kept[tag] = dict(exif.get_ifd(tag)) if tag in (34665, 34853, 40965) else exif[tag]
            kept.tobytes()
        except Exception:
            del kept[tag]
            lost.append(f"EXIF tag {tag}, which is broken")
    return (kept.tobytes() if len(kept) else b""), lost


def _chunks(image: Image.Image, path: Path, xmp: bytes | None) -> PngImagePlugin.PngInfo:
    """A PNG's texts, its XMP among them, and the meaning of its colours."""
    made = PngImagePlugin.PngInfo()
    for name, text in getattr(image, "text", {}).items():
        if name != "XML:com.adobe.xmp":
            made.add_itxt(name, str(text)) if not str(text).isascii() else made.add_text(name, str(text))
    if xmp:
        made.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    for chunk, content in colours(path):
        made.add(chunk, content)
    return made


def _has_resolution(image: Image.Image) -> bool:
    """Whether the file says how many pixels an inch has: Pillow says 1 or 72 where a TIFF or a JPEG says nothing."""
    exif = _exif(image) or Image.Exif()
    if image.format == "TIFF":
        return RESOLUTION in exif
    return image.format not in ("JPEG", "MPO") or image.info.get("jfif_unit") in (1, 2) or RESOLUTION in exif
