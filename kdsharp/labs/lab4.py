"""Lab 4, distillation: what is asked of a submission, and what its answers are worth (lessons 09 and 10)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from kdsharp.course.given.distillation import held_out, material, train_kernel
from kdsharp.labs.judging import array, belief, near, number, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Failure, Lab, Manual, Secret, Task, Verdict, prediction, tally

# the one-kernel student of lesson 09, on pictures that are made anew


# 1. hint


def _ask_hint(secret: Secret) -> Task:
    rng = secret.rng("lab4", "hint")
    sizes = (2, 3, 5, 6), (2, 4, 5, 6), (4, 3)
    given = tuple(torch.from_numpy(rng.standard_normal(size, dtype=np.float32)) for size in sizes)
    return Task({"hint": Call("lambda *given: bench.probe(hint_loss, *given)", given)}, {"given": given})


def _score_hint(answers: Answers, task: Task) -> Verdict:
    student, teacher, weight = (each.double().numpy() for each in task.kept["given"])
    found = answers["hint"]
    if not isinstance(found, Mapping):
        return Verdict(
            0,
            "no answer",
            f"`hint_loss` could not be used: {found.reason if isinstance(found, Failure) else 'no value'}.",
        )
    difference = np.einsum("dc,bchw->bdhw", weight, student) - teacher
    right, value = np.square(difference).mean(), number(found.get("value"))
    moves = 2 * np.einsum("dc,bdhw->bchw", weight, difference) / difference.size
    turned = 2 * np.einsum("bdhw,bchw->dc", difference, student) / difference.size
    wrong = [
        (0.0, "loss does nothing yet", "Your loss is 0 whatever the maps are."),
        (
            np.square(difference).sum(),
            "sum instead of mean",
            "You take the sum: the weight of the term then depends on the size of the crop.",
        ),
        (np.abs(difference).mean(), "absolute difference", "The hint is the mean of *squared* differences."),
        (np.sqrt(right), "root of the mean", "You take the root. FitNets' hint is the mean square itself."),
    ]
    named = belief(
        value, wrong, ("other loss", f"The loss of the test maps is {right:.4f}; you have {value:.4f}."), 1e-4
    )
    own = array(found.get("student"), student.shape), array(found.get("adapter"), (*weight.shape, 1, 1))
    learns = [bool(np.abs(each).max() > 1e-9) for each in own]  # nan compares as no
    exact = near(own[0], moves, 1e-5) and near(own[1][..., 0, 0], turned, 1e-5)
    pulls = array(found.get("teacher"), teacher.shape)
    still = found.get("teacher") is None or near(pulls, np.zeros_like(pulls))
    if not learns[0]:
        flow = (
            "student detached",
            "No gradient reaches the student's map: a detached tensor is a number to the optimizer.",
        )
    elif not learns[1]:
        flow = (
            "adapter not trained",
            "No gradient reaches the adapter: it would stay random, and the hint a random one.",
        )
    else:
        flow = named
    return tally(
        3,
        [
            (1, near(value, right, 1e-4), *named),
            (1, exact or (all(learns) and near(value, right, 1e-4)), *flow),
            (1, still and learns[0], *(flow if still else ("teacher gets a gradient", TEACHER))),
        ],
    )


TEACHER = "The teacher's map gets a gradient: it would move towards its pupil, and both could agree on anything."


# 2. the channel-wise term


def _ask_channel(secret: Secret) -> Task:
    rng = secret.rng("lab4", "channel")
    maps = tuple(torch.from_numpy(rng.standard_normal((2, 3, 5, 4))) for _ in range(2))
    tau = float(rng.uniform(1.5, 3))
    return Task({"channel": Call("channel_loss", (*maps, tau))}, {"maps": maps, "tau": tau})


def _channel(student: Tensor, teacher: Tensor, tau: float, axis: str, turned: bool, squared: bool, share: str) -> float:
    """The channel-wise term, right or with slips: the softmax's axis, KL's direction, the factor tau^2, the divisor."""
    if axis == "positions":
        logs = [(each.flatten(2) / tau).log_softmax(-1) for each in (student, teacher)]
    else:
        logs = [(each / tau).log_softmax(1) for each in (student, teacher)]
    q, p = reversed(logs) if turned else logs
    total = (p.exp() * (p - q)).sum().item()
    divisor = {"B C": 6, "B": 2, "all": student.numel(), "none": 1}[share]
    return total / divisor * (tau**2 if squared else 1)


def _score_channel(answers: Answers, task: Task) -> Verdict:
    value, (student, teacher), tau = number(answers["channel"]), task.kept["maps"], task.kept["tau"]
    if isinstance(answers["channel"], Failure):
        return Verdict(0, "no answer", f"`channel_loss` gave no answer: {answers['channel'].reason}.")
    if near(value, 0.0):
        return Verdict(0, "loss does nothing yet", "Your loss is 0 whatever the maps are.")
    slips = list(product(("positions", "channels"), (False, True), (True, False), ("B C", "B", "all", "none")))
    found = next((slip for slip in slips if near(value, _channel(student, teacher, tau, *slip), 1e-6)), None)
    if found is None:
        right = _channel(student, teacher, tau, *slips[0])
        return Verdict(
            0,
            "other loss",
            f"The term of the test maps is {right:.5f}; yours is {value:.5f}, which no single slip explains.",
        )
    axis, turned, squared, share = found
    return tally(
        4,
        [
            (1, axis == "positions", "softmax over channels", AXIS),
            (
                1,
                not turned,
                "divergence the other way round",
                "That is KL(student || teacher). The teacher's map is the one that weighs.",
            ),
            (
                1,
                squared,
                "tau squared missing",
                "Without tau^2 the term fades as tau grows: you would compare learning rates.",
            ),
            (
                1,
                share == "B C",
                "wrong divisor",
                "Divide the sum by images times channels: each channel is one distribution.",
            ),
        ],
    )


AXIS = "Your softmax runs over the channels. The term asks *where* in the picture each channel looks: over positions."


# 3. the sweep


def _ask_sweep(secret: Secret) -> Task:
    data = material(secret.rng("lab4", "sweep"))
    seeds = [secret.seed("lab4", "seed", str(k)) for k in range(2)]
    given = [0.0, 0.5, 1.0], [1, 8], seeds, 25
    return Task({"scores": Call("sweep", (data, *given), seconds=25)}, {"data": data, "given": given})


def _score_sweep(answers: Answers, task: Task) -> Verdict:
    data, (alphas, labels, seeds, steps) = task.kept["data"], task.kept["given"]
    shape = len(alphas), len(labels), len(seeds)
    answer = answers["scores"]
    read = usable(answer, shape, "sweep(data, alphas, labels, seeds, steps)")
    found = array(answer, shape)

    def grid(
        alpha_of: Callable[[float], float] = float, seeds_used: Sequence[int] = seeds, length: int = steps
    ) -> np.ndarray:
        rows = [[[train_kernel(data, alpha_of(a), n, s, length) for s in seeds_used] for n in labels] for a in alphas]
        return np.array([[[held_out(data, kernel) for kernel in cell] for cell in row] for row in rows])

    right = grid()
    wrong = [
        (np.zeros(shape), "sweep does nothing yet", "All scores are 0: the sweep does not score anything yet."),
        (
            right[::-1],
            "alpha and 1 - alpha changed places",
            "Your first row is that of the last alpha: alpha is the share of the *truth*.",
        ),
        (
            np.broadcast_to(right[:, :, :1], shape),
            "one seed for all",
            "All columns are those of the first seed: a spread of 0 is no spread.",
        ),
        (
            np.broadcast_to(right[:, -1:], shape),
            "labels not used",
            "One label and eight score the same: the number of labels is not passed on.",
        ),
        (
            right[:, :, ::-1],
            "seeds in another order",
            "The columns are in another order than the seeds: pairs would be torn apart.",
        ),
    ]
    close = near(found, right, 1e-5)
    named = belief(
        found,
        wrong,
        ("other scores", "Your scores are not those of `held_out` after `train_kernel` with these settings."),
        1e-3,
    )
    cells = np.isclose(found, right, rtol=0, atol=1e-5)
    return tally(
        4,
        [
            read,
            (2, close, *(named if read[1] else read[2:])),
            (1, bool(cells.mean() >= 0.5), *(named if read[1] else read[2:])),
            (
                1,
                bool(read[1] and cells[:, :, 0].mean() >= 0.5 and np.ptp(found) > 1e-3),
                *(named if read[1] else read[2:]),
            ),
        ],
    )


# 4. the table


def _ask_table(secret: Secret) -> Task:
    """Scores with a luck that all alphas of a seed share: paired, one arm is better, one worse, one neither."""
    rng = secret.rng("lab4", "table")
    alphas, seeds = [0.0, 0.25, 0.5, 0.75, 1.0], 5
    luck = 28 + 0.4 * rng.standard_normal(seeds)
    scores = np.stack(
        [
            luck + shift + spread * rng.standard_normal(seeds)
            for shift, spread in ((-0.4, 0.03), (0.3, 0.03), (0.02, 0.2), (0.15, 0.02), (0, 0))
        ]
    )
    return Task({"table": Call("summary", (scores, alphas))}, {"scores": scores})


def verdict(gain: float, half_width: float) -> str:
    """``better``, ``worse``, or ``no gain`` where the interval contains 0."""
    return "no gain" if abs(gain) <= half_width else "better" if gain > 0 else "worse"


def _score_table(answers: Answers, task: Task) -> Verdict:
    scores, found = task.kept["scores"], answers["table"]
    keys = {"gain", "half_width", "verdict"}
    if not isinstance(found, Mapping) or not keys <= set(found):
        return Verdict(
            0, "no dict with the three keys", f"`summary` must answer a dict with {', '.join(sorted(keys))}."
        )
    count, many = scores.shape
    gain, width = (array(found[key], (count,)) for key in ("gain", "half_width"))
    pairs = scores - scores[-1]
    t = stats.t.ppf(0.975, many - 1)
    spread, alone = pairs.std(1, ddof=1), scores.std(1, ddof=1)
    right = t * spread / np.sqrt(many)
    wrong_gain = [
        (np.zeros(count), "table does nothing yet", "All gains are 0: the table is not filled in yet."),
        (
            scores.mean(1),
            "score instead of gain",
            "You answer the mean score. A gain is the difference to the student alone, alpha = 1.",
        ),
        (
            (scores - scores[0]).mean(1),
            "wrong baseline",
            "Your baseline is alpha = 0, the teacher by itself. The student *alone* is alpha = 1.",
        ),
        (
            scores.max(1) - scores[-1].max(),
            "best seed",
            "You compare the best seeds: the more seeds, the higher the best. Take means.",
        ),
        (
            -pairs.mean(1),
            "sign turned round",
            "A gain is the arm less the student alone; yours is the other way round.",
        ),
        (np.median(pairs, 1), "median", "This lab takes the mean over seeds, whose interval you give."),
    ]
    wrong_width = [
        (
            spread,
            "standard deviation as interval",
            "That is the standard deviation over seeds. The interval of the *mean* is it over the root of n, times t.",
        ),
        (
            spread / np.sqrt(many),
            "standard error as interval",
            "That is the standard error: 95 % of a mean of five lie within t = 2.78 of it.",
        ),
        (
            1.96 * spread / np.sqrt(many),
            "the normal quantile with five seeds",
            "1.96 belongs to many seeds. With five it is Student's t, 2.78.",
        ),
        (
            t * pairs.std(1) / np.sqrt(many),
            "divided by n",
            "Your standard deviation divides by n; over a sample it is n - 1 (`ddof=1`).",
        ),
        (
            t * alone / np.sqrt(many),
            "not paired",
            "Your interval is that of the scores. The luck of a seed is in both students: take the interval "
            "of the *differences*.",
        ),
        (
            t * np.sqrt(alone**2 + alone[-1] ** 2) / np.sqrt(many),
            "not paired",
            "You add the variances of both arms, as if their seeds had nothing in common. They are paired.",
        ),
        (2 * right, "whole width", "That is the whole width of the interval; half of it is asked for."),
    ]
    arms = slice(0, -1)  # of the student alone against itself nothing is asked
    named = belief(
        gain[arms],
        [(value[arms], *words) for value, *words in wrong_gain],
        ("other gain", "Your gains are not the mean differences to alpha = 1."),
        1e-4,
    )
    width_named = belief(
        width[arms],
        [(value[arms], *words) for value, *words in wrong_width],
        ("other interval", "The half width is t times the standard deviation of the differences, over the root of n."),
        1e-4,
    )
    paired = width_named[0] in ("the normal quantile with five seeds", "divided by n", "whole width")
    said = list(found["verdict"]) if isinstance(found["verdict"], (list, np.ndarray)) else []
    own = [verdict(*each) for each in zip(gain[arms], width[arms], strict=True)]
    words = {str(each) for each in said[: count - 1]}
    consistent = (
        np.isfinite(gain).all() and np.isfinite(width).all() and [str(each) for each in said[: count - 1]] == own
    )
    return tally(
        4,
        [
            (1, near(gain[arms], pairs.mean(1)[arms], 1e-4), *named),
            (1, near(width[arms], right[arms], 1e-4) or paired, *width_named),
            (1, near(width[arms], right[arms], 1e-4), *width_named),
            (1, consistent and len(words) > 1, "verdict against its own interval", VERDICT),
        ],
    )


VERDICT = (
    "A verdict is `better` or `worse`, and `no gain` where your own interval contains 0: hold each "
    "against its two numbers."
)

LAB = Lab(
    "lab4_distillation",
    "Distillation",
    exercises=(
        Exercise("hint", 3, _ask_hint, _score_hint),
        Exercise("channel", 4, _ask_channel, _score_channel),
        Exercise("sweep", 4, _ask_sweep, _score_sweep),
        Exercise("table", 4, _ask_table, _score_table),
        prediction("predict_tau", 1, "PREDICTION_1", ("a", "b", "c"), right="c"),
        prediction("predict_alpha", 1, "PREDICTION_2", ("a", "b", "c"), right="b"),
    ),
    manual=(
        Manual(
            "interpret",
            3,
            (
                (1, "Says what the table shows, with its intervals, and calls no gain what is none"),
                (1, "Explains the direction: the teacher's bias against the noise and the fewness of the labels"),
                (1, "Names a limit of the experiment, within 120 words"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
