"""The figures of spectra: where a stripe pattern shows, and what does not fit."""

import matplotlib
import numpy as np
import pytest
import torch

from kdsharp import plots
from kdsharp.checks import UsageError


def test_stripes_are_two_bright_points_on_a_dark_ground():
    x = torch.arange(64) / 64
    colours = plots.spectrum_pixels((0.5 + 0.4 * torch.cos(2 * torch.pi * 12 * x)).expand(1, 1, 64, 64))
    assert colours.shape == (64, 64, 4)
    bright, dark = (np.array(matplotlib.colormaps["cividis"](value)) for value in (1.0, 0.0))
    np.testing.assert_allclose(colours[32, [20, 44]], [bright, bright])
    np.testing.assert_allclose(colours[5, 5], dark)


def test_pictures_and_spectra_fit_the_page():
    figure = plots.spectra({name: torch.rand(1, 3, 100, 220) for name in "abc"})
    assert plots.Picture(figure, "three").width == plots.WIDTH


@pytest.mark.parametrize(("count", "columns"), [(4, 64), (1, 221)])
def test_what_does_not_fit_is_refused(count, columns):
    with pytest.raises(UsageError, match="up to 3 pictures"):
        plots.spectra({str(i): torch.rand(1, 3, 64, columns) for i in range(count)})
