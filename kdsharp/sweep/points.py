"""Points: the runs of a sweep, each with an identity that says whether it has been done."""

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kdsharp.checks import UsageError, check_name, check_positive, value_of
from kdsharp.recipes import PROFILES
from kdsharp.sweep.targets import Target


@dataclass(frozen=True)
class Point:
    """One run of a sweep: what is run, with which parameters, seed and profile.

    ``content`` is the digest of the target when the point was made. It is part of the identity: after an edit of the
    lesson or the recipe every point is another point, and is run again.
    """

    target: Target
    parameters: tuple[tuple[str, Any], ...]
    seed: int
    profile: str
    content: str

    @property
    def identity(self) -> str:
        """Sixteen hexadecimal digits, the same on every machine and for ``1`` and ``1.0``."""
        values = {name: float(value) if _is_number(value) else value for name, value in self.parameters}
        parts = [self.target.label, values, self.seed, self.profile, self.content]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def parse_grid(texts: Sequence[str]) -> dict[str, list[Any]]:
    """``["ALPHA=0,0.5", "OPTIMIZER=adam,sgd"]`` as values by name; what is no number is text.

    Raises:
        UsageError: for a text without ``=`` or values, or a name that comes twice.
    """
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        name = name.strip()
        if not name or not values.strip():
            raise UsageError(f"--grid is {text!r}, but it must be NAME=VALUE,VALUE,... such as ALPHA=0,0.5,1")
        if name.lower() in {each.lower() for each in grid}:
            raise UsageError(f"--grid names {name} twice; give all its values in one")
        grid[name] = _values(values, text)
    return grid


def _values(text: str, whole: str) -> list[Any]:
    try:
        return json.loads(f"[{text}]")  # numbers, and lists such as MODELS=["small"],["small","teacher"]
    except json.JSONDecodeError:
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise UsageError(f"--grid is {whole!r}, with nothing between two commas; remove one") from None
        return [value_of(part) for part in parts]


def grid_points(target: Target, grid: dict[str, list[Any]], seeds: int = 1, profile: str = "lab") -> list[Point]:
    """Every combination of the grid's values, each with the seeds 0 to ``seeds - 1``.

    Names may be written in any case: ``ALPHA`` sets a lesson's ``ALPHA`` and a recipe's ``alpha``.

    Raises:
        UsageError: for an unknown profile or parameter, or a value that the target refuses.
    """
    check_name(profile, PROFILES, "profile")
    check_positive(seeds, "--seeds")
    if seeds > 1 and not target.seeded:
        raise UsageError(f"{target.label} has no parameter SEED: --seeds {seeds} would repeat one run; leave it out")
    known = {name.lower(): name for name in target.names()}
    named = {}
    for name, values in grid.items():
        if name.lower() in ("seed", "profile"):
            raise UsageError(f"--grid cannot hold {name}; use --{'seeds N' if name.lower() == 'seed' else 'profile'}")
        if name.lower() not in known:
            typed = name.lower() if all(each.islower() for each in known.values()) else name
            check_name(typed, known.values(), f"parameter of {target.label}")
        named[known[name.lower()]] = values
    content = target.digest()
    points: dict[str, Point] = {}
    for combination in itertools.product(*named.values()):
        settled = target.settle(dict(zip(named, combination, strict=True)))
        for seed in range(seeds):
            point = Point(target, tuple(sorted(settled.items())), seed, profile, content)
            points.setdefault(point.identity, point)
    return list(points.values())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
