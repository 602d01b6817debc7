"""The valley of lesson 12: its lowest point, and who arrives there."""

import pytest
import torch

from kdsharp.explore import descent


@pytest.mark.parametrize("steepness", [1.0, 20.0])
def test_the_valley_is_lowest_at_its_cross(steepness):
    x, y = torch.meshgrid(torch.linspace(-1, 1, 201), torch.linspace(-1, 1, 201), indexing="xy")
    ground = descent.height(x, y, steepness)
    place = ground.argmin()
    assert (x.flatten()[place].item(), y.flatten()[place].item()) == pytest.approx((0, 0), abs=1e-6)


def test_a_good_rate_arrives():
    torch.testing.assert_close(descent.path("sgd", 0.1, 1, steps=400)[-1], torch.zeros(2), atol=1e-4, rtol=0)


def test_the_picture_tells_who_left():
    picture = descent.render_descent(0.3, 20)
    assert "sgd left the valley" in picture.alt
    assert "adam " in picture.alt
