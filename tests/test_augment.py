"""Flatter and softer scenes: what they change, what they leave, and that a run without them is as it was."""

import numpy as np
import pytest
import torch

from kdsharp.datasets import Crops, photos
from kdsharp.datasets.augment import defocus, lower_contrast, right_half_soft
from kdsharp.degrade import GaussianBlur, Shake
from kdsharp.kernels import gaussian

NOISE = torch.rand(64, 3, 40, 40, generator=torch.Generator().manual_seed(0))


def test_contrast_shrinks_around_the_mean_of_each_crop_and_channel():
    flat = lower_contrast(NOISE, 0.2, np.random.default_rng(1))
    torch.testing.assert_close(flat.mean((-2, -1)), NOISE.mean((-2, -1)))
    share = flat.std((-2, -1)) / NOISE.std((-2, -1))
    torch.testing.assert_close(share[:, :1].expand(-1, 3), share)
    assert 20 < (share[:, 0] > 0.9999).sum() < 44
    assert share.min() > 0.2
    assert share.min() < 0.3


def test_one_side_of_a_line_is_out_of_focus():
    soft = defocus(NOISE, 2.5, np.random.default_rng(1))
    moved = (soft - NOISE).abs().mean(1).flatten(1) > 0.02
    share = moved.float().mean(1)
    assert 16 < (share > 0).sum() < 44
    parted = (share > 0.1) & (share < 0.8)
    assert parted.sum() > 8
    side = (soft - NOISE).abs().mean(1)[parted]
    halves = torch.stack(
        [side[..., :20].sum((1, 2)), side[..., 20:].sum((1, 2)), side[:, :20].sum((1, 2)), side[:, 20:].sum((1, 2))]
    )
    assert ((halves[0] / halves[1]).log().abs() + (halves[2] / halves[3]).log().abs()).mean() > 1
    assert 0 <= soft.min() <= soft.max() <= 1


def test_a_share_of_what_is_out_of_focus_is_so_all_over_and_far():
    for wholly, low, high in ((0.0, 0, 8), (0.5, 24, 44), (1.0, 64, 64)):
        soft = defocus(NOISE, 12.0, np.random.default_rng(0), 1.0, wholly)
        corners = torch.stack([soft[..., :10, :10], soft[..., :10, -10:], soft[..., -10:, :10], soft[..., -10:, -10:]])
        assert low <= (corners.std((-2, -1)).amax((0, 2)) < 0.08).sum() <= high, wholly


@pytest.mark.parametrize(("wholly", "low", "high"), [(0.0, 0.4, 0.65), (1.0, 0.66, 0.8)])
def test_half_of_what_is_out_of_focus_is_drawn_as_disks_and_more_where_it_is_so_all_over(wholly, low, high):
    dots = torch.zeros(256, 1, 61, 61)
    dots[..., 30, 30] = 1
    spots = defocus(dots, 12.0, np.random.default_rng(0), 1.0, wholly).flatten(1)
    soft = spots[(spots[:, 30 * 61 + 30] < 0.04) & (spots.sum(1) > 0.9)]  # the dot lies on the soft side
    level = (soft > 0.95 * soft.amax(1, keepdim=True)).sum(1)  # a disk has one level, a Gaussian a peak
    covered = (soft > 0.5 * soft.amax(1, keepdim=True)).sum(1)
    disks = (level > 0.6 * covered).float().mean().item()
    assert len(soft) > 40
    assert low < disks < high


def test_a_share_says_how_many():
    for share, low, high in ((0, 0, 0), (0.1, 1, 15), (1, 60, 64)):
        flat = lower_contrast(NOISE, 0.2, np.random.default_rng(1), share)
        soft = defocus(NOISE, 2.5, np.random.default_rng(1), share)
        assert low <= ((flat - NOISE).abs().flatten(1).amax(1) > 1e-3).sum() <= high
        assert ((soft - NOISE).abs().flatten(1).amax(1) > 1e-3).sum() <= high


@pytest.mark.parametrize("option", [{"contrast": 0.3}, {"softness": 2.0}, {"softness": 2.0, "wholly": 1.0}])
def test_crops_take_them_and_stay_as_they_are_without(option):
    pictures = [photo.pixels for photo in photos("train")[:2]]
    plain, again, varied = (Crops(pictures, Shake(), 32, 8, **each)[3] for each in ({}, {}, option))
    assert torch.equal(plain[1], again[1])
    assert not torch.equal(plain[1], varied[1])
    equal = [torch.allclose(a, b, atol=1e-6) for a, b in zip(plain[1], varied[1], strict=True)]
    assert 0 < sum(equal) < 8
    assert 0 <= varied[0].min() <= varied[0].max() <= 1


def test_the_blur_comes_after_them():
    pictures = [photo.pixels for photo in photos("train")[:1]]
    blurred, sharp = Crops(pictures, GaussianBlur(2.0), 32, 8, contrast=0.2)[0]
    assert (blurred.std((-2, -1)) < sharp.std((-2, -1))).all()


def test_the_right_half_of_a_picture_is_out_of_focus_and_the_left_one_as_it_was():
    picture = NOISE[:1].repeat(1, 1, 1, 4)
    moved = (right_half_soft(picture, gaussian(2.0)) - picture).abs().mean((0, 1, 2))
    assert moved[:40].max() < 1e-4
    assert moved[120:].min() > 0.05
