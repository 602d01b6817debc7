"""Filters in frequency against the formula, evaluated by NumPy on the whole spectrum."""

import math

import numpy as np
import pytest
import torch

from kdsharp.checks import UsageError
from kdsharp.filters.frequency import (
    amplitude_spectrum,
    butterworth_emphasis,
    butterworth_high_pass,
    frequency_response,
    gaussian_emphasis,
    gaussian_high_pass,
    ideal_emphasis,
    ideal_high_pass,
    multiply_spectrum,
    radial_frequency,
    ring_means,
)
from kdsharp.filters.spatial import LAPLACIANS, blur, stencil, unsharp_mask

IMAGE = torch.rand(1, 3, 40, 45, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_radial_frequency_is_that_of_numpy():
    expected = np.hypot(np.fft.fftfreq(11)[:, None], np.fft.rfftfreq(14)[None])
    np.testing.assert_allclose(radial_frequency(11, 14).numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_the_gain_is_one_half_at_the_cutoff_and_nothing_at_zero(order):
    gain = butterworth_high_pass(64, 64, 10 / 64, order)
    assert gain[0, 0] == 0
    assert gain[10, 0].item() == pytest.approx(0.5, abs=1e-6)
    assert gain[0, 10].item() == pytest.approx(0.5, abs=1e-6)
    assert gain[6, 8].item() == pytest.approx(0.5, abs=1e-6)


def test_the_gain_rises_with_frequency_and_follows_the_formula():
    gain = butterworth_high_pass(8, 128, 0.2, 3)[0].double()
    assert (gain.diff() > 0).all()
    frequency = torch.arange(1, 65, dtype=torch.float64) / 128
    torch.testing.assert_close(gain[1:], 1 / (1 + (0.2 / frequency) ** 6), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("cutoff", "order", "amount"), [(0.15, 2, 1.0), (0.4, 1, 2.5), (0.05, 4, 0.3)])
def test_emphasis_is_numpys_on_the_whole_spectrum(cutoff, order, amount):
    mirrored = np.pad(IMAGE.numpy(), ((0, 0), (0, 0), (32, 32), (32, 32)), mode="reflect")
    frequency = np.hypot(np.fft.fftfreq(104)[:, None], np.fft.fftfreq(109)[None])
    with np.errstate(divide="ignore"):
        gain = 1 + amount / (1 + (cutoff / frequency) ** (2 * order))
    expected = np.fft.ifft2(np.fft.fft2(mirrored) * gain).real[..., 32:-32, 32:-32]
    found = butterworth_emphasis(IMAGE, cutoff, order, amount).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("cutoff", [0.05, 0.21, 0.5])
def test_ideal_and_gaussian_gains_follow_their_formulas(cutoff):
    frequency = np.hypot(np.fft.fftfreq(31)[:, None], np.fft.rfftfreq(42)[None])
    np.testing.assert_array_equal(ideal_high_pass(31, 42, cutoff).numpy(), frequency > cutoff)
    expected = 1 - np.exp(-(frequency**2) / (2 * cutoff**2))
    np.testing.assert_allclose(gaussian_high_pass(31, 42, cutoff).numpy(), expected, atol=1e-6)


def test_every_gain_is_nothing_at_zero_frequency():
    for gain in (ideal_high_pass(9, 8, 0.1), butterworth_high_pass(9, 8, 0.1, 2), gaussian_high_pass(9, 8, 0.1)):
        assert gain[0, 0] == 0
        assert 0 < gain[4, 4] <= 1


@pytest.mark.parametrize("emphasis", [ideal_emphasis, gaussian_emphasis])
def test_ideal_and_gaussian_emphasis_are_numpys_on_the_whole_spectrum(emphasis):
    mirrored = np.pad(IMAGE.numpy(), ((0, 0), (0, 0), (32, 32), (32, 32)), mode="reflect")
    frequency = np.hypot(np.fft.fftfreq(104)[:, None], np.fft.fftfreq(109)[None])
    high_pass = frequency > 0.17 if emphasis is ideal_emphasis else 1 - np.exp(-(frequency**2) / (2 * 0.17**2))
    expected = np.fft.ifft2(np.fft.fft2(mirrored) * (1 + 0.6 * high_pass)).real[..., 32:-32, 32:-32]
    np.testing.assert_allclose(emphasis(IMAGE, cutoff=0.17, amount=0.6).numpy(), expected, atol=1e-5)


def test_gaussian_emphasis_is_an_unsharp_mask():
    radius = 1.4
    found = gaussian_emphasis(IMAGE, 1 / (2 * math.pi * radius), amount=0.8)
    torch.testing.assert_close(found, unsharp_mask(IMAGE, radius, 0.8), rtol=0, atol=2e-3)


def test_the_ideal_step_rings_and_the_gaussian_does_not():
    step = torch.zeros(1, 1, 64, 256)
    step[..., 128:] = 1
    rings = ideal_emphasis(step, 0.1, 1.0)[0, 0, 32, 128:168] - 1
    smooth = gaussian_emphasis(step, 0.1, 1.0)[0, 0, 32, 128:168] - 1
    assert (rings.sign().diff() != 0).sum() >= 4
    assert (smooth[:20] > -1e-3).all()


def test_a_gain_below_one_blurs():
    blurred = multiply_spectrum(IMAGE, lambda height, width: 1 - gaussian_high_pass(height, width, 1 / (3 * math.pi)))
    torch.testing.assert_close(blurred, blur(IMAGE, 1.5), rtol=0, atol=2e-3)


def test_stripes_are_raised_by_their_gain():
    x = torch.arange(256, dtype=torch.float64)
    stripes = torch.cos(2 * math.pi * x / 8).expand(1, 1, 64, 256)
    raised = butterworth_emphasis(stripes, cutoff=1 / 8, order=2, amount=3.0)
    middle = slice(96, 160)  # away from the border, where reflection breaks the pattern
    torch.testing.assert_close(raised[0, 0, 32, middle], (1 + 3 / 2) * stripes[0, 0, 32, middle], rtol=0, atol=0.02)


@pytest.mark.parametrize("size", [(1, 20), (16, 16), (17, 200)])
def test_any_size_comes_back(size):
    assert butterworth_emphasis(torch.rand(1, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize(("cutoff", "order"), [(0.005, 12), (1e-3, 8)])
def test_steep_filters_with_a_low_cutoff_stay_finite(cutoff, order):
    assert torch.isfinite(butterworth_high_pass(64, 64, cutoff, order)).all()


@pytest.mark.parametrize("wrong", [{"cutoff": 0.0}, {"cutoff": -0.1}, {"order": 0}])
def test_wrong_settings(wrong):
    with pytest.raises(UsageError, match="above 0"):
        butterworth_emphasis(IMAGE, **wrong)


@pytest.mark.parametrize("emphasis", [ideal_emphasis, butterworth_emphasis, gaussian_emphasis])
def test_a_cutoff_beyond_every_frequency_is_refused(emphasis):
    with pytest.raises(UsageError, match="cutoff is 0.8"):
        emphasis(IMAGE, cutoff=0.8)


def test_the_response_of_a_blur_an_unsharp_mask_and_a_laplacian_is_the_formula():
    frequency, gain = frequency_response(lambda image: blur(image, 2.0))
    torch.testing.assert_close(frequency, torch.linspace(0, 0.5, 65))
    expected = torch.exp(-2 * (math.pi * 2.0 * frequency) ** 2)
    torch.testing.assert_close(gain, expected, rtol=0, atol=2e-3)
    torch.testing.assert_close(
        frequency_response(lambda image: unsharp_mask(image, 2.0, 1.5))[1], 1 + 1.5 * (1 - gain), rtol=0, atol=1e-4
    )
    laplacian = frequency_response(lambda image: stencil(image, LAPLACIANS[4]))[1]
    torch.testing.assert_close(laplacian, 2 - 2 * torch.cos(2 * math.pi * frequency), rtol=0, atol=1e-5)


def test_the_response_of_a_box_turns_stripes_over():
    gain = frequency_response(lambda image: stencil(image, torch.full((3, 3), 1 / 9)))[1]
    assert gain[-1].item() == pytest.approx(-1 / 3, abs=1e-5)


def test_the_response_of_emphasis_is_one_plus_its_high_pass():
    gain = frequency_response(lambda image: butterworth_emphasis(image, 0.2, 2, 3.0), 256)[1]
    assert gain[0].item() == pytest.approx(1, abs=1e-3)
    expected = 1 + 3 * butterworth_high_pass(256, 256, 0.2, 2)[0]
    torch.testing.assert_close(gain, expected, rtol=0, atol=0.05)


@pytest.mark.parametrize(("down", "across"), [(6, 0), (0, 9), (4, -7)])
def test_a_cosine_is_two_points_of_half_its_amplitude(down, across):
    rows, columns = torch.arange(64.0)[:, None] / 64, torch.arange(48.0)[None] / 48
    stripes = 0.5 + 0.2 * torch.cos(2 * math.pi * (down * rows + across * columns))
    spectrum = amplitude_spectrum(stripes[None, None].expand(1, 3, -1, -1))
    assert spectrum.shape == (1, 1, 64, 48)
    assert spectrum[0, 0, 32 + down, 24 + across].item() == pytest.approx(0.1, rel=1e-3)
    assert spectrum[0, 0, 32 - down, 24 - across].item() == pytest.approx(0.1, rel=1e-3)
    assert spectrum[0, 0, 32, 24].item() < 1e-3


def test_the_spectrum_is_that_of_numpy_under_a_hann_window():
    grey = IMAGE[:, :1, :40, :44].numpy()[0, 0]
    window = np.outer(*(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) for n in (40, 44)))
    expected = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * window))) / window.sum()
    np.testing.assert_allclose(amplitude_spectrum(IMAGE[:, :1, :40, :44])[0, 0].numpy(), expected, atol=1e-6)


def test_ring_means_of_a_known_spectrum():
    distance = np.hypot(*np.meshgrid(*(np.fft.fftshift(np.fft.fftfreq(n)) for n in (50, 64)), indexing="ij"))
    frequency, means = ring_means(torch.from_numpy(distance)[None, None], 10)
    np.testing.assert_allclose(frequency, (np.arange(10) + 0.5) / 20)
    expected = [distance[(distance * 20).astype(int) == i].mean() for i in range(10)]
    np.testing.assert_allclose(means, expected, rtol=1e-5)
    with pytest.raises(UsageError, match="rings is 40"):
        ring_means(torch.from_numpy(distance)[None, None], 40)
