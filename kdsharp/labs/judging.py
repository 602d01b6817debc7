"""What the labs' scores share: reading an answer that may be anything, and naming the belief behind a wrong one."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kdsharp.labs.spec import Failure

Check = tuple[float, Any, str, str]
"""One line of :func:`kdsharp.labs.spec.tally`: points, whether it holds, the misconception, a sentence."""
Wrong = tuple[Any, str, str]
"""A wrong answer that somebody might give: its value, the misconception behind it, a sentence to its author."""


def array(answer: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The answer as finite float64 of ``shape``; an array of nan where it is anything else, so that no check holds."""
    unusable = np.full(shape, np.nan)
    if isinstance(answer, bool) or not isinstance(answer, (int, float, list, tuple, np.ndarray)):
        return unusable
    try:
        found = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        return unusable
    return found if found.shape == shape and np.isfinite(found).all() else unusable


def number(answer: Any) -> float:
    """The answer as a finite number (a NumPy scalar or an array of one value counts), or nan."""
    found = array(answer, answer.shape if isinstance(answer, np.ndarray) else ())
    return float(found.reshape(-1)[0]) if found.size == 1 else float("nan")


def usable(answer: Any, shape: tuple[int, ...], what: str) -> Check:
    """A check of no points that stands before the others and says why nothing could be read."""
    right = bool(np.isfinite(array(answer, shape)).all())
    if isinstance(answer, Failure):
        return 0, right, "no answer", f"`{what}` gave no answer: {answer.reason}."
    if isinstance(answer, np.ndarray) and answer.shape != shape:
        said = f"has shape {answer.shape}, expected {shape}"
        return 0, right, "wrong shape", f"What `{what}` returns {said}."
    said = "holds values that are no finite numbers" if isinstance(answer, np.ndarray) else "is no array of numbers"
    return 0, right, "no finite array", f"What `{what}` returns {said}."


def near(found: Any, right: Any, tolerance: float = 1e-6) -> bool:
    """Whether no value is further away than ``tolerance``; never where something is nan, or the shapes differ."""
    found, right = np.asarray(found, np.float64), np.asarray(right, np.float64)
    return bool(found.shape == right.shape and found.size and np.abs(found - right).max() <= tolerance)


def belief(found: Any, wrong: Iterable[Wrong], otherwise: tuple[str, str], tolerance: float = 1e-6) -> tuple[str, str]:
    """The misconception and the sentence of the first wrong answer that ``found`` is near to, or ``otherwise``."""
    return next(((name, said) for value, name, said in wrong if near(found, value, tolerance)), otherwise)
