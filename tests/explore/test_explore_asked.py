"""The map of what the channel-wise term asks is its gradient; a low temperature asks few places."""

import pytest
import torch

from kdsharp.distill import attention_over_positions, channel_term, spread
from kdsharp.explore.asked import half_of, nearest, places, render_asked

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = (torch.randn(1, 3, 9, 14, generator=GENERATOR) * scale for scale in (1.0, 5.0))


@pytest.mark.parametrize("k", [0.25, 1.0, 4.0])
def test_what_is_asked_is_the_gradient_of_the_term(k):
    student = STUDENT.clone().requires_grad_()
    channel_term(student, TEACHER, k).backward()
    ours, theirs = places(STUDENT, TEACHER, k)
    unit = spread(TEACHER)[..., None]
    assert torch.allclose(-student.grad, k / (3 * unit) * (theirs - ours), atol=1e-6)
    assert torch.allclose(theirs, attention_over_positions(TEACHER, k), atol=1e-6)
    assert ours.sum((-2, -1)) == pytest.approx(torch.ones(1, 3))


def test_the_best_adapter_of_one_photo_finds_a_map_that_is_a_mixture():
    mixture = torch.einsum("dc,bchw->bdhw", torch.randn(5, 3, generator=GENERATOR), STUDENT) + 2
    assert torch.allclose(nearest(STUDENT, mixture), mixture, atol=1e-4)
    assert nearest(STUDENT, TEACHER[..., ::2, ::2]).shape == (1, 3, 5, 7)


def test_half_of_what_is_asked_lies_on_few_places_when_it_is_cold():
    assert half_of(torch.tensor([[5.0, -1.0], [1.0, 1.0]])) == 1
    assert half_of(torch.ones(2, 4)) == 4
    cold, warm = (half_of((lambda o, t: t - o)(*places(STUDENT, TEACHER, k))[0, 0]) for k in (0.1, 4))
    assert cold < warm / 5


def test_the_picture_says_the_temperature_and_on_how_many_places_half_lies():
    picture = render_asked(STUDENT, TEACHER, 1, 0.5)
    assert "Temperature 0.5" in picture.alt
    assert "of 126 places" in picture.alt
    assert "0.5 spreads" in picture.caption
    assert picture.content != render_asked(STUDENT, TEACHER, 1, 2).content
