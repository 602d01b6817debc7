"""Reconstruction losses against torch, scikit-image and their gradients in double precision."""

import pytest
import scipy.ndimage
import skimage.metrics
import torch

from kdsharp.checks import UsageError
from kdsharp.losses import LOSSES, charbonnier, edge_loss, reconstruction, ssim_loss

GENERATOR = torch.Generator().manual_seed(0)
TRUTH = torch.rand(2, 3, 12, 13, dtype=torch.float64, generator=GENERATOR)
PREDICTION = (TRUTH + 0.1 * torch.randn(TRUTH.shape, dtype=torch.float64, generator=GENERATOR)).clamp(0, 1)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_right(name):
    prediction = PREDICTION[:1, :, :11, :11].clone().requires_grad_()
    truth = TRUTH[:1, :, :11, :11]
    assert torch.autograd.gradcheck(lambda x: reconstruction(name, x, truth), prediction)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_a_symmetric_scalar_that_is_smallest_at_the_truth(name):
    loss = reconstruction(name, PREDICTION, TRUTH)
    assert loss.ndim == 0
    torch.testing.assert_close(loss, reconstruction(name, TRUTH, PREDICTION))
    halfway = reconstruction(name, (PREDICTION + TRUTH) / 2, TRUTH)
    assert reconstruction(name, TRUTH, TRUTH) < halfway < loss


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_mean_over_the_batch(name):
    each = [reconstruction(name, PREDICTION[i : i + 1], TRUTH[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(reconstruction(name, PREDICTION, TRUTH), torch.stack(each).mean())


def test_l1_and_mse_are_what_their_names_say():
    error = (PREDICTION - TRUTH).numpy()
    assert reconstruction("l1", PREDICTION, TRUTH).item() == pytest.approx(abs(error).mean())
    assert reconstruction("mse", PREDICTION, TRUTH).item() == pytest.approx((error**2).mean())


@pytest.mark.parametrize(("name", "least"), [("l1", 0), ("mse", 0), ("charbonnier", 1e-3), ("ssim", 0), ("psnr", -6)])
def test_what_a_loss_gives_at_the_truth(name, least):
    assert reconstruction(name, TRUTH, TRUTH).item() == pytest.approx(least, abs=1e-6)


def test_psnr_loss_is_minus_scikit_images_psnr_in_units_of_ten_decibels():
    pairs = zip(PREDICTION.numpy(), TRUTH.numpy(), strict=True)
    expected = [skimage.metrics.peak_signal_noise_ratio(y, x, data_range=1.0) for x, y in pairs]
    assert reconstruction("psnr", PREDICTION, TRUTH).item() == pytest.approx(-sum(expected) / 20, abs=1e-3)


def test_charbonnier_lies_between_l1_and_l1_plus_epsilon():
    l1 = torch.nn.functional.l1_loss(PREDICTION, TRUTH)
    assert l1 < charbonnier(PREDICTION, TRUTH) < l1 + 1e-3
    assert charbonnier(TRUTH, TRUTH).item() == pytest.approx(1e-3)
    torch.testing.assert_close(charbonnier(PREDICTION, TRUTH, 1e-9), l1)


def test_charbonnier_with_a_wide_tip_is_torchs_pseudo_huber():
    """With epsilon 1 it is sqrt(error^2 + 1), which near zero is 1 + error^2 / 2."""
    small = TRUTH + 1e-3 * torch.randn(TRUTH.shape, dtype=torch.float64, generator=GENERATOR)
    expected = 1 + torch.nn.functional.smooth_l1_loss(small, TRUTH)
    torch.testing.assert_close(charbonnier(small, TRUTH, 1.0), expected, rtol=0, atol=1e-9)


def test_ssim_loss_is_one_minus_scikit_images():
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    pairs = zip(PREDICTION.numpy(), TRUTH.numpy(), strict=True)
    expected = [1 - skimage.metrics.structural_similarity(x, y, channel_axis=0, **settings) for x, y in pairs]
    assert ssim_loss(PREDICTION, TRUTH).item() == pytest.approx(sum(expected) / 2, abs=1e-5)


def test_edge_loss_is_the_distance_of_scipys_laplacians():
    kernel = [[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    planes = (PREDICTION - TRUTH).flatten(0, 1).numpy()
    edges = torch.stack([torch.from_numpy(scipy.ndimage.convolve(p, kernel, mode="mirror")) for p in planes])
    torch.testing.assert_close(edge_loss(PREDICTION, TRUTH), (edges**2 + 1e-6).sqrt().mean())


def test_edge_loss_does_not_see_brightness():
    torch.testing.assert_close(edge_loss(PREDICTION + 0.2, TRUTH), edge_loss(PREDICTION, TRUTH))


def test_unknown_name_and_shapes_that_differ():
    with pytest.raises(UsageError, match="unknown loss 'l2'.* l1, mse, charbonnier, ssim, edge"):
        reconstruction("l2", PREDICTION, TRUTH)
    with pytest.raises(UsageError, match="shapes differ"):
        reconstruction("l1", PREDICTION, TRUTH[..., 1:])
