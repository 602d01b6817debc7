"""Deconvolution against the formulas in NumPy, what it wins with the true PSF, and the calibration of polyblur."""

import math
from functools import cache

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch

from kdsharp import kernels
from kdsharp.checks import UsageError
from kdsharp.datasets import photos
from kdsharp.filters import ORACLES, deconvolution, polyblur, richardson_lucy, wiener
from kdsharp.filters.deconvolution import EDGE, OWN_BLUR, estimate_blur, gaussian_spectrum
from kdsharp.filters.spatial import blur
from kdsharp.images import quantize, to_linear, to_srgb, to_tensor
from kdsharp.metrics import psnr

PSF = kernels.shake(5.0, np.random.default_rng(2))
HELD_OUT = ("validation", "test")


@cache
def photo():
    """(1, 3, 256, 256) out of a bundled photo."""
    (pixels,) = (each.pixels for each in photos("test") if each.name == "camera")
    return to_tensor(np.ascontiguousarray(pixels[100:356, 100:356]))


def blurred(linear=True):
    """The photo blurred by PSF, rounded to 8 bits."""
    if linear:
        return quantize(to_srgb(kernels.convolve(to_linear(photo()), PSF)))
    return quantize(kernels.convolve(photo(), PSF))


def gain(restored, linear=True):
    return (psnr(quantize(restored), photo()) - psnr(blurred(linear), photo())).item()


def test_wiener_is_the_formula_on_the_continued_picture():
    image = blurred(linear=False)[:, :1].double()
    size = 256 + 64
    padded = np.pad(image[0, 0].numpy(), 32, mode="reflect")
    spread = np.zeros((size, size))
    half = PSF.shape[-1] // 2
    spread[: 2 * half + 1, : 2 * half + 1] = PSF.numpy()
    p = np.fft.fft2(np.roll(spread, (-half, -half), (0, 1)))
    wave = 2 * np.cos(2 * np.pi * np.fft.fftfreq(size))
    laplacian = 4 - wave[:, None] - wave[None]  # the spectrum of the stencil with 4 neighbours
    spectrum = np.conj(p) / (np.abs(p) ** 2 + 0.01 * laplacian**2) * np.fft.fft2(padded)
    expected = np.fft.ifft2(spectrum).real[32:-32, 32:-32]
    found = wiener(image, PSF, 0.01, linear_light=False)
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-6)


def test_richardson_lucy_is_its_own_iteration():
    image = blurred(linear=False)[:, :1].double()
    padded = np.pad(image[0, 0].numpy(), 32, mode="reflect")
    psf = PSF.double().numpy()
    estimate = np.full_like(padded, 0.5)
    for _ in range(7):
        ratio = padded / (scipy.signal.fftconvolve(estimate, psf, mode="same") + 1e-12)
        estimate = estimate * scipy.signal.fftconvolve(ratio, psf[::-1, ::-1], mode="same")
    found = richardson_lucy(image, PSF, 7, linear_light=False)
    np.testing.assert_allclose(found[0, 0].numpy(), estimate[32:-32, 32:-32], atol=1e-6)


@pytest.mark.parametrize("linear", [True, False])
def test_the_true_psf_wins_decibels_and_the_turned_one_loses_them(linear):
    for restore, least in ((wiener, 6), (richardson_lucy, 6)):
        options = {"linear_light": linear} | ({"noise": 3e-4} if restore is wiener else {"iterations": 30})
        assert gain(restore(blurred(linear), PSF, **options), linear) > least
        assert gain(restore(blurred(linear), PSF.flip(0, 1), **options), linear) < 1


def test_the_blur_is_undone_best_where_it_happened():
    assert gain(wiener(blurred(), PSF, 3e-4)) > gain(wiener(blurred(), PSF, 3e-4, linear_light=False)) + 1


@pytest.mark.parametrize("name", ORACLES)
def test_the_border_does_not_ring(name):
    error = (ORACLES[name](blurred(), PSF) - photo()).square().mean(1)[0].sqrt()
    border, inner = error.clone(), error[24:-24, 24:-24]
    border[24:-24, 24:-24] = 0
    assert border.square().sum() / (256**2 - 208**2) < 4 * inner.square().mean()


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("linear", [True, False])
def test_flat_areas_stay(name, linear):
    flat = torch.full((2, 3, 40, 51), 0.37)
    found = ORACLES[name](flat, PSF, linear_light=linear)
    torch.testing.assert_close(found, flat, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("size", [(16, 16), (17, 40)])
def test_small_odd_and_single_channel_pictures(name, size):
    image = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0))
    found = ORACLES[name](image, PSF)
    assert (found.shape, found.dtype) == (image.shape, torch.float32)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[1:], ORACLES[name](image[1:], PSF))


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("psf", [torch.ones(4, 4) / 16, torch.ones(3, 5) / 15, torch.ones(5) / 5, torch.ones(21, 21)])
def test_what_is_no_psf_of_the_picture_is_refused(name, psf):
    with pytest.raises(UsageError, match="expected a PSF"):
        ORACLES[name](torch.rand(1, 3, 20, 30), psf)


def test_wrong_settings():
    with pytest.raises(UsageError, match="noise is 0"):
        wiener(photo(), PSF, noise=0)
    with pytest.raises(UsageError, match="iterations is 0"):
        richardson_lucy(photo(), PSF, iterations=0)
    with pytest.raises(UsageError, match="alpha is 11"):
        polyblur(photo(), alpha=11)
    with pytest.raises(UsageError, match="beta is -1"):
        polyblur(photo(), beta=-1)


def steepest(image):
    """The smallest over directions of the largest slope, by NumPy, for the stretched mean of the channels."""
    grey = image.mean(1)[0].numpy()
    y, x = np.gradient((grey - grey.min()) / (grey.max() - grey.min()))
    turns = np.arange(12) * np.pi / 12
    return min(np.abs(x * np.cos(turn) + y * np.sin(turn)).max() for turn in turns)


def test_the_constants_of_polyblur_are_the_line_through_the_blurred_training_photos():
    """``1 / m^2 = (sigma^2 + OWN_BLUR^2) / EDGE^2`` fitted to the median photo at each sigma: where they come from."""
    sigmas = [0, 0.5, 0.8, 1, 1.5, 2, 2.5, 3]
    sharp = [to_tensor(each.pixels) for each in photos("train")]
    inverse = [np.median([steepest(quantize(blur(x, s)) if s else x) ** -2.0 for x in sharp]) for s in sigmas]
    slope, offset = np.polyfit(np.square(sigmas), inverse, 1)
    assert math.sqrt(1 / slope) == pytest.approx(EDGE, abs=0.002)
    assert math.sqrt(offset / slope) == pytest.approx(OWN_BLUR, abs=0.004)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
def test_the_blur_of_held_out_photos_is_recovered(sigma):
    """Rocket and chelsea have no black-to-white edge: they look blurred more than they are, none looks sharper."""
    held_out = [quantize(blur(to_tensor(each.pixels), sigma)) for split in HELD_OUT for each in photos(split)]
    found = torch.cat([estimate_blur(image) for image in held_out])[:, :2] / sigma
    assert found.median().item() == pytest.approx(1, abs=0.15)
    assert 0.75 < found.min() < found.max() < 2


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_the_direction_of_a_blur_is_recovered(degrees):
    angle = math.radians(degrees)
    disk = (np.hypot(*np.mgrid[-64:64, -64:64]) < 40).astype(np.float32)
    spectrum = gaussian_spectrum(torch.tensor([[2.5, 0.8, angle]]), 128, 128)
    image = torch.fft.irfft2(torch.fft.rfft2(torch.from_numpy(disk)[None, None]) * spectrum, s=(128, 128))
    along, across, found = estimate_blur(image)[0].tolist()
    assert along > 1.5 * across
    assert abs((found - angle + math.pi / 2) % math.pi - math.pi / 2) < math.radians(8)


def test_the_spectrum_is_that_of_scipys_gaussian():
    impulse = np.zeros((65, 64))
    impulse[32, 32] = 1
    expected = np.abs(np.fft.rfft2(scipy.ndimage.gaussian_filter(impulse, (2.0, 1.2), truncate=6)))
    found = gaussian_spectrum(torch.tensor([[1.2, 2.0, 0.0]]), 65, 64)  # 1.2 along x, 2 along y
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-3)  # a sampled Gaussian aliases
    turned = gaussian_spectrum(torch.tensor([[2.0, 1.2, math.pi / 2]]), 65, 64)
    torch.testing.assert_close(turned, found)


@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 3.0), (6.0, 1.0)])
def test_the_polynomial_meets_the_inverse_at_one_and_beta_at_nothing(monkeypatch, alpha, beta):
    """A cubic through the gain that each value of K gets: its value, slope and bend at 1, its value at 0."""
    values = torch.linspace(0, 1, 65, dtype=torch.float64)
    seen = []
    monkeypatch.setattr(deconvolution, "gaussian_spectrum", lambda blur, height, width: values)
    monkeypatch.setattr(deconvolution, "multiply_spectrum", lambda image, gain: seen.append(gain(64, 64)) or image)
    polyblur(photo(), alpha=alpha, beta=beta)
    p = np.polynomial.Polynomial.fit(values.numpy(), seen[0].numpy(), 3).convert()
    assert p(0) == pytest.approx(beta)
    assert p(1) == pytest.approx(1)
    assert p.deriv()(1) == pytest.approx(-1)
    assert p.deriv(2)(1) == pytest.approx(alpha)


@pytest.mark.parametrize(("sigma", "least"), [(1.0, 1.2), (1.5, 0.7), (2.0, 0.5)])
def test_polyblur_sharpens_every_blurred_held_out_photo(sigma, least):
    for sharp in (to_tensor(each.pixels) for split in HELD_OUT for each in photos(split)):
        soft = quantize(blur(sharp, sigma))
        assert (psnr(quantize(polyblur(soft)), sharp) - psnr(soft, sharp)).item() > least


def test_polyblur_leaves_a_picture_with_sharp_edges_alone():
    step = torch.zeros(1, 3, 64, 64)
    step[..., 20:40, 20:40] = 1
    assert torch.equal(estimate_blur(step)[:, :2], torch.zeros(1, 2))
    torch.testing.assert_close(polyblur(step), step, rtol=0, atol=1e-5)


def test_polyblur_leaves_sharp_photos_nearly_alone():
    for sharp in (to_tensor(each.pixels) for split in HELD_OUT for each in photos(split)):
        assert psnr(quantize(polyblur(sharp)), sharp).item() > 34


def test_halos_are_where_the_gradient_turns():
    slope = torch.linspace(0, 1, 20).expand(1, 1, 16, 20)
    assert not deconvolution._halo(slope, 1.5 * slope).any()
    assert (deconvolution._halo(slope, -slope) - 0.5).abs().max() < 1e-4
    assert not deconvolution._halo(slope, slope.mean() + 0 * slope).any()
