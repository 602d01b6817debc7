"""The explorer of lesson 03 at the corners of its grid, and a camera that rolls."""

import pytest
import torch

from kdsharp.explore.blur import render_shake, roll

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


def test_a_roll_draws_arcs_around_its_centre_longer_further_out():
    lights = torch.zeros(1, 1, 101, 101)
    lights[..., 50, 60] = lights[..., 50, 90] = 1
    seen = roll(lights, 40.0, (50.0, 50.0))
    rows, columns = (seen[0, 0] > 0.2 * seen[0, 0, :, 75:].max()).nonzero().double().T
    radius = ((rows - 50) ** 2 + (columns - 50) ** 2).sqrt()
    near, far = radius < 25, radius > 25
    assert radius[far].sub(40).abs().max() < 2  # on the circle, not on its chord: that would come 2.4 pixels nearer
    assert rows[far].max() - rows[far].min() == pytest.approx(2 * 40 * 0.342, abs=3)
    assert 3 * (rows[near].max() - rows[near].min()) < rows[far].max() - rows[far].min()
    torch.testing.assert_close(roll(lights, 0.0, (50.0, 50.0)), lights)
