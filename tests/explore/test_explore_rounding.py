"""The detective story of lesson 10: bfloat16 makes a divergence negative, float32 does not."""

import pytest
import torch

from kdsharp import checkpoints, degrade, features
from kdsharp.checks import UsageError
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.distill import channel_term, spread
from kdsharp.explore import rounding


def maps(image):
    """Inner maps of the bundled teacher for a crop of 64x64 pixels."""
    teacher = checkpoints.load("teacher").model
    with torch.inference_mode(), features.Taps(teacher, ["encoders.1"]) as taps:
        teacher(image[..., 65:129, 115:179].contiguous())
    return taps["encoders.1"]


_, BLURRED, SHARP = list(synthetic_pairs(degrade.protocol("shake"), photos("test")))[1]
TEACHER, STUDENT = maps(BLURRED), maps(SHARP)


def test_in_float32_it_is_todays_term_in_the_units_of_then():
    one = TEACHER[:, :1], STUDENT[:, :1]
    unit = spread(one[0]).item()
    old = rounding.old_channel_term(one[1], one[0], 0.5 * unit, 32)
    assert old == pytest.approx(unit**2 * channel_term(one[1], one[0], 0.5).item(), rel=1e-3)


def test_in_bf16_it_falls_below_zero_at_the_temperatures_of_the_old_grid():
    assert min(rounding.old_channel_term(STUDENT, TEACHER, tau, 16) for tau in (1, 2, 4, 8)) < 0
    assert all(rounding.old_channel_term(STUDENT, TEACHER, tau, 32) > 0 for tau in rounding.TAUS)


def test_the_map_is_left_with_a_few_grey_steps():
    picture = rounding.render_steps(STUDENT, TEACHER, 3, 8, 16)
    count = int(picture.alt.split("has ")[1].split()[0])
    assert 1 < count < 8
    assert "has 256 different" in rounding.render_steps(STUDENT, TEACHER, 3, 0.1, 32).alt
    assert ("below zero" in picture.alt) == (rounding.old_channel_term(STUDENT, TEACHER, 8, 16) < 0)


def test_the_curve_says_what_it_falls_to():
    assert "falls to -" in rounding.render_terms(STUDENT, TEACHER).alt
    with pytest.raises(UsageError):
        rounding.log_attention(TEACHER, 0, 16)
