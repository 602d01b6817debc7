"""Words chosen by a number: each outcome, and the borders between them."""

import pytest

from kdsharp.course.verdicts import FALLS, PEAKS, RISES, by_sign, trend


@pytest.mark.parametrize(
    ("value", "within", "said"),
    [
        (0.3, 0.0, "up"),
        (-0.3, 0.0, "down"),
        (0.0, 0.0, "even"),
        (0.3, 0.5, "even"),
        (-0.6, 0.5, "down"),
        (0.5, 0.5, "even"),
    ],
)
def test_by_sign_has_three_outcomes(value, within, said):
    assert by_sign(value, "up", "down", "even", within) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2, 3], RISES),
        ([1, 3, 2.97], RISES),
        ([1, 3, 2], PEAKS),
        ([3, 2, 1], FALLS),
        ([3, 3.5, 1], PEAKS),
        ([3, 3], RISES),
    ],
)
def test_trend(values, said):
    assert trend(values) == said
