"""PSNR and both SSIMs against scikit-image and SciPy."""

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import skimage.data
import skimage.io
import skimage.metrics
import torch

from kdsharp import metrics
from kdsharp.checks import UsageError

GENERATOR = torch.Generator().manual_seed(0)
TRUTH = torch.rand(3, 3, 32, 37, generator=GENERATOR)
NOISE = torch.randn(3, 3, 32, 37, generator=GENERATOR)
IMAGE = (TRUTH + NOISE * torch.tensor([0.01, 0.05, 0.2]).view(3, 1, 1, 1)).clamp(0, 1)
PAIRS = list(zip(IMAGE.numpy(), TRUTH.numpy(), strict=True))


def volumetric(image, truth, data_range):
    """MATLAB's SSIM of a colour array, by SciPy: an 11x11x11 Gaussian window over (H, W, C)."""
    x, y = (each.transpose(1, 2, 0).astype(np.float64) for each in (image, truth))

    def window(volume):
        return scipy.ndimage.gaussian_filter(volume, 1.5, mode="nearest", truncate=3.5)

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_x, mean_y = window(x), window(y)
    var_x, var_y = window(x * x) - mean_x**2, window(y * y) - mean_y**2
    covariance = window(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return (luminance * (2 * covariance + c2) / (var_x + var_y + c2)).mean()


@pytest.mark.parametrize("data_range", [1.0, 2.0, 255.0])
def test_psnr_is_scikit_images(data_range):
    expected = [skimage.metrics.peak_signal_noise_ratio(y, x, data_range=data_range) for x, y in PAIRS]
    np.testing.assert_allclose(metrics.psnr(IMAGE, TRUTH, data_range).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_ssim_is_scikit_images_per_channel(data_range):
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0}
    expected = [skimage.metrics.structural_similarity(x, y, data_range=data_range, **settings) for x, y in PAIRS]
    np.testing.assert_allclose(metrics.ssim(IMAGE, TRUTH, data_range).numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_volumetric_ssim_is_scipys(data_range):
    expected = [volumetric(x, y, data_range) for x, y in PAIRS]
    np.testing.assert_allclose(metrics.ssim_volumetric(IMAGE, TRUTH, data_range).numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_the_ssim_map_is_scikit_images_and_its_mean_the_ssim(data_range):
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0, "full": True}
    found = metrics.ssim_map(IMAGE, TRUTH, data_range)
    for (x, y), mine in zip(PAIRS, found.numpy(), strict=True):
        _, full = skimage.metrics.structural_similarity(x, y, data_range=data_range, **settings)
        np.testing.assert_allclose(mine, full[:, 5:-5, 5:-5], atol=2e-5)
    torch.testing.assert_close(found.flatten(1).mean(1), metrics.ssim(IMAGE, TRUTH, data_range), atol=2e-5, rtol=0)


def test_on_a_blurred_photo_the_volumetric_ssim_is_the_higher_one():
    photo = skimage.io.imread(Path(skimage.data.__file__).parent / "chelsea.png")[64:192, 128:256] / 255
    blurred = scipy.ndimage.gaussian_filter(photo, (2.5, 2.5, 0))
    pair = [torch.from_numpy(each.transpose(2, 0, 1)[None]).float() for each in (blurred, photo)]
    gap = (metrics.ssim_volumetric(*pair) - metrics.ssim(*pair)).item()
    assert gap > 0.02


@pytest.mark.parametrize("name", ["psnr", "ssim", "ssim_volumetric"])
def test_one_value_an_image_whatever_else_is_in_the_batch(name):
    measure = getattr(metrics, name)
    alone = torch.cat([measure(IMAGE[i : i + 1], TRUTH[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(measure(IMAGE, TRUTH), alone)
    assert (alone.diff() < 0).all()  # more noise, lower score


@pytest.mark.parametrize("name", ["ssim", "ssim_volumetric"])
def test_ssim_is_symmetric_and_one_for_equal_images(name):
    measure = getattr(metrics, name)
    torch.testing.assert_close(measure(IMAGE, TRUTH), measure(TRUTH, IMAGE))
    torch.testing.assert_close(measure(TRUTH, TRUTH), torch.ones(3))


def test_psnr_of_equal_images_is_infinite_and_of_a_known_error_known():
    assert metrics.psnr(TRUTH, TRUTH).tolist() == [math.inf] * 3
    assert metrics.psnr(TRUTH, TRUTH + 0.1).tolist() == pytest.approx([20.0] * 3, abs=1e-4)


def test_multi_scale_ssim_is_the_product_of_its_scales():
    """Five scales, halved by 2x2 means; contrast and structure at each, luminance at the last (Wang 2003)."""
    truth = torch.rand(1, 1, 176, 180, generator=GENERATOR)
    truth = torch.nn.functional.avg_pool2d(truth, 5, 1, 2)
    image = (truth + 0.05 * torch.randn(truth.shape, generator=GENERATOR)).clamp(0, 1)
    x, y = image[0, 0].double().numpy(), truth[0, 0].double().numpy()
    expected = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):

        def window(plane):
            return scipy.ndimage.gaussian_filter(plane, 1.5, truncate=3.5)[5:-5, 5:-5]

        mean_x, mean_y = window(x), window(y)
        spread = window(x * x) - mean_x**2 + window(y * y) - mean_y**2
        structure = (2 * (window(x * y) - mean_x * mean_y) + 0.03**2) / (spread + 0.03**2)
        luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
        expected *= (structure * luminance if scale == 4 else structure).mean() ** weight
        x, y = (np.pad(p, [(s % 2, s % 2) for s in p.shape]) for p in (x, y))
        x, y = (p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2] for p in (x, y))
        x, y = (p.reshape(p.shape[0] // 2, 2, p.shape[1] // 2, 2).mean((1, 3)) for p in (x, y))
    assert metrics.ms_ssim(image, truth).item() == pytest.approx(expected, abs=1e-4)


def test_too_small_for_the_window():
    small = torch.rand(1, 3, 10, 40)
    for measure in (metrics.ssim, metrics.ssim_map, metrics.ssim_volumetric):
        with pytest.raises(UsageError, match=r"at least 11 pixels, found \(10, 40\)"):
            measure(small, small)
    with pytest.raises(UsageError, match="above 160 pixels"):
        metrics.ms_ssim(TRUTH, TRUTH)


@pytest.mark.parametrize("name", ["psnr", "ssim", "ssim_map", "ssim_volumetric", "ms_ssim"])
def test_shapes_must_agree(name):
    with pytest.raises(UsageError, match="shapes differ"):
        getattr(metrics, name)(IMAGE, TRUTH[..., :-1])


def test_a_range_of_zero_is_refused():
    with pytest.raises(UsageError, match="data_range is 0"):
        metrics.psnr(IMAGE, TRUTH, 0)


# Further measures, and large pictures


def test_strips_change_no_score(monkeypatch):
    whole = [each(IMAGE, TRUTH) for each in (metrics.psnr, metrics.ssim, metrics.ssim_volumetric)]
    for pixels in (37 * 5, 37 * 11, 37):
        monkeypatch.setattr(metrics, "STRIP", pixels)
        strips = [each(IMAGE, TRUTH) for each in (metrics.psnr, metrics.ssim, metrics.ssim_volumetric)]
        for one, other in zip(whole, strips, strict=True):
            torch.testing.assert_close(one, other, rtol=2e-6, atol=2e-6)


def test_memory_of_a_score_does_not_grow_with_the_picture():
    from kdsharp.inference import peak_megabytes

    for score in (metrics.psnr, metrics.ssim, metrics.ssim_volumetric):
        peaks = []
        for height in (2000, 5000):
            one = torch.rand(1, 3, height, 1000, generator=GENERATOR)
            two = one * 0.9
            peaks.append(peak_megabytes(lambda one=one, two=two, score=score: score(one, two)))
        assert peaks[1] < 1.05 * peaks[0]


def test_measures_order_noise_and_know_what_is_equal():
    large = torch.nn.functional.interpolate(TRUTH, scale_factor=2)
    noisy = [(large + level * torch.randn(large.shape, generator=GENERATOR)).clamp(0, 1) for level in (0.02, 0.1)]
    for name, measure in metrics.MEASURES.items():
        values = [measure(each, large) for each in (large, *noisy)]
        assert all(value.shape == (3,) for value in values)
        torch.testing.assert_close(values[0], torch.full((3,), 0.0 if name == "gmsd" else 1.0), atol=1e-4, rtol=0)
        ordered = values if name == "gmsd" else values[::-1]
        assert (ordered[0] < ordered[1]).all()
        assert (ordered[1] < ordered[2]).all()
    with pytest.raises(UsageError, match="at least 41x41"):
        metrics.vif(IMAGE, TRUTH)
