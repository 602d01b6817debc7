"""The explorers of lessons 00, 01, 06, 09 and 13 at the corners of their grids."""

import itertools
import re

import pytest
import torch

from kdsharp.explore.strength import render_strength, render_unsharp
from kdsharp.explore.training import render_steps
from kdsharp.filters.spatial import blur

SHARP = (torch.rand(1, 3, 150, 160, generator=torch.Generator().manual_seed(0)) * 255).round() / 255
SOFT = blur(SHARP, 1.0).mul(255).round() / 255


def gain(picture):
    return float(re.search(r"([+-][\d.]+) dB against the input", picture.alt)[1])


@pytest.mark.parametrize("at", [(0, 0), (149, 159)])
def test_strength_0_is_the_input_and_1_the_function(at):
    def truth(image):
        return image + (SHARP - SOFT)

    assert gain(render_strength(truth, SOFT, SHARP, 0.0, "oracle", at)) == 0
    half = gain(render_strength(truth, SOFT, SHARP, 0.5, "oracle", at))
    assert half == pytest.approx(6.02, abs=0.3)  # half the error is 20 log10(2) dB less
    assert gain(render_strength(truth, SOFT, SHARP, 2.0, "oracle", at)) < half


def test_no_amount_changes_nothing_and_too_much_does_harm():
    for radius, amount in itertools.product((0.5, 6.0), (0.0, 8.0)):
        found = gain(render_unsharp(SOFT, SHARP, radius, amount, (20, 20)))
        assert (found == 0) == (amount == 0)
    assert (
        gain(render_unsharp(SOFT, SHARP, 6.0, 8.0, (20, 20)))
        < 0
        < gain(render_unsharp(SOFT, SHARP, 1.0, 1.0, (20, 20)))
    )


def test_steps_names_the_rate_and_the_score():
    picture = render_steps(SHARP, SHARP, 20, 0.004, (10, 10))
    assert "After 20 steps at rate 0.004: identical" in picture.alt
    assert render_steps(SOFT, SHARP, 0, 1e-4, (10, 10)).content != picture.content
