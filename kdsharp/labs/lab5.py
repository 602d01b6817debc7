"""Lab 5, a report: an open problem, what is asked of a submission, and what its answers are worth (lessons 08 to 15).

The network is handed in as *data*, a plan and weights, and is rebuilt and measured here: nobody has to be believed.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch

from kdsharp.checks import UsageError
from kdsharp.course.given.report import (
    MASK,
    MOST_TIME,
    MOST_WEIGHTS,
    Batch,
    Student,
    count,
    gain,
    pictures,
    soften,
    time_ratio,
)
from kdsharp.filters import unsharp_mask
from kdsharp.labs import hidden
from kdsharp.labs.judging import array, number
from kdsharp.labs.spec import Answers, Exercise, Lab, Manual, Secret, Task, Value, Verdict, prediction, tally

STATED = 0.2
"""The gain in dB over the unsharp mask that gives all points."""


# what is marked


def rebuilt(answers: Answers) -> tuple[Student | None, str]:
    """The network of a submission, built here from plan and weights; or None and why."""
    try:
        network = Student(answers["plan"])
    except UsageError as error:
        return None, f"`PLAN` is none: {error}."
    expected, given = network.state_dict(), answers["weights"]
    if not isinstance(given, Mapping) or set(given) != set(expected):
        return None, "`student` is no `bench.Student(PLAN)`: its weights have other names."
    weights = {name: array(given[name], tuple(value.shape)) for name, value in expected.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        return None, "the weights of `student` do not fit its plan, or are no finite numbers."
    network.load_state_dict({name: torch.from_numpy(value).float() for name, value in weights.items()})
    return network.eval(), ""


@lru_cache(maxsize=2)
def hidden_pairs(secret: Secret) -> list[Batch]:
    """Pairs that nobody has seen: of four of the lecturer's photos where there are some, of 32 new leaves otherwise.

    One leaf says little: over 60 of them the model solution's lead over the mask is 0.45 dB with a standard deviation
    of 0.43, so that with four the luck of a class's secret would decide (two of ten secrets refused it).
    """
    rngs = [secret.rng("lab5", "hidden", str(k)) for k in range(32 if secret.hidden is None else 4)]
    if secret.hidden is None:
        return pictures(rngs)
    sharp = hidden.photos(secret.hidden, len(rngs))
    return [(soften(each, rng), each) for each, rng in zip(sharp, rngs, strict=True)]


NETWORK = {"plan": Value("PLAN"), "weights": Value("student.state_dict()")}


def _ask_rules(secret: Secret) -> Task:
    return Task(NETWORK)


def _score_rules(answers: Answers, task: Task) -> Verdict:
    network, why = rebuilt(answers)
    if network is None:
        return Verdict(0, "no student by its plan", why)
    if not any(value.abs().max() > 0 for name, value in network.body[-2].state_dict().items()):
        return Verdict(
            0, "student still fresh", "The last layer is 0: the student answers its input, which obeys every rule."
        )
    weights, ratio = count(network), time_ratio(network)
    return tally(
        3,
        [
            (
                1,
                weights < MOST_WEIGHTS,
                "too many weights",
                f"{weights:,} weights; fewer than {MOST_WEIGHTS:,} are allowed.",
            ),
            (
                2,
                ratio <= MOST_TIME,
                "too slow",
                f"{ratio:.2f} times the time of `tiny`; {MOST_TIME} are allowed. Weights are not time.",
            ),
        ],
    )


def _ask_score(secret: Secret) -> Task:
    return Task(NETWORK, {"pairs": hidden_pairs(secret)})


def _score_score(answers: Answers, task: Task) -> Verdict:
    network, why = rebuilt(answers)
    if network is None:
        return Verdict(0, "no student by its plan", why)
    if count(network) >= MOST_WEIGHTS:
        return Verdict(0, "too many weights", "Outside the rules there is no score.")
    found = gain(network, task.kept["pairs"])
    mask = gain(lambda image: unsharp_mask(image, *MASK), task.kept["pairs"])
    said = (
        f"{found:+.2f} dB over the input on hidden pictures; the unsharp mask has {mask:+.2f}, and {STATED} more are "
        "asked for."
    )
    if abs(found) < 0.01:
        return Verdict(0, "student still fresh", "The student answers its input.")
    marked = tally(
        6,
        [
            (2, found > 0.1, "not above its input", said),
            (2, found > mask, "below the unsharp mask", said),
            (2, found > mask + STATED, "below the stated score", said),
        ],
    )
    return replace(marked, row={"gain, dB": found, "weights": count(network), "unsharp mask, dB": mask})


def _ask_row(secret: Secret) -> Task:
    return Task(NETWORK | {"row": Value("ROW")}, {"pairs": hidden_pairs(secret)})


def _score_row(answers: Answers, task: Task) -> Verdict:
    """The row against what is measured here: three points for an honest row, whatever the score in it."""
    network, why = rebuilt(answers)
    row = answers["row"]
    if network is None:
        return Verdict(0, "no student by its plan", why)
    keys = {"student", "weights", "gain", "interval"}
    if not isinstance(row, Mapping) or not keys <= set(row) or not isinstance(row["student"], str):
        return Verdict(0, "no leaderboard row", f"`ROW` must be a dict with {', '.join(sorted(keys))}.")
    weights, claimed, width = (number(row[key]) for key in ("weights", "gain", "interval"))
    if not 0 < len(row["student"]) <= 40:
        return Verdict(0, "student without a name", "Give your student a name of at most 40 letters.")
    found = gain(network, task.kept["pairs"])
    off = f"You claim {claimed:+.2f} ± {width:.2f} dB; on hidden pictures it is {found:+.2f}."
    return tally(
        3,
        [
            (
                1,
                weights == count(network),
                "weights miscounted",
                f"You report {weights:,.0f} weights; the student has {count(network):,}.",
            ),
            (
                1,
                0 < width <= 1,
                "no interval",
                "The half width of a 95 % interval over pictures is a number above 0, and here below 1 dB.",
            ),
            (1, claimed - 2 * max(width, 0.1) <= found, "claim above what is measured", off),
        ],
    )


LAB = Lab(
    "lab5_report",
    "A report",
    exercises=(
        Exercise("rules", 3, _ask_rules, _score_rules),
        Exercise("score", 6, _ask_score, _score_score),
        Exercise("row", 3, _ask_row, _score_row),
        prediction("predict_time", 1, "PREDICTION_1", ("a", "b", "c"), right="b"),
        prediction("predict_gap", 1, "PREDICTION_2", ("a", "b", "c"), right="b"),
    ),
    manual=(
        Manual(
            "report",
            6,
            (
                (1, "Data: which pictures, which blur, and what no part of the choice has seen"),
                (1, "Training: student, loss, steps, rate; what was tried and dropped, with its number"),
                (
                    2,
                    "Measuring: the rows of the input and of a tuned filter, an interval, time with machine "
                    "and threads",
                ),
                (1, "Claims: no more than the numbers carry; a picture or a place on which the student fails"),
                (
                    1,
                    "Form: one page, each number found again in the notebook, three boxes of lesson 15's "
                    "list named that stay empty",
                ),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
