"""How well a class's certainty fits: from the reports that its readers handed in (floor 7)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from kdsharp.checks import UsageError, check_readable
from kdsharp.course.kept import read


@dataclass(frozen=True)
class Share:
    """Predictions that have something in common: how many were measured, and how many of them were right."""

    count: int
    right: int

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share of right ones, by Wilson: it never leaves [0, 1]."""
        from scipy.stats import binomtest

        found = binomtest(self.right, self.count).proportion_ci(0.95, "wilson")
        return float(found.low), float(found.high)


def locked(file: str | Path) -> list[dict[str, Any]]:
    """The predictions of one report (JSON) or ledger that were locked and measured.

    Raises:
        UsageError: for a file that is neither.
    """
    check_readable(file)
    if not Path(file).is_file():
        raise UsageError(f"{file} is no file")
    found = [entry for entries in read(file).values() for entry in entries.values() if isinstance(entry, dict)]
    mine = [each for each in found if each.get("kind") == "prediction" and each.get("state") == "locked"]
    return [each for each in mine if isinstance(each.get("right"), bool) and isinstance(each.get("sure"), int)]


def by_certainty(predictions: Iterable[dict[str, Any]]) -> dict[int, Share]:
    """Certainty in percent to how often it was right, in rising order."""
    return dict(sorted(_shares(predictions, "sure").items()))


def by_question(predictions: Iterable[dict[str, Any]]) -> dict[str, Share]:
    """Question to how often it was answered right, the hardest first."""
    return dict(sorted(_shares(predictions, "question").items(), key=lambda item: item[1].right / item[1].count))


def _shares(predictions: Iterable[dict[str, Any]], key: str) -> dict[Any, Share]:
    groups: dict[Any, list[bool]] = defaultdict(list)
    for each in predictions:
        groups[each.get(key)].append(each["right"])
    return {name: Share(len(marks), sum(marks)) for name, marks in groups.items()}


def draw(shares: dict[int, Share]) -> Figure:
    """Share of right predictions against the certainty that was stated, with intervals; the diagonal fits exactly."""
    from kdsharp.plots import COLOURS, WIDTH, figure

    made = figure(WIDTH, 360)
    axes = made.add_subplot()
    axes.plot([0, 100], [0, 100], ":", color=COLOURS[4], label="certainty fits")
    for sure, share in shares.items():
        low, high = share.interval()
        axes.plot([sure, sure], [100 * low, 100 * high], color=COLOURS[0])
        axes.plot([sure], [100 * share.right / share.count], "o", color=COLOURS[0])
        axes.annotate(f"n = {share.count}", (sure, 100 * high), textcoords="offset points", xytext=(0, 4), ha="center")
    axes.set(xlim=(0, 102), ylim=(0, 108), xlabel="how sure, in percent", ylabel="right, in percent")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    made.tight_layout()
    return made


def load(files: Iterable[str | Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """The predictions of all files that can be read, and a sentence for each that cannot."""
    found, trouble = [], []
    for file in files:
        try:
            found += locked(file)
        except UsageError as error:
            trouble.append(str(error))
    return found, trouble
