"""Facts that Pillow passes over: a JPEG's captions and long XMP, a PNG's colours, what an XMP says of the pixels."""

import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

LONGEST = 65_533
"""Bytes that one segment of a JPEG holds."""
PHOTOSHOP, EXTENSION = b"Photoshop 3.0\0", b"http://ns.adobe.com/xmp/extension/\0"
THUMBNAILS = (0x0409, 0x040C)
"""Photoshop's resources that show the photo as it was."""
COLOURS = (b"cICP", b"cHRM", b"gAMA", b"sRGB")
"""PNG chunks that say what colours its numbers mean; a profile stands in a chunk of its own."""
TURNED = re.compile(rb"(tiff:Orientation(?:=[\"']|>))[2-8]")
CLIP = re.compile(rb"((?:MotionPhoto|MicroVideo)(?:=[\"']|>))1")


def segments(image: Image.Image) -> bytes:
    """IPTC captions, keywords and the second part of a long XMP, as the segments of a JPEG that they came in."""
    listed: list[tuple[str, bytes]] = getattr(image, "applist", [])
    found = [(b"\xff\xe1", content) for name, content in listed if name == "APP1" and content.startswith(EXTENSION)]
    kept = [
        b"8BIM" + code.to_bytes(2, "big") + b"\0\0" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)
        for code, data in image.info.get("photoshop", {}).items()
        if isinstance(data, bytes) and code not in THUMBNAILS
    ]
    if kept:
        found.append((b"\xff\xed", PHOTOSHOP + b"".join(kept)))
    return b"".join(
        mark + (len(content) + 2).to_bytes(2, "big") + content for mark, content in found if len(content) <= LONGEST
    )


def colours(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of a PNG's chunks of ``COLOURS``."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
            content = file.read(int.from_bytes(head[:4], "big"))
            file.seek(4, 1)  # its checksum
            if head[4:] in COLOURS:
                yield head[4:], content


def upright_xmp(xmp: bytes | str) -> bytes:
    """An XMP for a photo that was turned upright and has no clip behind it any more."""
    block = xmp.encode() if isinstance(xmp, str) else xmp
    return CLIP.sub(rb"\g<1>0", TURNED.sub(rb"\g<1>1", block))


def has_clip(path: Path, xmp: bytes | str) -> bool:
    """Whether a JPEG is a phone's motion photo: a clip stands behind its end."""
    block = xmp.encode() if isinstance(xmp, str) else xmp
    return bool(CLIP.search(block)) or b"MotionPhoto_Data" in path.read_bytes()  # Samsung's older way
