"""Predictions that lock: she commits first, then the answer opens, and hers stands beside the measured one (floor 7).

``predict`` asks; the next cell ends in ``reveal``. Nothing waits for an answer: papermill, nbval and *Run All* go on,
and leave the lock closed. Where no script runs, everything is open.
"""

import hashlib
import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from matplotlib.figure import Figure

from kdsharp.checks import UsageError, check_name
from kdsharp.course.kept import Kept
from kdsharp.course.words import paragraphs, sentence
from kdsharp.plots import Picture


@dataclass(frozen=True)
class Folded:
    """Markdown under a line that opens it: a long table behind a lock, for whoever wants all of it."""

    summary: str
    text: str

    def tag(self) -> str:
        """As HTML."""
        return f"<details><summary>{sentence(self.summary)}</summary>{paragraphs(self.text)}</details>"


FACTOR = 1.5
"""How far off a number may be to count as right, when nothing else is said."""


def entry_name(question: str, choices: Sequence[str] | None, unit: str | None) -> str:
    """The ledger's name of a prediction: the same words are the same prediction, also after a restart."""
    about = json.dumps([question, choices, unit])
    return "prediction:" + hashlib.sha256(about.encode()).hexdigest()[:10]


class Guess(Kept):
    """A question that is asked before its answer is shown; :func:`predict` makes and shows it."""

    module: ClassVar[str] = "predict"

    def __init__(
        self,
        question: str,
        choices: Sequence[str] | None,
        unit: str | None,
        within: float | None,
        factor: float | None,
    ) -> None:
        if (choices is None) == (unit is None):
            raise UsageError("a prediction is one of some choices, or a number with its unit: give one of the two")
        if choices is not None and (isinstance(choices, str) or len(set(choices)) != len(choices) or len(choices) < 2):
            raise UsageError(f"a prediction needs at least two choices, each another; found {choices!r}")
        if within is not None and factor is not None:
            raise UsageError("a number is right within a distance or within a factor: give one of the two")
        if (within is not None and within < 0) or (factor is not None and factor < 1):
            raise UsageError("within must not be negative, and factor must be at least 1")
        self.question, self.choices, self.unit = question, list(choices) if choices is not None else None, unit
        self.within = within
        self.factor = (factor or FACTOR) if within is None else None
        self.name = entry_name(question, self.choices, unit)
        self.names = (self.name,)

    def facts(self, live: bool) -> dict[str, Any]:
        asked: dict[str, Any] = {"name": self.name, "question": sentence(self.question), "plain": self.question}
        asked |= {"choices": self.choices, "unit": self.unit, "rule": self.rule()}
        return super().facts(live) | asked

    def rule(self) -> str:
        """What counts as right, in words; empty for choices."""
        if self.choices is not None:
            return ""
        if self.within == 0:
            return "exactly"
        unit = {None: "", "": "", "%": " points"}.get(self.unit, f" {self.unit}")
        return f"within {self.within:g}{unit}" if self.within is not None else f"within a factor of {self.factor:g}"

    def still(self) -> str:
        choices = "".join(f"<li>{sentence(choice)}</li>" for choice in self.choices or ())
        asked = (
            f"<ul>{choices}</ul>"
            if choices
            else f"<p>A number{f' ({html.escape(self.unit)})' if self.unit else ''}.</p>"
        )
        return f"<p><b>Predict.</b> {sentence(self.question)}</p>{asked}"

    def reveal(
        self,
        shown: "Figure | Picture | Folded | str | Sequence[Picture | Folded | str]",
        measured: float | str,
        caption: str = "",
        alt: str = "",
        text: str = "",
    ) -> None:
        """Show the answer behind the lock: until she locks hers, it is not in the page.

        Args:
            shown: a matplotlib figure (then with ``caption`` and ``alt``), a :class:`kdsharp.plots.Picture`, Markdown
                (a table, a sentence), :class:`Folded` Markdown, or several of these; ``""`` for nothing.
            measured: the answer: one of the choices, word for word, or the number in the question's unit.
            caption: what the figure says, seen below it.
            alt: what the figure shows, for whoever cannot see it.
            text: Markdown that explains the answer; it opens with the figure. Both branches of a sentence that a number
                chooses belong here.

        Raises:
            UsageError: for a measured answer that is none of the choices, or no finite number; a figure without
                ``alt``.
        """
        from IPython.display import display

        display(Reveal(self, _pieces(shown, caption, alt), measured, text))


class Reveal(Kept):
    """What opens when a :class:`Guess` is locked."""

    module: ClassVar[str] = "reveal"
    sealed: ClassVar[bool] = True

    def __init__(self, guess: Guess, pieces: list[str], measured: float | str, text: str) -> None:
        if guess.choices is not None:
            check_name(str(measured), guess.choices, "measured answer")
        elif not math.isfinite(float(measured)):
            raise UsageError(f"a measured answer must be a finite number, found {measured!r}")
        self.guess, self.pieces, self.text = guess, pieces, text
        self.measured = str(measured) if guess.choices is not None else float(measured)
        self.names = guess.names

    def answer(self) -> dict[str, Any]:
        """What the lock keeps closed."""
        explained = paragraphs(self.text) if self.text else ""
        return {"measured": self.measured, "shown": "".join(self.pieces), "text": explained}

    def facts(self, live: bool) -> dict[str, Any]:
        guess = self.guess
        facts = super().facts(live) | {"name": guess.name, "unit": guess.unit, "rule": guess.rule()}
        facts |= {"plain": guess.question, "choices": guess.choices}
        facts |= {"within": guess.within, "factor": guess.factor}
        return facts if live else facts | {"answer": self.answer()}

    def still(self) -> str:
        answer = self.answer()
        value = answer["measured"]
        said = (
            html.escape(value)
            if isinstance(value, str)
            else f"{value:.4g} {html.escape(self.guess.unit or '')}".strip()
        )
        return f"{answer['shown']}<p><b>Measured:</b> {said}</p>{answer['text']}"

    def hear(self, widget: Any, said: dict[str, Any]) -> None:
        if said.get("open"):
            widget.answer = self.answer()


def predict(
    question: str,
    choices: Sequence[str] | None = None,
    *,
    unit: str | None = None,
    within: float | None = None,
    factor: float | None = None,
) -> Guess:
    """Ask for a prediction that locks; the next cell shows the answer with :meth:`Guess.reveal`.

    Args:
        question: one or two sentences, Markdown without formulas.
        choices: what she can choose from; leave it out for a number.
        unit: of a number, such as ``"dB"``; ``""`` for a number without one.
        within: how far from the measured number an answer counts as right, in its unit.
        factor: the same as a factor, at least 1; 1.5 when neither is given.

    Raises:
        UsageError: for both or neither of choices and unit, fewer than two choices, a tolerance that is none.
    """
    from IPython.display import display

    guess = Guess(question, choices, unit, within, factor)
    display(guess)
    return guess


def _pieces(shown: Any, caption: str, alt: str) -> list[str]:
    if isinstance(shown, Figure):
        if not alt:
            raise UsageError("a figure needs alt text: give `caption` and `alt`")
        return [Picture(shown, alt, caption).tag()]
    several = [shown] if isinstance(shown, (str, Picture, Folded)) else list(shown)
    for each in several:
        if not isinstance(each, (str, Picture, Folded)):
            raise UsageError(f"behind a lock go figures, pictures, folds and Markdown, found {type(each).__name__}")
    return [paragraphs(each) if isinstance(each, str) else each.tag() for each in several if each]
