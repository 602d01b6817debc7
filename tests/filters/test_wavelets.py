"""Wavelet sharpening against block means (Haar, by NumPy) and PyWavelets' single steps."""

import numpy as np
import pytest
import pywt
import torch

from kdsharp.checks import UsageError
from kdsharp.filters import wavelet_sharpen

IMAGE = torch.rand(2, 3, 40, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def block_means(side):
    """Each block of side x side pixels replaced by its mean: the coarse picture of the Haar wavelet."""
    blocks = IMAGE.numpy().reshape(2, 3, 40 // side, side, 48 // side, side).mean((3, 5))
    return torch.from_numpy(blocks.repeat(side, 2).repeat(side, 3))


@pytest.mark.parametrize(("levels", "finest"), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (1, 3)])
def test_haar_raises_the_differences_between_block_means(levels, finest):
    finer = block_means(2 ** (finest - 1)) if finest > 1 else IMAGE
    expected = IMAGE + 0.7 * (finer - block_means(2 ** (finest + levels - 1)))
    torch.testing.assert_close(wavelet_sharpen(IMAGE, 0.7, levels, finest, "haar"), expected)


def test_one_level_is_pywavelets_single_step():
    coarse, details = pywt.dwt2(IMAGE.numpy(), "sym4", mode="symmetric")
    expected = pywt.idwt2((coarse, tuple(1.9 * band for band in details)), "sym4", mode="symmetric")
    np.testing.assert_allclose(wavelet_sharpen(IMAGE, 0.9, levels=1).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 20), (5, 9), (16, 16), (17, 33), (45, 128)])
@pytest.mark.parametrize("levels", [1, 3])
def test_reconstruction_is_perfect_at_any_size(size, levels):
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(wavelet_sharpen(image, 0.0, levels), image, rtol=0, atol=1e-6)


def test_levels_that_do_not_fit_are_left_out():
    small = IMAGE[..., :16, :16]
    torch.testing.assert_close(wavelet_sharpen(small, 0.5, levels=8), wavelet_sharpen(small, 0.5, levels=1))


def test_the_channels_do_not_mix():
    image = torch.zeros(1, 3, 32, 32)
    image[:, 1] = IMAGE[0, 1, :32, :32].float()
    sharpened = wavelet_sharpen(image, 1.0)
    assert not sharpened[:, [0, 2]].any()
    assert not torch.equal(sharpened[:, 1], image[:, 1])


def test_wrong_settings():
    with pytest.raises(UsageError, match="unknown wavelet 'sim4'"):
        wavelet_sharpen(IMAGE, wavelet="sim4")
    with pytest.raises(UsageError, match="levels is 0"):
        wavelet_sharpen(IMAGE, levels=0)
    with pytest.raises(UsageError, match="finest is 9"):
        wavelet_sharpen(IMAGE, finest=9)
