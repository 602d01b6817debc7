"""The pictures of lesson 04's explorer: equal in PSNR, at every value of the slider, and different to look at."""

import pytest
import torch

from kdsharp import datasets
from kdsharp.checks import UsageError
from kdsharp.explore import measuring
from kdsharp.images import to_tensor
from kdsharp.metrics import psnr, ssim


@pytest.fixture(scope="module")
def cat():
    photo = next(photo for photo in datasets.photos("test") if photo.name == "chelsea")
    return to_tensor(photo.pixels)[..., 60:246, 60:246]


@pytest.mark.parametrize("decibels", [20, 25, 42])
def test_all_three_have_the_psnr_that_was_asked_for(cat, decibels):
    made = measuring.same_psnr(cat, decibels)
    assert list(made) == ["brighter", "blurred", "noisy"]
    for name, picture in made.items():
        assert psnr(picture, cat).item() == pytest.approx(decibels, abs=0.2), name
        assert torch.equal((picture * 255).round(), picture * 255) or (picture * 255).frac().abs().max() < 1e-3
    assert ssim(made["brighter"], cat) > ssim(made["blurred"], cat)


def test_the_noise_comes_from_the_seed(cat):
    first, again, other = (measuring.same_psnr(cat, 30, seed)["noisy"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("decibels", [20.0, 40.0])
def test_a_frame_is_pure_and_tells_its_scores_in_words(cat, decibels):
    before = cat.clone()
    first, again = (measuring.render_same_psnr(cat, decibels, at=(10, 60)) for _ in range(2))
    assert first.content == again.content
    assert torch.equal(cat, before)
    assert f"{decibels:g} dB" in first.alt
    assert f"noisy {ssim(measuring.same_psnr(cat, decibels)['noisy'], cat).item():.3f}" in first.alt
    assert first.width <= 720


def test_the_ends_of_the_slider_differ(cat):
    assert measuring.render_same_psnr(cat, 20.0).content != measuring.render_same_psnr(cat, 40.0).content


def test_a_psnr_that_no_blur_reaches(cat):
    with pytest.raises(UsageError, match="cannot bring the picture down to 5 dB"):
        measuring.same_psnr(cat, 5)
