"""Point spread functions: positive, odd-sized, of sum 1; and convolution against SciPy."""

import math

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from PIL import Image, ImageFilter

from kdsharp import kernels
from kdsharp.checks import UsageError

PSFS = {
    "gaussian": kernels.gaussian(1.7),
    "gaussian, tiny": kernels.gaussian(0.05),
    "disk": kernels.disk(3.3),
    "disk, tiny": kernels.disk(0.2),
    "motion": kernels.motion(9.5, 30),
    "motion, tiny": kernels.motion(0.1),
    "three boxes": kernels.three_boxes(1.5),
    "three boxes, tiny": kernels.three_boxes(0.1),
} | {f"shake {seed}": kernels.shake(1 + 3 * seed, np.random.default_rng(seed)) for seed in range(8)}


@pytest.mark.parametrize("psf", PSFS.values(), ids=PSFS)
def test_a_psf_moves_light_and_makes_none(psf):
    assert psf.dtype == torch.float32
    assert psf.shape[0] == psf.shape[1]
    assert psf.shape[0] % 2 == 1
    assert psf.min() >= 0
    assert psf.sum().item() == pytest.approx(1, abs=1e-5)


def test_gaussian_is_the_impulse_response_of_scipy():
    impulse = np.zeros((31, 31))
    impulse[15, 15] = 1
    expected = scipy.ndimage.gaussian_filter(impulse, 2.0, truncate=4)
    psf = kernels.gaussian(2.0).numpy()
    np.testing.assert_allclose(np.pad(psf, (31 - len(psf)) // 2), expected, atol=1e-7)


def test_disk_has_the_area_and_the_spread_of_a_disk():
    radius = 5.0
    psf = kernels.disk(radius).double()
    assert 1 / psf.max().item() == pytest.approx(math.pi * radius**2, rel=0.01)
    x = torch.arange(len(psf)) - len(psf) // 2
    assert (psf.sum(0) * x**2).sum().item() == pytest.approx(radius**2 / 4, rel=0.05)


@pytest.mark.parametrize(("angle", "slope"), [(0, 0), (45, -1), (135, 1)])
def test_motion_lies_along_its_angle(angle, slope):
    """Counter-clockwise as seen: rows count downwards, so 45 degrees is a falling row with a rising column."""
    psf = kernels.motion(20, angle).double()
    centre = torch.arange(len(psf), dtype=torch.float64) - len(psf) // 2
    xx, yy, xy = (psf * centre**2).sum(), (psf * centre[:, None] ** 2).sum(), (psf * centre * centre[:, None]).sum()
    assert (xy / xx).item() == pytest.approx(slope, abs=0.02)
    assert (12 * (xx + yy)).sqrt().item() == pytest.approx(20, rel=0.05)


def test_vertical_motion_is_a_column():
    psf = kernels.motion(8, 90)
    assert psf.sum(0).max().item() == pytest.approx(1, abs=1e-5)


def test_splat_is_bilinear():
    expected = np.zeros((5, 5))
    expected[2, 3], expected[2, 4], expected[3, 3], expected[3, 4] = 0.75 * 0.75, 0.75 * 0.25, 0.25 * 0.75, 0.25 * 0.25
    np.testing.assert_allclose(kernels.splat(np.array([1.25]), np.array([0.25])), expected, atol=1e-7)


def test_splat_keeps_the_centre_of_mass():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-6, 6, (2, 500))
    psf = kernels.splat(x, y).double()
    centre = torch.arange(len(psf), dtype=torch.float64) - len(psf) // 2
    assert (psf.sum(0) * centre).sum().item() == pytest.approx(x.mean(), abs=1e-5)
    assert (psf.sum(1) * centre).sum().item() == pytest.approx(y.mean(), abs=1e-5)


def test_shake_depends_on_the_generator_alone():
    first, again, other = (kernels.shake(9, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_shake_is_centred_and_spreads_as_a_straight_motion_of_its_length():
    """Length^2 / 12 is the variance of straight motion; bilinear splatting adds at most 1/4 along each axis."""
    for seed in range(20):
        psf = kernels.shake(12, np.random.default_rng(seed)).double()
        centre = torch.arange(len(psf), dtype=torch.float64) - len(psf) // 2
        assert abs((psf.sum(0) * centre).sum().item()) < 1e-3
        spread = (psf * (centre**2 + centre[:, None] ** 2)).sum().item()
        assert 12**2 / 12 < spread < 12**2 / 12 + 0.5


def test_shake_without_wobble_is_straight():
    psf = kernels.shake(15, np.random.default_rng(0), wobble=0).double()
    centre = torch.arange(len(psf), dtype=torch.float64) - len(psf) // 2
    moments = torch.stack(torch.meshgrid(centre, centre, indexing="ij")).flatten(1)
    small, large = torch.linalg.eigvalsh((moments * psf.flatten()) @ moments.T)
    assert small < 0.3  # what bilinear splatting alone spreads across the line
    assert (12 * large).sqrt().item() == pytest.approx(15, rel=0.05)


@pytest.mark.parametrize("make", [kernels.gaussian, kernels.disk, kernels.motion])
@pytest.mark.parametrize("wrong", [0, -1.0, math.nan])
def test_sizes_must_be_positive(make, wrong):
    with pytest.raises(UsageError, match="above 0"):
        make(wrong)
    with pytest.raises(UsageError, match="above 0"):
        kernels.shake(wrong, np.random.default_rng(0))


def test_convolve_agrees_with_scipy_up_to_the_border():
    rng = np.random.default_rng(0)
    image, psf = rng.random((1, 3, 21, 26)), kernels.shake(9, rng)
    ours = kernels.convolve(torch.from_numpy(image), psf)[0].numpy()
    for plane, found in zip(image[0], ours, strict=True):
        expected = scipy.ndimage.convolve(plane, psf.double().numpy(), mode="mirror")
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_each_image_gets_its_own_psf():
    rng = np.random.default_rng(0)
    psfs = kernels.stack([kernels.gaussian(1), kernels.shake(12, rng)])
    images = torch.from_numpy(rng.random((2, 1, 40, 40)))
    both = kernels.convolve(images, psfs)
    for index in range(2):
        inner = scipy.signal.convolve2d(images[index, 0].numpy(), psfs[index].double().numpy(), mode="valid")
        half = psfs.shape[-1] // 2
        np.testing.assert_allclose(both[index, 0, half:-half, half:-half].numpy(), inner, atol=1e-10)


def test_the_adjoint_of_a_blur_is_the_blur_by_the_turned_psf():
    """<A x, y> = <x, A^T y> for pictures that are black near the border, so that no light leaves them."""
    psf = kernels.shake(7, np.random.default_rng(5)).double()
    half = len(psf) // 2
    x, y = torch.zeros(2, 1, 1, 48, 48, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    inner = (..., slice(2 * half, -2 * half), slice(2 * half, -2 * half))
    x[inner], y[inner] = torch.rand(2, *x[inner].shape, generator=generator, dtype=torch.float64)
    left = (kernels.convolve(x, psf) * y).sum()
    right = (x * kernels.convolve(y, psf.flip(0, 1))).sum()
    torch.testing.assert_close(left, right)
    assert not torch.isclose(left, (x * kernels.convolve(y, psf)).sum())  # the PSF is not symmetric, so this is a test


def test_a_flat_picture_stays_flat_up_to_the_border():
    flat = torch.full((1, 3, 32, 32), 0.3)
    torch.testing.assert_close(kernels.convolve(flat, kernels.shake(10, np.random.default_rng(2))), flat)


def test_a_psf_wider_than_the_picture_still_keeps_its_size():
    assert kernels.convolve(torch.rand(1, 3, 8, 9), kernels.gaussian(4)).shape == (1, 3, 8, 9)


def test_stack_centres():
    stacked = kernels.stack([torch.ones(1, 1), kernels.gaussian(1)])
    assert stacked.shape == (2, 9, 9)
    assert stacked[0, 4, 4] == 1
    assert stacked[0].sum() == 1
    assert torch.equal(stacked[1], kernels.gaussian(1))


@pytest.mark.parametrize("sigma", [0.6, 1.5, 2.0, 3.7])
def test_three_boxes_are_pillows_gaussian_with_its_variance(sigma):
    """A bright column shows the PSF's sum along it; Pillow rounds to 8 bits after each box."""
    line = kernels.three_boxes(sigma).sum(0).numpy()
    picture = np.zeros((41, 61), np.uint8)
    picture[:, 30] = 255
    shown = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))[20] / 255
    half = len(line) // 2
    np.testing.assert_allclose(shown[30 - half : 31 + half], line, atol=2.1 / 255)
    assert not shown[: 30 - half].any()
    assert (line * np.arange(-half, half + 1) ** 2).sum() == pytest.approx(sigma**2, rel=1e-4)
