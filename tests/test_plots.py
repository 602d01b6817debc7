"""Figures: what they show is what they were given."""

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


def test_scatter_draws_each_group_at_its_place_with_its_line_and_its_labels():
    groups = {"mask": ([0, 1], [0.5, -0.2]), "student": ([0, 1], [1.5, -0.4])}
    made = plots.scatter(groups, "", "gain (dB)", baseline=0, ticks=["shake", "leaves"])
    (axes,) = made.axes
    first, second, line = axes.get_lines()
    assert first.get_ydata().tolist() == [0.5, -0.2]
    assert first.get_xdata() == pytest.approx([-0.08, 0.92])
    assert second.get_xdata() == pytest.approx([0.08, 1.08])
    assert list(line.get_ydata()) == [0, 0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["shake", "leaves"]
    assert axes.get_ylabel() == "gain (dB)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["mask", "student"]


def test_scatter_of_one_group_on_a_logarithmic_axis_needs_no_legend():
    made = plots.scatter({"tiles": ([1, 10, 100], [0, 1, 2])}, "contrast", "gain (dB)", log=True)
    (axes,) = made.axes
    assert axes.get_xscale() == "log"
    assert axes.get_legend() is None
    assert axes.get_lines()[0].get_xdata().tolist() == [1, 10, 100]
    assert made.get_figwidth() * plots.DPI <= plots.WIDTH


def test_a_caption_is_seen_below_the_figure_and_alt_text_is_beside_it(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    plots.show(plots.figure(120, 80), "It < rises.", 'a "line"')
    plots.show(plots.figure(120, 80), "alone")
    captioned, plain = (each.tag() for each in shown)
    assert "<figcaption" in captioned
    assert ">It &lt; rises.</figcaption>" in captioned
    assert 'alt="a &quot;line&quot;"' in captioned
    assert plain.startswith("<img ")
    assert 'alt="alone"' in plain
