"""Lab 4, exercises 3 and 4: the sweep, and an honest table of it (lesson 10)."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats

from kdsharp.course.given.distillation import held_out, material, train_kernel
from kdsharp.labs.judging import array, belief, near, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally

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


SWEEP = Exercise("sweep", 4, _ask_sweep, _score_sweep)
TABLE = Exercise("table", 4, _ask_table, _score_table)
