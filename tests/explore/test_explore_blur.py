"""The explorer of lesson 03 at the corners of its grid."""

import pytest
import torch

from kdsharp.explore.blur import render_shake

SHARP = torch.rand(1, 3, 120, 120, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("length", [2.0, 40.0])
@pytest.mark.parametrize("response", [1.0, 3.0])
def test_corners(length, response):
    picture = render_shake(SHARP, length, response)
    assert picture.width == 3 * (208 + 28) == 708
    assert f"{length:g} pixels" in picture.alt
    assert render_shake(SHARP, length, response).content == picture.content


def test_stored_values_add_nothing_and_light_brightens():
    assert "at most 0 grey levels" in render_shake(SHARP, 10.0, 1.0).alt
    assert "at most 0 grey levels" not in render_shake(SHARP, 10.0, 2.2).alt


def test_the_largest_difference_is_that_of_what_is_shown():
    scene = torch.zeros(1, 3, 240, 240)
    scene[..., 200:203, 200:203] = 1  # a light far from the crop
    assert "at most 0 grey levels" in render_shake(scene, 5.0, 2.2, at=(0, 0)).alt
    assert "at most 0 grey levels" not in render_shake(scene, 5.0, 2.2, at=(136, 136)).alt
