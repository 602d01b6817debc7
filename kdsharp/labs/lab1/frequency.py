"""Lab 1, exercise 4: the Butterworth gain (lesson 02)."""

import numpy as np

from kdsharp.labs.judging import array, belief, near, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally


def butterworth(height: int, width: int, cutoff: float, power: float) -> np.ndarray:
    """``1 / (1 + (cutoff / f)^power)`` with f in cycles a pixel, laid out as ``np.fft.fft2``; 0 at zero frequency."""
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    return f**power / (f**power + cutoff**power)


def _ask_butterworth(secret: Secret) -> Task:
    rng = secret.rng("lab1", "butterworth")
    height, width, cutoff = (
        2 * int(rng.integers(12, 18)),
        2 * int(rng.integers(20, 28)) + 1,
        float(rng.uniform(0.1, 0.25)),
    )
    questions = {f"order {order}": Call("butterworth_gain", (height, width, cutoff, order)) for order in (1, 3)}
    return Task(questions, {"size": (height, width), "cutoff": cutoff})


def _score_butterworth(answers: Answers, task: Task) -> Verdict:
    (height, width), cutoff = task.kept["size"], task.kept["cutoff"]
    shape = (height, width)
    first, third = (array(answers[f"order {order}"], shape) for order in (1, 3))
    right = butterworth(height, width, cutoff, 2), butterworth(height, width, cutoff, 6)
    index = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width)[None] * width)
    wrong = [
        (np.ones(shape), "gain does nothing yet", "Your gain is 1 everywhere."),
        (
            1 - right[1],
            "low-pass",
            "Your gain is 1 at zero frequency and falls: that keeps the blur. A high-pass keeps fine detail.",
        ),
        (np.fft.fftshift(right[1]), "zero frequency in the middle", SHIFTED),
        (
            butterworth(height, width, cutoff, 3),
            "order instead of twice the order",
            "The exponent is *twice* the order: at order 1 a square.",
        ),
        (butterworth(height, width, cutoff / 2, 6), "frequency in shares of the finest", FINEST),
        (butterworth(height, width, cutoff * 2, 6), "frequency in shares of the finest", FINEST),
        (
            np.sqrt(right[1]),
            "amplitude instead of the gain asked for",
            "You took the root. With the root the gain at the cutoff is 0.71; the lab's formula has 1/2 there.",
        ),
        (
            index**6 / (index**6 + cutoff**6),
            "frequency counted in samples",
            "Your frequencies are whole numbers of periods in the picture. `np.fft.fftfreq` gives cycles a pixel.",
        ),
    ]
    moved = not near(third, np.ones(shape), 0.1)
    corner = moved and near(third[0, 0], 0) and near(first[0, 0], 0)
    unknown = (
        "other gain",
        "Your gain is not 1 / (1 + (cutoff / f)^(2 order)). Draw one row of it, and look for 1/2 at the cutoff.",
    )
    return tally(
        3,
        [
            (
                *usable(answers["order 3"], shape, "butterworth_gain(height, width, cutoff, order)")[:2],
                *_nan(answers, shape),
            ),
            (
                1,
                corner,
                *belief(
                    third, wrong[:3], ("zero frequency is not 0", "At [0, 0], zero frequency, a high-pass gain is 0.")
                ),
            ),
            (1, near(third, right[1], 1e-5), *belief(third, wrong, unknown)),
            (
                1,
                near(first, right[0], 1e-5),
                *(
                    belief(third, wrong, unknown)
                    if not near(third, right[1], 1e-5)
                    else ("order is not used", "Order 1 is wrong where order 3 is right.")
                ),
            ),
        ],
    )


SHIFTED = (
    "Zero frequency lies in the middle of your gain. `np.fft.fft2` has it at [0, 0]: either shift both or neither."
)
FINEST = (
    "Your frequency is off by a factor of 2: the finest stripes have 1/2 cycle a pixel, and `np.fft.fftfreq` says so."
)


def _nan(answers: Answers, shape: tuple[int, ...]) -> tuple[str, str]:
    """The words for an answer that could not be read: here most often because of a division by zero."""
    answer = answers["order 3"]
    if isinstance(answer, np.ndarray) and answer.shape == shape and np.isnan(answer).any():
        return (
            "nan at zero frequency",
            "Your gain holds nan: at zero frequency you divide 0 by 0 or infinity by infinity.",
        )
    if isinstance(answer, np.ndarray) and answer.shape == shape[::-1]:
        return "height and width changed places", "Your gain is as wide as the picture is high: rows come first."
    return usable(answer, shape, "butterworth_gain(height, width, cutoff, order)")[2:]


BUTTERWORTH = Exercise("butterworth", 3, _ask_butterworth, _score_butterworth)
