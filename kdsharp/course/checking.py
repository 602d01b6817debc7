"""Checks of exercises that name the misconception."""

from typing import Any

from kdsharp.course.kept import note_exercise


class NotYet(AssertionError):
    """A check that did not pass; its text names the misconception."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]  # IPython prints this in place of a traceback


def expect(right: Any, misconception: str) -> None:
    """Stop with ``misconception`` when ``right`` is false: what the learner probably thought, and where to look."""
    if not bool(right):
        note_exercise(False, misconception)
        raise NotYet(misconception)


def passed(shown: str) -> None:
    """Say what the learner has just shown."""
    note_exercise(True, shown)
    print(f"Right: {shown}")
