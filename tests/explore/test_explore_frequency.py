"""The explorer of lesson 02 at the corners of its grid, and the edge that it draws."""

import io

import pytest
import torch
from PIL import Image

from kdsharp.explore.frequency import edge_profile, render_emphasis
from kdsharp.filters.spatial import blur

SHARP = torch.rand(1, 3, 208, 208, generator=torch.Generator().manual_seed(0))
SOFT = blur(SHARP, 1.5)


@pytest.mark.parametrize("cutoff", [0.03, 0.4])
@pytest.mark.parametrize("order", [1.0, 16.0])
def test_corners(cutoff, order):
    picture = render_emphasis(SOFT, SHARP, cutoff, order, at=(10, 20))
    assert Image.open(io.BytesIO(picture.content)).size == (2 * 720, 2 * 500)
    assert len(picture.content) < 250_000
    assert f"cutoff {cutoff:g}" in picture.alt
    assert f"order {order:g}:" in picture.alt
    assert render_emphasis(SOFT, SHARP, cutoff, order, at=(10, 20)).content == picture.content


def test_each_slider_changes_the_picture():
    frames = {render_emphasis(SOFT, SHARP, c, o).content for c in (0.03, 0.4) for o in (1, 16)}
    assert len(frames) == 4


def test_a_steep_filter_rings_and_a_gentle_one_does_not():
    gentle, steep = edge_profile(0.1, 1, 1.0) - 0.3, edge_profile(0.1, 16, 1.0) - 0.3
    assert (steep[:40].sign().diff() != 0).sum() >= 4
    assert (gentle[:40] < 1e-5).all()
