"""The inverse filter and Wiener's, against direct convolution and their limits; the frames at the sliders' corners."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from kdsharp import datasets, kernels
from kdsharp.checks import UsageError
from kdsharp.explore import known_blur
from kdsharp.images import luma, to_tensor
from kdsharp.metrics import psnr

PSF = torch.tensor([[0.0, 0.1, 0.1], [0.0, 0.6, 0.1], [0.0, 0.0, 0.1]])
SHARP = torch.rand(1, 3, 24, 31, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def cup():
    photo = next(photo for photo in datasets.photos("test") if photo.name == "coffee")
    return to_tensor(photo.pixels)[..., 0:160, 260:420]


def test_the_blur_is_scipys_wrapped_convolution():
    expected = scipy.ndimage.convolve(SHARP[0, 1].numpy(), PSF.numpy(), mode="wrap")
    torch.testing.assert_close(known_blur.blur_and_noise(SHARP, PSF, 0)[0, 1], torch.from_numpy(expected))


def test_without_noise_the_inverse_is_exact_and_with_it_the_gain_is_as_computed():
    gain = known_blur.inverse_gain(PSF, 24, 31)
    torch.testing.assert_close(
        known_blur.filter_spectrum(known_blur.blur_and_noise(SHARP, PSF, 0), gain), SHARP, atol=1e-4, rtol=0
    )
    noise = torch.randn(40, 3, 24, 31, generator=torch.Generator().manual_seed(1))
    assert known_blur.filter_spectrum(noise, gain).std().item() == pytest.approx(known_blur.noise_gain(gain), rel=0.03)


def test_wiener_is_the_inverse_at_no_noise_and_nothing_at_all_noise():
    wiener, inverse = known_blur.wiener_gain(PSF, 24, 31, 1e-12), known_blur.inverse_gain(PSF, 24, 31)
    torch.testing.assert_close(wiener, inverse, atol=1e-5, rtol=1e-5)
    for ratio in (1e-3, 0.1, 1.0):
        assert known_blur.wiener_gain(PSF, 24, 31, ratio)[0, 0].abs().item() == pytest.approx(1, abs=1e-5)
    assert known_blur.noise_gain(known_blur.wiener_gain(PSF, 24, 31, 0.01)) < known_blur.noise_gain(inverse)


@pytest.mark.parametrize("noise", [0.0, 10.0])
@pytest.mark.parametrize("ratio", [1e-5, 1e-1])
def test_frames_are_pure_and_say_what_was_gained(cup, noise, ratio):
    frames = [known_blur.render_wiener(cup, kernels.gaussian(1.5), noise, ratio) for _ in range(2)]
    assert frames[0].content == frames[1].content
    assert f"{noise:g} grey levels" in frames[0].alt
    assert frames[0].width <= 720
    assert "+" in frames[0].alt if (noise, ratio) == (0.0, 1e-5) else True


def test_with_noise_the_best_ratio_is_inside_the_range(cup):
    psf, seen = kernels.gaussian(1.5), known_blur.blur_and_noise(cup, kernels.gaussian(1.5), 3)
    scores = [
        psnr(known_blur.filter_spectrum(seen, known_blur.wiener_gain(psf, 160, 160, ratio)).clamp(0, 1), cup).item()
        for ratio in (1e-5, 1e-2, 1.0)
    ]
    assert scores[1] > max(scores[0], scores[2])


def test_a_kernel_is_fitted_from_the_scene_and_its_blur(cup):
    scene, psf = luma(cup)[0, 0].double(), kernels.shake(6, np.random.default_rng(4))
    seen = known_blur.filter_spectrum(scene[None, None], known_blur.transfer(psf, 160, 160))[0, 0]
    fitted = known_blur.fit_kernel(scene, seen, psf.shape[-1], calm=0.01)
    assert fitted.sum().item() == pytest.approx(1, abs=1e-5)
    assert (fitted - psf).abs().max().item() < 0.01
    with pytest.raises(UsageError, match="odd PSF"):
        known_blur.fit_kernel(scene, seen, 8)


def test_a_shift_of_the_scene_is_no_part_of_the_fitted_kernel(cup):
    scene = luma(cup)[0, 0].double()
    fitted = known_blur.fit_kernel(scene, scene.roll((2, -1), (0, 1)), 9, calm=0.01)
    assert fitted[4, 4].item() == pytest.approx(1, abs=1e-3)


def test_a_psf_without_a_middle():
    with pytest.raises(UsageError, match="K odd"):
        known_blur.transfer(torch.ones(2, 2) / 4, 20, 20)
