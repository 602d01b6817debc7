"""Filters in space against scikit-image and SciPy, with their defining properties."""

import numpy as np
import pytest
import scipy.ndimage
import skimage.filters
import torch

from kdsharp.checks import UsageError
from kdsharp.filters import FILTERS, laplacian, unsharp_mask
from kdsharp.filters.spatial import LAPLACIANS, blur, stencil

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


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_keeps_flat_areas_for_any_amount(name):
    flat = torch.full((1, 3, 33, 47), 0.37)
    for amount in (0.0, 0.5, 3.0):
        torch.testing.assert_close(FILTERS[name](flat, amount=amount), flat, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_does_nothing_at_amount_zero_and_sharpens_above(name):
    torch.testing.assert_close(FILTERS[name](IMAGE, amount=0.0), IMAGE)
    soft = blur(IMAGE, 1.0)
    assert FILTERS[name](soft, amount=1.0).std() > 1.1 * soft.std()


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_linear(name):
    sharpen = FILTERS[name]
    combined = sharpen(2 * IMAGE - 3 * IMAGE.flip(-1), amount=0.8)
    torch.testing.assert_close(combined, 2 * sharpen(IMAGE, amount=0.8) - 3 * sharpen(IMAGE.flip(-1), amount=0.8))


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_refuses_what_is_not_a_batch_of_images(name):
    with pytest.raises(UsageError, match="expected a float tensor"):
        FILTERS[name](IMAGE[0])


def test_wrong_settings():
    with pytest.raises(UsageError, match="sigma is 0"):
        unsharp_mask(IMAGE, radius=0)
    with pytest.raises(UsageError, match="unknown number of neighbours '6'"):
        laplacian(IMAGE, neighbours=6)
    with pytest.raises(UsageError, match="kernel size"):
        stencil(IMAGE, torch.ones(2, 2))
