"""Predictions of a graded lab: written into the file that is handed in, and opened by what stands there (floor 7).

A lesson asks in the page (:func:`kdsharp.course.predict`). A lab is marked from its file alone, so its prediction is
code, ``PREDICTION_1 = ("b", 0.8)``: a letter, and how sure she is. ``commit`` reads it, and ``reveal`` shows the answer
to whoever has written one. Like the other lock it never stops a run: who has not committed is told where to.
"""

import string
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from kdsharp.checks import UsageError, check_name
from kdsharp.course.kept import lesson_name, write
from kdsharp.course.predicting import entry_name
from kdsharp.island import is_live
from kdsharp.plots import Picture

LETTERS = string.ascii_lowercase


def committed(written: Any, letters: Sequence[str]) -> tuple[str, float] | None:
    """A prediction as it was written, or None where it is none: one of the letters, and a share from 0 to 1."""
    if not isinstance(written, (tuple, list)) or len(written) != 2:
        return None
    letter, sure = written
    if not isinstance(letter, str) or letter not in letters:
        return None
    if isinstance(sure, bool) or not isinstance(sure, (int, float)) or not 0 <= sure <= 1:
        return None
    return letter, float(sure)


class Commitment:
    """A prediction of a lab, made or still to make; :func:`commit` makes and shows it."""

    def __init__(self, written: Any, question: str, choices: Sequence[str]) -> None:
        if isinstance(choices, str) or not 2 <= len(set(choices)) == len(choices) <= len(LETTERS):
            raise UsageError(f"a prediction needs at least two choices, each another; found {choices!r}")
        self.question, self.choices = question, dict(zip(LETTERS, choices, strict=False))
        self.made = committed(written, list(self.choices))

    def say(self) -> str:
        """What is locked, or how to lock it."""
        if self.made:
            return f"Locked: {self._named(self.made[0])}, {self.made[1]:.0%} sure."
        letters = ", ".join(self.choices)
        return f'Not yet: write a letter ({letters}) and how sure you are, from 0 to 1, such as ("a", 0.5).'

    def reveal(
        self, shown: Figure | Picture | str, measured: str, caption: str = "", alt: str = "", text: str = ""
    ) -> None:
        """Show the answer beside hers; where she has not committed, say so and show nothing.

        Args:
            shown: a matplotlib figure (then with ``caption`` and ``alt``), a picture, Markdown, or ``""`` for nothing.
            measured: the answer: one of the choices, word for word.
            caption: what the figure says.
            alt: what the figure shows, for whoever cannot see it.
            text: Markdown that explains the answer.

        Raises:
            UsageError: for a measured answer that is none of the choices.
        """
        from IPython.display import display

        check_name(measured, list(self.choices.values()), "measured answer")
        if not self.made:
            _show("The answer is locked: write your prediction above, run its cell and its check, then this cell.")
            return
        if shown:
            display(Picture(shown, alt, caption)) if isinstance(shown, Figure) else _show(shown)
        letter, sure = self.made
        right = self.choices[letter] == measured
        answer = next(each for each, choice in self.choices.items() if choice == measured)
        verdict = "right" if right else "not this time"
        told = f"**You:** {self._named(letter)} ({sure:.0%} sure). **Measured:** {self._named(answer)}: {verdict}."
        _show(f"{told}\n\n{text}".strip())
        if is_live():
            entry: dict[str, Any] = {"kind": "prediction", "state": "locked", "question": self.question, "unit": ""}
            entry |= {"answer": self.choices[letter], "sure": round(100 * sure), "measured": measured, "right": right}
            write(lesson_name(), entry_name(self.question, list(self.choices.values()), None), entry)

    def _named(self, letter: str) -> str:
        return f"{letter}, {self.choices[letter]}"


def commit(written: Any, question: str, choices: Sequence[str]) -> Commitment:
    """Lock what a lab's cell says; a later cell shows the answer with :meth:`Commitment.reveal`.

    Args:
        written: what she wrote, ``("b", 0.8)``; None before.
        question: one sentence.
        choices: what she can choose from, in the order of the letters a, b, c.

    Raises:
        UsageError: for fewer than two choices, or one that stands twice.
    """
    made = Commitment(written, question, choices)
    _show(made.say())
    return made


def _show(shown: Picture | str) -> None:
    from IPython.display import display

    if isinstance(shown, str):
        display({"text/markdown": shown, "text/plain": shown.replace("**", "")}, raw=True)
    else:
        display(shown)
