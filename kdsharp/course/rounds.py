"""The rounds of a blind test: which pictures are shown, in which order, the file of the answers, and their sums."""

import csv
import io
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats
from torch import Tensor

from kdsharp.checks import UsageError, check_images, make_folder

COLUMNS = ("mode", "seed", "round", "scene", "first", "second", "answer")
ROUNDING = 12**-0.5
"""Standard deviation of what is rounded away when a grade is a whole number."""
NORMAL = 1.96
"""Standard deviations of a normal distribution that hold 95 % of it."""


@dataclass(frozen=True)
class Round:
    """One question: the scene, and the systems whose pictures are shown, from left to right."""

    scene: str
    systems: tuple[str, ...]


def scenes_of(pictures: Mapping[str, Mapping[str, Tensor]]) -> list[str]:
    if len(pictures) < 2:
        raise UsageError(f"an opinion test compares at least two systems, found {len(pictures)}")
    scenes = list(next(iter(pictures.values())))
    for system, found in pictures.items():
        if set(found) != set(scenes):
            raise UsageError(f"{system} has the scenes {', '.join(found)}; expected {', '.join(scenes)}")
    if len(scenes) < 2:
        raise UsageError(f"one scene gives no interval; give at least two, found {len(scenes)}")
    for scene in scenes:
        check_images(*(found[scene] for found in pictures.values()), channels=3)
    return scenes


def rounds_of(systems: list[str], scenes: list[str], mode: str, seed: int) -> list[Round]:
    """Every system, or every pair of systems, on every scene, shuffled; a coin decides who stands left."""
    rng = np.random.default_rng(seed)
    groups = list(itertools.combinations(systems, 1 if mode == "rating" else 2))
    made = [Round(scene, group if rng.random() < 0.5 else group[::-1]) for scene in scenes for group in groups]
    return [made[index] for index in rng.permutation(len(made))]


def row_of(mode: str, seed: int, index: int, asked: Round, value: int) -> list[str]:
    """The row of an answer; see ``COLUMNS``."""
    first, second = (*asked.systems, "")[:2]
    return [mode, str(seed), str(index + 1), asked.scene, first, second, str(value)]


def resume(file: Path, allowed: Sequence[Sequence[list[str]]]) -> list[int]:
    """The answers that a file holds; a row that was cut off is taken out of it, so that its round is asked again.

    Args:
        file: what :func:`append` wrote.
        allowed: for each round the rows that it may have.

    Raises:
        UsageError: when the file holds something else, or belongs to another test.
    """
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]  # a crash in the middle of a row leaves no line end: ask that round again
    rows = list(csv.reader(io.StringIO(whole)))
    if rows and tuple(rows[0]) != COLUMNS:
        raise UsageError(f"{file} holds something else than opinions; give another file")
    for index, row in enumerate(rows[1:]):
        if index >= len(allowed) or row not in allowed[index]:
            raise UsageError(f"row {index + 1} of {file} belongs to another test; give another file")
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return [int(row[-1]) for row in rows[1:]]


def append(file: Path, row: list[str]) -> None:
    """One row, on the disk before this returns."""
    make_folder(file.parent)
    fresh = not file.exists() or file.stat().st_size == 0
    with file.open("a", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([COLUMNS, row] if fresh else [row])
        out.flush()
        os.fsync(out.fileno())


def graded(grades: Sequence[float]) -> tuple[float, float, float]:
    """Mean of grades from 1 to 5, one a scene, and the ends of its 95 % interval over scenes (Student's t).

    A grade is a whole number, so that its rounding alone has a standard deviation of ``1 / sqrt(12)``: grades that all
    agree are no more certain than that. The interval ends where the scale does.
    """
    values = np.asarray(grades, float)
    spread = max(float(values.std(ddof=1)), ROUNDING)
    half = stats.t.ppf(0.975, len(values) - 1) * spread / len(values) ** 0.5
    mean = float(values.mean())
    return mean, max(1.0, mean - half), min(5.0, mean + half)


def share(wins: int, count: int) -> tuple[float, float, float]:
    """Share of ``count`` comparisons won, and Wilson's 95 % interval, which lies in [0, 1] and never has width 0."""
    part, extra = wins / count, NORMAL**2 / count
    middle = (part + extra / 2) / (1 + extra)
    half = NORMAL / (1 + extra) * (part * (1 - part) / count + extra / (4 * count)) ** 0.5
    return part, max(0.0, middle - half), min(1.0, middle + half)


def bradley_terry(wins: np.ndarray, steps: int = 200) -> np.ndarray:
    """Strengths of n systems from ``wins[i, j]``, how often i won against j; their geometric mean is 1.

    The model: i wins against j with probability ``s[i] / (s[i] + s[j])`` (Bradley and Terry, 1952). To each pair half
    a win for either side is added, or a system that always won would be infinitely strong. Each step sets s[i] to its
    wins divided by the sum over j of ``matches[i, j] / (s[i] + s[j])``, which never lowers the likelihood.
    """
    count = len(wins)
    counted = wins + 0.5 * (1 - np.eye(count))
    matches, strengths = counted + counted.T, np.ones(count)
    for _ in range(steps):
        strengths = counted.sum(1) / (matches / (strengths[:, None] + strengths[None, :])).sum(1)
        strengths /= np.exp(np.log(strengths).mean())
    return strengths
