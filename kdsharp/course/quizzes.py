"""Questions that mark themselves, of four kinds (floor 7).

``answers``: one of several; ``order``: put in order; ``number``: with a tolerance; ``places``: one place in a picture.
They need no kernel, and a wrong answer is told what it takes for true.
"""

import hashlib
import html
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from kdsharp.checks import UsageError
from kdsharp.course.kept import Kept

KINDS = {
    "answers": {"question", "answers"},
    "order": {"question", "order", "why"},
    "number": {"question", "number", "unit", "within", "why", "slips"},
    "places": {"question", "places", "picture"},
}
"""What makes a question one of a kind, to the keys that such a question may have."""
OPTIONAL = {"unit", "within", "slips"}


class Quiz(Kept):
    """The island of :func:`quiz`."""

    module: ClassVar[str] = "quiz"
    sealed: ClassVar[bool] = True

    def __init__(self, questions: Sequence[dict[str, Any]]) -> None:
        self.asked = [_asked(each) for each in questions]
        self.names = [each["name"] for each in self.asked]

    def facts(self, live: bool) -> dict[str, Any]:
        return super().facts(live) | {"questions": self.asked}

    def still(self) -> str:
        return f"<ol>{''.join(f'<li>{_open(each)}</li>' for each in self.asked)}</ol>"


def quiz(questions: Sequence[dict[str, Any]]) -> None:
    """Show questions that mark themselves; each is a dict with ``question`` (HTML allowed) and the keys of its kind.

    - one of several: ``answers``, a list of (text, is it right, feedback), of which one is right;
    - in order: ``order``, at least three texts in the right order (shown in another), and ``why``;
    - a number: ``number``, ``why``, and, where wanted, ``unit``, ``within`` (0 when it is left out: exactly) and
      ``slips``, a list of (wrong number, what was taken for true);
    - a place: ``picture`` (a :class:`kdsharp.plots.Picture`) and ``places``, a list of (x, y, is it right, feedback)
      with x and y as shares of its width and height from the upper left corner; one is right. They get letters.

    Raises:
        UsageError: for a question of no kind, an unknown key, or not exactly one right answer.
    """
    from IPython.display import display

    display(Quiz(questions))


def _asked(question: dict[str, Any]) -> dict[str, Any]:
    """A question as ``quiz.mjs`` wants it."""
    kinds = [kind for kind in KINDS if kind in question]
    if len(kinds) != 1 or "question" not in question:
        raise UsageError(f"a question has one of the keys {', '.join(KINDS)}; found {', '.join(question)}")
    kind = kinds[0]
    unknown, missing = set(question) - KINDS[kind], KINDS[kind] - set(question) - OPTIONAL
    if unknown or missing:
        raise UsageError(
            f"a question with {kind} has the keys {', '.join(sorted(KINDS[kind]))}; found {question.keys()}"
        )
    text = question["question"]
    asked = {"kind": kind, "question": text, "name": "question:" + hashlib.sha256(text.encode()).hexdigest()[:10]}
    return asked | _MAKERS[kind](question)


def _one_of(question: dict[str, Any]) -> dict[str, Any]:
    answers = question["answers"]
    _one_right(question, [right for _, right, _ in answers])
    return {"answers": [[text, bool(right), why] for text, right, why in answers]}


def _in_order(question: dict[str, Any]) -> dict[str, Any]:
    order = list(question["order"])
    if len(order) < 3 or len(set(order)) != len(order):
        raise UsageError(f"an order needs at least three texts, each another: {order!r}")
    seed = int.from_bytes(hashlib.sha256(repr(order).encode()).digest()[:4], "big")
    shuffled = np.random.default_rng(seed).permutation(len(order)).tolist()
    if shuffled == sorted(shuffled):
        shuffled.reverse()
    return {"order": order, "shown": shuffled, "why": question["why"]}


def _number(question: dict[str, Any]) -> dict[str, Any]:
    within = float(question.get("within", 0))
    if within < 0:
        raise UsageError(f"within must not be negative, found {within:g}")
    number, slips = float(question["number"]), [[float(value), why] for value, why in question.get("slips", [])]
    for value, _ in slips:
        if abs(value - number) <= within:
            raise UsageError(f"the slip {value:g} counts as right: it lies within {within:g} of {number:g}")
    return {
        "number": number,
        "within": within,
        "unit": question.get("unit", ""),
        "why": question["why"],
        "slips": slips,
    }


def _place(question: dict[str, Any]) -> dict[str, Any]:
    picture, places = question["picture"], question["places"]
    _one_right(question, [right for _, _, right, _ in places])
    if not all(0 <= x <= 1 and 0 <= y <= 1 for x, y, _, _ in places):
        raise UsageError("x and y of a place are shares of the picture's width and height, from 0 to 1")
    return {
        "picture": [picture.src(), picture.alt, picture.width],
        "places": [[x, y, bool(right), why] for x, y, right, why in places],
    }


_MAKERS = {"answers": _one_of, "order": _in_order, "number": _number, "places": _place}


def _one_right(question: dict[str, Any], marks: list[bool]) -> None:
    if sum(map(bool, marks)) != 1:
        raise UsageError(f"a question needs exactly one right answer: {question['question']!r}")


def _open(asked: dict[str, Any]) -> str:
    """A question with its answer, for where no script runs."""
    kind = asked["kind"]
    if kind == "answers":
        rows = [(text, right, why) for text, right, why in asked["answers"]]
    elif kind == "places":
        rows = [(f"{chr(65 + k)}, at {x:.0%} from the left and {y:.0%} from the top", right, why)
                for k, (x, y, right, why) in enumerate(asked["places"])]  # fmt: skip
    else:
        answer = ", ".join(asked["order"]) if kind == "order" else f"{asked['number']:g} {asked['unit']}".strip()
        return f"<p>{asked['question']}</p><p><b>{html.escape(answer)}.</b> {html.escape(asked['why'])}</p>"
    told = "".join(
        f"<li>{'<b>' if right else ''}{html.escape(text)}{'</b>' if right else ''} {html.escape(why)}</li>"
        for text, right, why in rows
    )
    picture = ""
    if kind == "places":
        src, alt, width = asked["picture"]
        picture = f'<img src="{src}" alt="{html.escape(alt)}" width="{width}" style="max-width:100%">'
    return f"<p>{asked['question']}</p>{picture}<ul>{told}</ul>"
