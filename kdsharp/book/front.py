"""What the book's first page shows: a clip, the wipe, the map of the lessons, and the picture that other sites show."""

import html
import io
import re
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from kdsharp import checkpoints
from kdsharp.book import clip
from kdsharp.course import lessons
from kdsharp.course.guide import overview
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.evaluate import contestants
from kdsharp.explore.wipe import Wipe
from kdsharp.images import quantize, to_array
from kdsharp.island.files import unpacked
from kdsharp.metrics import psnr
from kdsharp.models import count_parameters
from kdsharp.plots import Picture, panels
from kdsharp.sweep import load_grid

WIDTH, HEIGHT, GAP = 176, 58, 26
"""Of a lesson on the map and of the space beside it, in pixels."""
CARD = (1200, 630)
"""Of the picture for other sites, in pixels: what they crop least."""
EYE = (40, 95)
"""Row and column where the part of the photo begins that the clip shows."""


def write(out: Path) -> None:
    """Write what ``index.md`` includes into a book's sources."""
    picture = front_picture()
    (out / "_static" / "front.webp").write_bytes(picture.content)  # by its name: a clip's poster and the title on paper
    shown = picture.tag().replace(picture.src(), "_static/front.webp")
    (out / "front.html").write_text(unpacked(shown, out / "_static" / "content", "_static/content"), "utf-8")
    (out / "clip.html").write_text(clip.write(shots(), load_grid("labels"), 2, EYE, out / "_static"), "utf-8")
    images, _ = _images()
    before, after = to_array(images["blurred"]), to_array(images["student"])
    page = Wipe(("blurred by an unsteady hand", before), ("after the student", after)).page()
    (out / "wipe.html").write_text(unpacked(page, out / "_static" / "content", "_static/content"), "utf-8")
    (out / "map.html").write_text(lesson_map(lessons()), "utf-8")
    (out / "_static" / "card.jpg").write_bytes(card(before, after))


def front_picture() -> Picture:
    """The course in one picture: a held-out photo blurred, after unsharp mask, student and teacher, and sharp."""
    images, sharp = _images()
    alt = "A cat's eye: blurred, unsharp mask, student, teacher, sharp; below, the difference to the sharp photo"
    return Picture(panels(images | {"sharp": sharp}, sharp, at=(70, 110)), alt)


def shots() -> list[clip.Shot]:
    """The photo blurred, after each method, and sharp, as the clip shows them."""
    images, sharp = _images()
    names = {"student": ("small", "a small student"), "teacher": ("teacher", "its large teacher")}
    found = [clip.Shot("sharp", to_array(sharp), float("inf"))]
    for title, image in reversed(images.items()):
        checkpoint, words = names.get(title, ("", title))
        weights = count_parameters(checkpoints.load(checkpoint).model) if checkpoint else 0
        found.insert(0, clip.Shot(words, to_array(image), psnr(quantize(image), sharp).item(), weights))
    return found


@cache
def _images() -> tuple[dict[str, Tensor], Tensor]:
    """A held-out photo blurred and after each method, and the sharp one, (1, 3, H, W) in [0, 1]."""
    pairs = synthetic_pairs(protocol("shake"), photos("test"))
    _, blurred, sharp = next(pair for pair in pairs if pair[0] == "chelsea")
    functions = contestants(["small", "teacher"], "shake")
    titles = {"input": "blurred", "unsharp": "unsharp mask", "small": "student", "teacher": "teacher"}
    with torch.inference_mode():
        return {titles[name]: function(blurred) for name, function in functions.items()}, sharp


def card(before: np.ndarray, after: np.ndarray) -> bytes:
    """Two pictures, uint8 (H, W, 3), side by side at one border, as a JPEG of the size that other sites show."""
    both = after.copy()
    both[:, : both.shape[1] // 2] = before[:, : both.shape[1] // 2]
    made, packed = ImageOps.fit(Image.fromarray(both), CARD, Image.Resampling.LANCZOS), io.BytesIO()
    made.save(packed, format="jpeg", quality=88)
    return packed.getvalue()


def needs(path: Path) -> list[str]:
    """The lessons, by number, that a lesson names under *Before you start*; all need 00."""
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells[:8])
    found = re.search(r"\*\*Before you start\W*\*\*(.*?)\*\*Minutes", text, re.DOTALL)
    return sorted(set(re.findall(r"[Ll]esson (\d\d)", found[1])) - {"00"}) if found else []


def lesson_map(paths: dict[str, Path]) -> str:
    """The lessons as an SVG with links: further down needs more, a line is a prerequisite. On a phone one column.

    Args:
        paths: name of a lesson, ``09_distillation``, to its notebook.
    """
    known = {name[:2]: name for name in sorted(paths)}
    before = _direct({number: [each for each in needs(paths[name]) if each < number] for number, name in known.items()})
    before = {number: found or ["00"] * (number != "00") for number, found in before.items()}
    wide = _side_by_side(paths, known, before)
    return (
        '<div class="kdsharp-map kdsharp-map-wide kdsharp-pan" tabindex="0" role="region" '
        f'aria-label="Map of the lessons">{wide}</div>'
        f'<div class="kdsharp-map kdsharp-map-narrow">{_in_one_column(paths, known, before)}</div>'
    )


def _side_by_side(paths: dict[str, Path], known: dict[str, str], before: dict[str, list[str]]) -> str:
    """The map for a wide page: below each other what needs each other, beside each other what does not."""
    depth: dict[str, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for number in known:
        depth[number] = max((1 + depth[each] for each in before[number]), default=0)
        beside = list(depth.values()).count(depth[number]) - 1
        places[number] = (beside * (WIDTH + GAP), depth[number] * (HEIGHT + GAP))
    lines, boxes = [], []
    for number, name in known.items():
        x, y = places[number]
        for each in before[number]:
            from_x, from_y, to_x = places[each][0] + WIDTH // 2, places[each][1] + HEIGHT, x + WIDTH // 2
            bend = (y - from_y) // 2
            lines.append(f'<path d="M{from_x} {from_y} C{from_x} {from_y + bend} {to_x} {y - bend} {to_x} {y}"/>')
        found = overview(paths[name])
        words = [html.escape(line) for line in _broken(f"{number} {found.title}")]
        text = "".join(f'<tspan x="{x + 8}" dy="{1.2 if k else 0}em">{line}</tspan>' for k, line in enumerate(words))
        boxes.append(
            f'<a href="lessons/{name}.html"><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
            f'<text x="{x + 8}" y="{y + 17}">{text}</text>'
            f'<text class="kdsharp-minutes" x="{x + 8}" y="{y + HEIGHT - 7}">{found.minutes} min</text></a>'
        )
    size = max(x for x, _ in places.values()) + WIDTH, max(y for _, y in places.values()) + HEIGHT
    return _drawing("The lessons, each below what it needs", size, [*lines, *boxes])


def _in_one_column(paths: dict[str, Path], known: dict[str, str], before: dict[str, list[str]]) -> str:
    """The map for a phone: one lesson a row, with its minutes and what it needs in words."""
    rows = []
    for number, name in known.items():
        found = overview(paths[name])
        after = f", after {' and '.join(before[number])}" if before[number] else ""
        title = html.escape(f"{number} {found.title}")
        rows.append(f'<a href="lessons/{name}.html"><b>{title}</b><span>{found.minutes} min{after}</span></a>')
    return "".join(rows)


def _drawing(label: str, size: tuple[int, int], parts: list[str]) -> str:
    """One SVG of the map, in its own pixels."""
    width, height = size[0] + 4, size[1] + 4
    return (
        f'<svg viewBox="-2 -2 {width} {height}" width="{width}" height="{height}" role="group" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _direct(before: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without what another prerequisite needs already."""
    whole: dict[str, set[str]] = {}
    for number in sorted(before):
        whole[number] = set(before[number]).union(*(whole[each] for each in before[number]))
    return {
        n: [each for each in found if not any(each in whole[other] for other in found)] for n, found in before.items()
    }


def _broken(text: str, most: int = 22) -> list[str]:
    """Words in two lines at most."""
    first: list[str] = []
    rest = text.split()
    while rest and len(" ".join([*first, rest[0]])) <= most:
        first.append(rest.pop(0))
    return [" ".join(first), " ".join(rest)] if rest else [" ".join(first)]
