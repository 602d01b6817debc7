"""What alpha trades: the truth's noise for the teacher's bias (lesson 10)."""

import math

import numpy as np

from kdsharp import plots
from kdsharp.checks import check_positive
from kdsharp.plots import COLOURS, WIDTH


def expected_error(alpha: np.ndarray | float, labels: float, bias: float, noise: float = 1.0) -> np.ndarray | float:
    """``(1 - alpha)^2 b^2 + alpha^2 v / n``: the expected squared error of a mix of truth and teacher.

    The truth is right on average, and n noisy labels leave ``v / n``; the teacher has no noise and is off by b.

    Args:
        alpha: weight of the truth, in [0, 1].
        labels: n, at least 1.
        bias: b, what the teacher is off by.
        noise: standard deviation of one label; its square is v.

    Source: the bias-variance view of Menon et al., ICML 2021. Lesson 10.
    """
    check_positive(labels, "labels")
    return (1 - alpha) ** 2 * bias**2 + alpha**2 * noise**2 / labels


def best_alpha(labels: float, bias: float, noise: float = 1.0) -> float:
    """``b^2 / (b^2 + v / n)``: where :func:`expected_error` is lowest. 0 without labels, 1 with all of them."""
    check_positive(labels, "labels")
    return bias**2 / (bias**2 + noise**2 / labels)


def render_bet(labels: float, bias: float) -> plots.Picture:
    """The expected error against alpha, its two parts, and the lowest point."""
    made = plots.figure(WIDTH, 300)
    axes = made.add_subplot()
    alphas = np.linspace(0, 1, 101)
    best = best_alpha(labels, bias)
    root = [math.sqrt(float(expected_error(alpha, labels, bias))) for alpha in alphas]
    axes.plot(alphas, (1 - alphas) * bias, ":", color=COLOURS[1], label="the teacher's bias, (1 - alpha) b")
    axes.plot(alphas, alphas / math.sqrt(labels), ":", color=COLOURS[2], label="the labels' noise, alpha s / sqrt(n)")
    axes.plot(alphas, root, color=COLOURS[0], label="both together")
    lowest = math.sqrt(float(expected_error(best, labels, bias)))
    axes.plot([best], [lowest], "o", color=COLOURS[0])
    axes.set(xlabel="alpha, the truth's share", ylabel="error", ylim=(0, 0.75), title=f"best alpha {best:.2f}")
    axes.legend(loc="upper center")
    axes.grid(alpha=0.3)
    made.tight_layout()
    alone, copied = root[-1], root[0]
    return plots.Picture(
        made,
        f"{labels:g} labels, a teacher that is off by {bias:g}: the best alpha is {best:.2f} with an error of "
        f"{lowest:.3f}; alone {alone:.3f}, the teacher alone {copied:.3f}.",
    )
