"""The best alpha lies where bias and noise trade evenly, and walks from 0 to 1 with the labels."""

import numpy as np
import pytest

from kdsharp.checks import UsageError
from kdsharp.explore import bet


@pytest.mark.parametrize(("labels", "bias"), [(2, 0.1), (8, 0.3), (2000, 0.05)])
def test_the_best_alpha_is_the_lowest_point_of_the_curve(labels, bias):
    alphas = np.linspace(0, 1, 10_001)
    assert alphas[np.argmin(bet.expected_error(alphas, labels, bias))] == pytest.approx(
        bet.best_alpha(labels, bias), abs=1e-4
    )


def test_the_curve_is_what_a_simulation_gives():
    rng, alpha, labels, bias = np.random.default_rng(0), 0.4, 8, 0.3
    truth_means = rng.normal(0, 1, (20_000, labels)).mean(1)  # of noisy labels of a truth that is 0
    errors = (alpha * truth_means + (1 - alpha) * bias) ** 2
    assert errors.mean() == pytest.approx(bet.expected_error(alpha, labels, bias), rel=0.03)


def test_it_walks_from_the_teacher_to_the_truth():
    walk = [bet.best_alpha(labels, 0.2) for labels in (2, 8, 32, 128, 512, 2000)]
    assert walk == sorted(walk)
    assert walk[0] < 0.1
    assert walk[-1] > 0.95
    assert bet.best_alpha(8, 0) == 0  # a perfect teacher needs no labels
    with pytest.raises(UsageError):
        bet.best_alpha(0, 0.2)


def test_the_picture_says_the_best_alpha():
    assert "the best alpha is 0.24" in bet.render_bet(8, 0.2).alt
