"""What a lab says to the marking: exercises, what each asks of a submission, and what its answers are worth.

A submission is somebody else's program. It runs in a sandbox, where nothing is that it must not know, and what it
answers is scored outside, by functions of ours that see arrays and JSON and never its code::

    task = exercise.ask(secret)              # outside: the questions, and what is kept to judge the answers by
    answers = {...}                          # inside the sandbox: one value, or a Failure, for each question
    verdict = exercise.score(answers, task)  # outside: points, the misconception, and a sentence to its author

Everything in this repository is public, so a question holds nothing that can be looked up: it is made from the secret
of the class, or from the lecturer's own folder of photos.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kdsharp.checks import UsageError
from kdsharp.course.committing import committed

POINTS = 20
"""What each lab is worth."""


@dataclass(frozen=True)
class Secret:
    """What makes this class's questions differ from every other's.

    Attributes:
        key: random bytes, made once for a class and kept in its folder.
        hidden: the lecturer's own folder of photos (``--hidden DIR``), or None.
    """

    key: bytes
    hidden: Path | None = None

    def rng(self, *names: str) -> np.random.Generator:
        """A generator of its own for each use, the same in every run: ``secret.rng("lab1", "unsharp", "noise")``."""
        mixed = hmac.new(self.key, "\0".join(names).encode(), hashlib.sha256).digest()
        return np.random.default_rng(int.from_bytes(mixed, "big"))

    def seed(self, *names: str) -> int:
        """A seed below 2**31, for what takes a number, such as ``torch.Generator().manual_seed``."""
        return int(self.rng(*names).integers(2**31))


@dataclass(frozen=True)
class Call:
    """Call a function of the submission once.

    Attributes:
        function: an expression that gives the function, most often its name.
        arguments: arrays (NumPy or torch, each arrives as what it is), numbers, texts, None, lists and dicts of them.
        options: keyword arguments of the same kinds.
        seconds: after which the call is stopped; the other questions are still asked.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 10.0


@dataclass(frozen=True)
class Value:
    """What an expression is worth after the submission's cells have run: ``PREDICTION_1``, ``network.state_dict()``."""

    expression: str
    seconds: float = 10.0


@dataclass(frozen=True)
class Failure:
    """The answer of a question that got none: the exception, ``not defined``, ``too slow``, ``no array``."""

    reason: str


@dataclass(frozen=True)
class Task:
    """The questions of an exercise for one class.

    Attributes:
        questions: what the submission is asked, by name; all that the sandbox sees.
        kept: whatever :attr:`Exercise.score` needs beside the answers (the sharp photo, the true PSF); stays outside.
    """

    questions: Mapping[str, Call | Value]
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Belief:
    """A prediction as it was made: how sure its author was (0 to 1), and whether she was right."""

    confidence: float
    right: bool


@dataclass(frozen=True)
class Verdict:
    """What an exercise's answers are worth.

    Attributes:
        points: clipped to what the exercise is worth; what is no number is 0.
        misconception: a few words, the same for everybody who went wrong in this way (``halo limit is global``), for
            the lecturer's count; empty where nothing is wrong.
        message: a sentence or two to the author: what she probably thought, and where to look.
        belief: of a prediction.
        row: what the leaderboard shows of it; its first column ranks, larger is better.
    """

    points: float
    misconception: str = ""
    message: str = ""
    belief: Belief | None = None
    row: Mapping[str, float] = field(default_factory=dict)


Answers = Mapping[str, Any]
"""Question to its answer: NumPy arrays (what was a torch tensor too), numbers, texts, None, lists and dicts of them; or
a :class:`Failure`. Shape, type and finiteness are whatever the submission made them: a score checks before it uses."""


@dataclass(frozen=True)
class Exercise:
    """One cell that is marked by us. ``name`` is its ``grade_id`` in the notebook, ``points`` are those of the cell."""

    name: str
    points: float
    ask: Callable[[Secret], Task]
    score: Callable[[Answers, Task], Verdict]

    def mark(self, answers: Answers, task: Task) -> Verdict:
        """The verdict with its points inside [0, points], whatever the answers are; a failure of ours says so."""
        try:
            found = self.score(answers, task)
        except Exception as error:  # the answers are anything at all
            kind = type(error).__name__
            return Verdict(0.0, "unreadable answer", f"The check could not use this answer ({kind}: {error}).")
        points = float(found.points)
        return replace(found, points=min(max(points, 0.0), self.points) if math.isfinite(points) else 0.0)


@dataclass(frozen=True)
class Manual:
    """One cell that a person marks: its ``grade_id``, its points, and what each of them is given for."""

    name: str
    points: float
    rubric: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Lab:
    """A lab: the notebook ``notebooks/labs/NAME.ipynb``, and what is marked in it.

    Raises:
        UsageError: when its points do not sum to 20, a name stands twice, or a rubric does not sum to its cell.
    """

    name: str
    title: str
    exercises: tuple[Exercise, ...]
    manual: tuple[Manual, ...] = ()

    def __post_init__(self) -> None:
        cells: list[Exercise | Manual] = [*self.exercises, *self.manual]
        if len({each.name for each in cells}) < len(cells):
            raise UsageError(f"{self.name}: a name stands twice among {', '.join(each.name for each in cells)}")
        total = sum(each.points for each in cells)
        if not math.isclose(total, POINTS):
            raise UsageError(f"{self.name}: its points sum to {total:g}, expected {POINTS}")
        for each in self.manual:
            if not math.isclose(sum(points for points, _ in each.rubric), each.points):
                raise UsageError(f"{self.name}: the rubric of {each.name} does not sum to its {each.points:g} points")


def tally(points: float, checks: Iterable[tuple[float, Any, str, str]]) -> Verdict:
    """Partial credit: each check that holds gives its points, and the first one that does not names the misconception.

    Args:
        points: what the exercise is worth.
        checks: (its points, whether it holds, the misconception in a few words, a sentence to the author); their points
            sum to ``points``. A check may be a generator's: those after a failing one are still counted.
    """
    found, first = 0.0, ("", "")
    for worth, holds, misconception, message in checks:
        if bool(holds):
            found += worth
        elif not first[0]:
            first = misconception, message
    return Verdict(min(found, points), *first)


def prediction(name: str, points: float, value: str, choices: tuple[str, ...], right: str) -> Exercise:
    """An exercise that counts for having been made, right or wrong.

    The cell assigns a choice and how sure she is: ``PREDICTION_1 = ("b", 0.8)``; it comes as ``PREDICTION_1 = None``.

    Args:
        name: the ``grade_id`` of the cell.
        points: for a choice among ``choices`` with a confidence between 0 and 1.
        value: the variable.
        choices: what can be chosen.
        right: the one that the lab measures.
    """
    if right not in choices:
        raise UsageError(f"{name}: {right!r} is none of {', '.join(choices)}")

    def score(answers: Answers, task: Task) -> Verdict:
        if made := committed(answers["made"], choices):
            return Verdict(points, belief=Belief(made[1], made[0] == right))
        asked = (
            f"Write a choice ({', '.join(choices)}) and how sure you are, from 0 to 1: {value} = ({choices[0]!r}, 0.7)."
        )
        return Verdict(0.0, "no prediction made", asked)

    return Exercise(name, points, lambda secret: Task({"made": Value(value)}), score)
