"""How a clip moves: dense optical flow between neighbouring frames, where it can be trusted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdsharp import images, video
from kdsharp.checks import UsageError, check_installed

PAIRS = 16
"""Neighbouring frames that are looked at, spread over the clip."""
VECTORS = 400
"""Places that are taken from each pair of frames."""
LEAST = 1.0
"""Pixels: where nine of ten places move less, the clip's blur is not that of motion."""
AGREEMENT = 0.2
"""The share of detailed places where flow there and back must cancel; with less, there is a cut between."""


@dataclass(frozen=True)
class Movement:
    """Where a clip goes: ``vectors`` (N, 2) in pixels from frame to frame; ``cuts`` of ``pairs`` were left out."""

    vectors: np.ndarray
    pairs: int
    cuts: int

    @property
    def lengths(self) -> np.ndarray:
        """Of the vectors, in pixels, (N,)."""
        return np.hypot(*self.vectors.T)

    def sentence(self) -> str:
        """How far it goes, and what was left out, in one line."""
        least, middle, most = np.quantile(self.lengths, [0.1, 0.5, 0.9])
        cuts = f"; {self.cuts} of {self.pairs} pairs of frames left out, a cut between them" if self.cuts else ""
        where = f"eight of ten places: {least:.1f} to {most:.1f}" if most - least >= 0.1 else "everywhere alike"
        return f"moves {middle:.0f} pixels a frame ({where}){cuts}"

    def as_tuple(self) -> tuple[tuple[float, float], ...]:
        """The vectors as :class:`kdsharp.degrade.ClipMotion` takes them."""
        return tuple((float(x), float(y)) for x, y in self.vectors)


def neighbours(
    source: Path | Sequence[Path], count: int = PAIRS, convert: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Up to ``count`` pairs of neighbouring frames, uint8 (H, W, 3), evenly over a video or a burst of photos.

    A photo that cannot be read is left out; ``convert`` is that of :func:`kdsharp.images.read`.

    Raises:
        UsageError: for a video that cannot be read, a burst without a pair that can, or photos of different sizes.
    """
    if isinstance(source, Path):
        yield from video.neighbours(source, count)
        return
    broken, found = None, False
    for first in sorted(set(np.linspace(0, len(source) - 2, count).round().astype(int))) if len(source) > 1 else ():
        try:
            one, other = images.read(source[first], convert), images.read(source[first + 1], convert)
        except UsageError as error:
            broken = error
            continue
        if one.shape != other.shape:
            raise UsageError(
                f"{source[first]} and {source[first + 1]} differ in size; a burst has photos of one size, in order"
            )
        found = True
        yield one, other
    if broken and not found:
        raise broken


def motion_of(pairs: Iterable[tuple[np.ndarray, np.ndarray]], seed: int = 0) -> Movement:
    """The flow of pairs of neighbouring frames, at random places where it agrees there and back.

    A place counts when following the flow to the other frame, and that frame's flow back, ends within
    ``0.5 + 0.05 |v|`` pixels of where it began; what is hidden or flat does not. A pair in which few places agree is
    a cut between two scenes and left out.

    Source: DIS flow, Kroeger et al., ECCV 2016, as OpenCV has it. Lesson 14.

    Raises:
        UsageError: when there is one frame only, nothing but cuts, or no motion.
    """
    check_installed(("cv2",), "video")
    import cv2

    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    rng, found, cuts, seen = np.random.default_rng(seed), [], 0, 0
    for pair in pairs:
        seen += 1
        vectors = _agreed(finder, *(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in pair))
        if vectors is None:
            cuts += 1
        else:
            found.append(vectors[rng.integers(len(vectors), size=VECTORS)])
    if not seen:
        raise UsageError("there is one frame only, and motion shows between two; sharpen it without --adapt")
    if not found:
        raise UsageError("no two neighbouring frames show the same scene; sharpen them without --adapt")
    movement = Movement(np.concatenate(found), seen, cuts)
    if np.quantile(movement.lengths, 0.9) < LEAST:
        raise UsageError(
            f"hardly anything moves ({np.quantile(movement.lengths, 0.9):.1f} pixels a frame), so that its blur is not "
            "that of motion; sharpen it without --adapt"
        )
    return movement


def _agreed(finder: Any, one: np.ndarray, other: np.ndarray) -> np.ndarray | None:
    """Flow vectors (N, 2) at the places where there and back agree; None where too few do."""
    import cv2

    there, back = finder.calc(one, other, None), finder.calc(other, one, None)
    rows, columns = np.indices(one.shape, dtype=np.float32)
    ends = (columns + there[..., 0], rows + there[..., 1])
    returned = cv2.remap(back, *ends, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(1e6, 1e6))
    missed = np.hypot(*(there + returned).transpose(2, 0, 1))
    agree = missed < 0.5 + 0.05 * np.hypot(*there.transpose(2, 0, 1))
    detailed = cv2.GaussianBlur(np.abs(cv2.Laplacian(one, cv2.CV_32F)), (0, 0), 4) > 1  # a flat sky fits any motion
    agree &= detailed
    return there[agree] if agree.sum() > AGREEMENT * max(1, detailed.sum()) else None
