"""Reconstruction losses against torch, scikit-image and their gradients in double precision."""

import pytest
import scipy.ndimage
import skimage.metrics
import torch

from kdsharp import losses
from kdsharp.checks import UsageError
from kdsharp.losses import LOSSES, charbonnier, edge_loss, mixture, reconstruction, ssim_loss
from kdsharp.vision import torchvision

OWN = [name for name in LOSSES if "vgg" not in name]
"""Losses that need no file."""

GENERATOR = torch.Generator().manual_seed(0)
TRUTH = torch.rand(2, 3, 12, 13, dtype=torch.float64, generator=GENERATOR)
PREDICTION = (TRUTH + 0.1 * torch.randn(TRUTH.shape, dtype=torch.float64, generator=GENERATOR)).clamp(0, 1)


@pytest.mark.parametrize("name", [name for name in OWN if name != "ssim-without-gradient"])
def test_gradients_are_right(name):
    prediction = PREDICTION[:1, :, :11, :11].clone().requires_grad_()
    truth = TRUTH[:1, :, :11, :11]
    assert torch.autograd.gradcheck(lambda x: reconstruction(name, x, truth), prediction)


@pytest.mark.parametrize("name", OWN)
def test_a_loss_is_a_symmetric_scalar_that_is_smallest_at_the_truth(name):
    loss = reconstruction(name, PREDICTION, TRUTH)
    assert loss.ndim == 0
    torch.testing.assert_close(loss, reconstruction(name, TRUTH, PREDICTION))
    halfway = reconstruction(name, (PREDICTION + TRUTH) / 2, TRUTH)
    assert reconstruction(name, TRUTH, TRUTH) < halfway < loss


@pytest.mark.parametrize("name", OWN)
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


def test_a_sum_of_weighted_losses():
    expected = reconstruction("l1", PREDICTION, TRUTH) + 0.5 * reconstruction("ssim", PREDICTION, TRUTH)
    torch.testing.assert_close(reconstruction("l1 + 0.5 ssim", PREDICTION, TRUTH), expected)
    assert mixture("l1 + 0.5 ssim") == {"l1": 1.0, "ssim": 0.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l1 + ssmi", "unknown loss 'ssmi' .*'ssim'"),
        ("half l1", "'half l1' is no weighted loss"),
        ("l1 +", "unknown loss ''"),
    ],
)
def test_a_wrong_sum_is_named(text, message):
    with pytest.raises(UsageError, match=message):
        mixture(text)


def test_the_ssim_of_detached_pixels_has_its_value_and_no_gradient():
    prediction = PREDICTION.clone().requires_grad_()
    loss = reconstruction("l1 + ssim-without-gradient", prediction, TRUTH)
    torch.testing.assert_close(loss, reconstruction("l1 + ssim", PREDICTION, TRUTH))
    (found,) = torch.autograd.grad(loss, prediction)
    (l1_alone,) = torch.autograd.grad(reconstruction("l1", prediction, TRUTH), prediction)
    assert torch.equal(found, l1_alone)


@pytest.fixture(scope="module")
def vgg_home(tmp_path_factory):
    """A folder of torchvision's weights with a VGG16 file of its form: random convolutions, and a classifier's key."""
    home = tmp_path_factory.mktemp("hub")
    torch.manual_seed(0)
    features = torchvision.models.vgg16(weights=None).features.state_dict()
    state = {f"features.{key}": value for key, value in features.items()} | {"classifier.6.bias": torch.zeros(1000)}
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(home))
    losses.vgg_file().parent.mkdir()
    torch.save(state, losses.vgg_file())
    losses.pretrained_vgg.cache_clear()
    yield features
    torch.hub.set_dir(before)
    losses.pretrained_vgg.cache_clear()


def test_vgg_features_are_those_of_torchvisions_network(vgg_home):
    network = torchvision.models.vgg16(weights=None).features
    network.load_state_dict(vgg_home)
    image = torch.rand(1, 3, 40, 36, generator=torch.Generator().manual_seed(1))
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (image - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)
    found = losses.pretrained_vgg()(image)
    assert [maps.shape[1] for maps in found] == [64, 128, 256, 512, 512]
    with torch.no_grad():
        torch.testing.assert_close(found[1], network[:9](normalised))
        torch.testing.assert_close(found[4], network[:30](normalised))


@pytest.mark.parametrize("name", ["vgg", "vgg-deep"])
def test_vgg_losses_are_zero_at_the_truth_and_pull_the_prediction_only(vgg_home, name):
    prediction, truth = (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    assert reconstruction(name, truth, truth).item() == 0
    prediction.requires_grad_()
    loss = reconstruction(name, prediction, truth)
    loss.backward()
    assert loss > 0
    assert prediction.grad.abs().sum() > 0
    assert not any(weight.requires_grad for weight in losses.pretrained_vgg().parameters())


def test_the_deep_vgg_loss_is_the_last_part_of_the_vgg_loss(vgg_home):
    prediction, truth = (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    pairs = zip(losses.pretrained_vgg()(prediction), losses.pretrained_vgg()(truth), strict=True)
    parts = [(ours - theirs).square().mean() for ours, theirs in pairs]
    torch.testing.assert_close(reconstruction("vgg", prediction, truth), sum(parts) / 5)
    torch.testing.assert_close(reconstruction("vgg-deep", prediction, truth), parts[-1])


def test_without_the_file_the_vgg_loss_says_how_to_get_it(monkeypatch, tmp_path):
    losses.pretrained_vgg.cache_clear()
    monkeypatch.setattr(losses, "vgg_file", lambda: tmp_path / "vgg16.pth")
    with pytest.raises(UsageError, match=r"needs torchvision's weights at .*vgg16.pth; fetch them once"):
        reconstruction("vgg", torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))


def test_the_psnr_of_tiles_is_the_mean_over_squares_and_sees_what_stands_beside_an_edge():
    prediction, truth = torch.rand(2, 3, 70, 40), torch.rand(2, 3, 70, 40)
    squares = [
        (prediction - truth)[k, :, top : top + 32, left : left + 32].square().mean()
        for k in range(2)
        for top in (0, 32, 64)
        for left in (0, 32)
    ]
    expected = (torch.stack(squares) + 1e-6).log10().mean()
    torch.testing.assert_close(losses.LOSSES["psnr-tiles"](prediction, truth), expected)
    torch.testing.assert_close(
        losses.LOSSES["psnr-tiles"](prediction[..., :9, :20], truth[..., :9, :20]),
        losses.psnr_loss(prediction[..., :9, :20], truth[..., :9, :20]),
    )
    edge = torch.zeros(1, 3, 64, 64)
    edge[..., :32] = 0.1
    ripples = edge.clone()
    ripples[..., 32:] = 0.005
    named = {
        name: (losses.LOSSES[name](ripples, 0 * edge) - losses.LOSSES[name](edge, 0 * edge)).item()
        for name in ("psnr", "psnr-tiles")
    }
    assert named["psnr"] < 0.002
    assert named["psnr-tiles"] > 0.5


@pytest.mark.parametrize(("name", "times"), [("mse", 0.03), ("psnr", 24.0), ("psnr-40", 1.0)])
def test_how_hard_a_loss_pulls_at_a_picture_of_55_db_against_one_of_25(name, times):
    pulls = []
    for quality in (25, 55):
        size = torch.tensor(10 ** (-quality / 20), requires_grad=True)
        wrong = size.expand(1, 3, 4, 4)
        pulls.append(torch.autograd.grad(LOSSES[name](wrong, torch.zeros_like(wrong)), size)[0].item())
    assert pulls[1] / pulls[0] == pytest.approx(times, rel=0.06)
