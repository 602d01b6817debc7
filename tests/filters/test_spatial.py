"""Filters in space against scikit-image and SciPy, with their defining properties."""

import math

import numpy as np
import pytest
import scipy.ndimage
import skimage.filters
import torch

from kdsharp.checks import UsageError
from kdsharp.filters import gradient_sharpen, high_pass, laplacian, log_sharpen, unsharp_mask
from kdsharp.filters.spatial import HIGH_PASSES, LAPLACIANS, blur, log_kernel, stencil

IMAGE = torch.rand(2, 3, 40, 44, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("radius", "amount"), [(0.8, 1.0), (2.0, 0.5), (3.0, 2.5)])
def test_unsharp_mask_is_that_of_scikit_image(radius, amount):
    ours = unsharp_mask(IMAGE, radius, amount)
    border = int(4 * radius + 0.5)  # the two continue the picture differently beyond its border
    inner = (slice(border, -border), slice(border, -border))
    for image, found in zip(IMAGE, ours, strict=True):
        expected = skimage.filters.unsharp_mask(image.numpy(), radius, amount, preserve_range=True, channel_axis=0)
        np.testing.assert_allclose(found.numpy()[:, *inner], expected[:, *inner], atol=1e-6)


@pytest.mark.parametrize("radius", [0.3, 1.5, 5.0])
def test_blur_is_scipys_with_mirrored_edges(radius):
    expected = scipy.ndimage.gaussian_filter(IMAGE.numpy(), (0, 0, radius, radius), mode="mirror", truncate=4)
    np.testing.assert_allclose(blur(IMAGE, radius).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("radius", [15.0, 60.0])
def test_a_blur_wider_than_the_picture_keeps_its_size_and_flattens_it(radius):
    blurred = blur(IMAGE, radius)
    assert blurred.shape == IMAGE.shape
    assert blurred.std() < 0.3 * IMAGE.std()


def test_blur_is_its_own_adjoint_away_from_the_border():
    x, y = torch.zeros_like(IMAGE), torch.zeros_like(IMAGE)
    inner = (..., slice(12, -12), slice(12, -12))
    x[inner], y[inner] = IMAGE[inner], IMAGE.flip(0, 2)[inner]
    torch.testing.assert_close((blur(x, 1.2) * y).sum(), (x * blur(y, 1.2)).sum())


def test_the_gradient_of_a_blur_is_its_adjoint_up_to_the_border():
    x = IMAGE.clone().requires_grad_()
    y = IMAGE.flip(0, 2)
    (transposed,) = torch.autograd.grad(blur(x, 2.0), x, y)
    torch.testing.assert_close((blur(IMAGE, 2.0) * y).sum(), (IMAGE * transposed).sum())


@pytest.mark.parametrize("neighbours", [4, 8])
def test_laplacian_is_scipys(neighbours):
    kernel = np.ones((3, 3)) if neighbours == 8 else np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    kernel[1, 1] = -neighbours
    ours = laplacian(IMAGE, 0.7, neighbours)
    for plane, found in zip(IMAGE.flatten(0, 1).numpy(), ours.flatten(0, 1).numpy(), strict=True):
        expected = plane - 0.7 * scipy.ndimage.convolve(plane, kernel, mode="mirror")
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_four_neighbours_are_scipys_laplace():
    expected = -scipy.ndimage.laplace(IMAGE[0, 0].numpy(), mode="mirror")
    np.testing.assert_allclose(stencil(IMAGE, LAPLACIANS[4])[0, 0].numpy(), expected, atol=1e-12)


def test_stencil_correlates_and_does_not_turn_the_kernel():
    kernel = torch.arange(9.0).view(3, 3)
    expected = scipy.ndimage.correlate(IMAGE[1, 2].numpy(), kernel.double().numpy(), mode="mirror")
    np.testing.assert_allclose(stencil(IMAGE, kernel)[1, 2].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("kind", HIGH_PASSES)
def test_high_pass_adds_what_differs_from_the_neighbourhood(kind):
    plane = IMAGE[1, 2].numpy()
    bell = [0.25, 0.5, 0.25]
    mean = (
        scipy.ndimage.uniform_filter(plane, 3, mode="mirror")
        if kind == "box"
        else scipy.ndimage.correlate1d(scipy.ndimage.correlate1d(plane, bell, 0, mode="mirror"), bell, 1, mode="mirror")
    )
    found = high_pass(IMAGE, 1.3, kind)[1, 2].numpy()
    np.testing.assert_allclose(found, plane + 1.3 * (plane - mean), atol=1e-6)


def test_the_box_high_pass_is_a_ninth_of_the_laplacian_with_eight_neighbours():
    torch.testing.assert_close(high_pass(IMAGE, 0.9), laplacian(IMAGE, 0.1, neighbours=8), rtol=0, atol=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 3.0])
def test_log_is_scipys_times_the_variance(sigma):
    scipys = scipy.ndimage.gaussian_laplace(IMAGE.numpy()[1, 2], sigma, mode="mirror", truncate=4)
    found = log_sharpen(IMAGE, sigma, 0.7)[1, 2].numpy()
    np.testing.assert_allclose(found, IMAGE.numpy()[1, 2] - 0.7 * sigma**2 * scipys, atol=3e-3)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.3])
def test_the_log_kernel_is_even_sums_to_nothing_and_digs_in_the_middle(sigma):
    kernel = log_kernel(sigma)
    assert abs(kernel.double().sum().item()) < 1e-6
    torch.testing.assert_close(kernel, kernel.flip(0).T)
    assert kernel.argmin() == kernel.numel() // 2


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_one_amount_of_log_means_the_same_at_every_sigma(sigma):
    """A wave of the scale itself, ``cos(x / sigma)``, rises by ``amount * exp(-1/2)``."""
    x = torch.arange(400, dtype=torch.float64)
    wave = torch.cos(x / sigma).expand(1, 1, 64, 400)
    middle = slice(100, 300)
    expected = (1 + 0.8 * math.exp(-0.5)) * wave[0, 0, 32, middle]
    torch.testing.assert_close(log_sharpen(wave, sigma, 0.8)[0, 0, 32, middle], expected, rtol=0, atol=0.01)


@pytest.mark.parametrize("threshold", [0.01, 0.2])
def test_gradient_weights_the_unsharp_mask_by_scipys_sobel(threshold):
    arrays = IMAGE[0].numpy()
    slopes = [[scipy.ndimage.sobel(plane, axis, mode="mirror") / 8 for axis in (0, 1)] for plane in arrays]
    magnitude = np.sqrt(np.square(slopes).sum(1).mean(0))
    mask = np.stack([plane - scipy.ndimage.gaussian_filter(plane, 1.2, mode="mirror") for plane in arrays])
    expected = arrays + 0.9 * magnitude / (magnitude + threshold) * mask
    found = gradient_sharpen(IMAGE, 1.2, 0.9, threshold)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_gradient_leaves_the_noise_of_flat_areas_alone_and_sharpens_edges():
    step = torch.cat([torch.full((1, 1, 64, 32), 0.2), torch.full((1, 1, 64, 32), 0.8)], -1)
    noisy = blur(step, 1.5) + 0.004 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    plain, guarded = unsharp_mask(noisy, 1.5, 2.0), gradient_sharpen(noisy, 1.5, 2.0)
    flat, edge = (..., slice(4, 20)), (..., 32, slice(24, 40))
    assert guarded[flat].std() < 0.65 * plain[flat].std()
    assert guarded[edge].diff().max() > 0.9 * plain[edge].diff().max()


def test_wrong_settings():
    with pytest.raises(UsageError, match="sigma is 0"):
        unsharp_mask(IMAGE, radius=0)
    with pytest.raises(UsageError, match="unknown number of neighbours '6'"):
        laplacian(IMAGE, neighbours=6)
    with pytest.raises(UsageError, match="kernel size"):
        stencil(IMAGE, torch.ones(2, 2))
    with pytest.raises(UsageError, match="unknown high-pass kernel 'bell'"):
        high_pass(IMAGE, kind="bell")
    with pytest.raises(UsageError, match="sigma is -1"):
        log_sharpen(IMAGE, sigma=-1)
    with pytest.raises(UsageError, match="threshold is 0"):
        gradient_sharpen(IMAGE, threshold=0)
