"""Figures: what they show is what they were given."""

import pytest

from kdsharp import plots


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
