"""Words that a measured number chooses, so that no lesson says what its run has not shown (floor 7)."""

from collections.abc import Sequence

RISES, PEAKS, FALLS = "it rises all the way", "it rises, then falls", "it falls from the start"


def by_sign(value: float, above: str, below: str, level: str, within: float = 0.0) -> str:
    """``above`` or ``below`` as the value lies above or below 0; ``level`` where it is within ``within`` of 0.

    Args:
        value: a difference, in whatever unit ``within`` has.
        above, below, level: what to say; each may be a sentence or empty.
        within: differences up to this size are none, at or above 0.
    """
    if abs(value) <= within:
        return level
    return above if value > 0 else below


def trend(values: Sequence[float], within: float = 0.05) -> str:
    """How a score goes along a series: :data:`RISES`, :data:`PEAKS` or :data:`FALLS`.

    Args:
        values: scores in order, at least two.
        within: a fall by no more than this from the highest value, at the end, still counts as rising.
    """
    top = max(values)
    if top - values[-1] <= within:
        return RISES
    return FALLS if top == values[0] else PEAKS
