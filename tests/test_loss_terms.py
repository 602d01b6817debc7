"""Lesson 11's parts: the best answer of a penalty, deep features, the ablation, and the frames of the explorer."""

import io

import pytest
import scipy.optimize
import torch
from PIL import Image

from kdsharp import checkpoints, datasets, degrade
from kdsharp.checks import UsageError
from kdsharp.distill import DeepLoss
from kdsharp.explore import penalties
from kdsharp.filters.spatial import blur
from kdsharp.images import to_tensor
from kdsharp.losses import LOSSES
from kdsharp.metrics import gradient_energy, psnr
from kdsharp.models import build
from kdsharp.study import losses

CANDIDATES = torch.tensor([[0.1, 0.5], [0.2, 0.5], [0.9, 0.4], [0.15, 0.7], [0.3, 0.1]])


@pytest.mark.parametrize("power", [1, 1.2, 2, 3, 8])
def test_no_other_answer_has_a_smaller_penalty(power):
    answer = penalties.best_answer(CANDIDATES, power)
    for pixel in range(2):
        values = CANDIDATES[:, pixel].double().numpy()
        found = scipy.optimize.minimize_scalar(
            lambda a, v=values: (abs(a - v) ** power).mean(), bounds=(0, 1), method="bounded"
        )
        assert (abs(answer[pixel].item() - values) ** power).mean() <= found.fun + 1e-6


def test_powers_one_two_and_many_are_median_mean_and_middle():
    assert penalties.best_answer(CANDIDATES, 1).tolist() == pytest.approx([0.2, 0.5])
    assert penalties.best_answer(CANDIDATES[:4], 1).tolist() == pytest.approx([0.175, 0.5])
    assert penalties.best_answer(CANDIDATES, 2).tolist() == pytest.approx(CANDIDATES.mean(0).tolist(), abs=1e-5)
    assert penalties.best_answer(CANDIDATES, 100).tolist() == pytest.approx([0.5, 0.4], abs=0.02)
    with pytest.raises(UsageError, match="power is 0.5"):
        penalties.best_answer(CANDIDATES, 0.5)


def test_the_mean_of_a_moved_photo_is_a_photo_blurred_sideways():
    photo = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    moved = penalties.shifted(photo, 2)
    assert moved.shape == (5, 3, 20, 26)
    expected = torch.nn.functional.avg_pool2d(photo, (1, 5), stride=1)
    torch.testing.assert_close(penalties.best_answer(moved, 2)[None], expected, atol=1e-5, rtol=0)


def test_mse_is_best_at_what_it_asks_for_and_softer_than_every_truth():
    photo = to_tensor(datasets.photos("test")[0].pixels)[..., 100:180, 100:180]
    moved = penalties.shifted(photo, 3)
    answers = {power: penalties.best_answer(moved, power) for power in (1, 2, 6)}
    scores = {power: penalties.expected_psnr(answer, moved) for power, answer in answers.items()}
    assert max(scores, key=scores.__getitem__) == 2
    assert scores[2] > penalties.expected_psnr(moved[3], moved)  # a truth itself scores less than their mean
    assert gradient_energy(answers[2][None]) < gradient_energy(moved).min()


@pytest.fixture(scope="module")
def cup():
    photo = next(photo for photo in datasets.photos("test") if photo.name == "coffee")
    return to_tensor(photo.pixels)


@pytest.mark.parametrize("reach", [0, 8])
@pytest.mark.parametrize("power", [1, 10])
def test_corners_of_the_explorer(cup, reach, power):
    picture = penalties.render_best(cup, reach, power, at=(15, 320))
    assert Image.open(io.BytesIO(picture.content)).size == (2 * 720, 2 * 500)
    assert picture.content == penalties.render_best(cup, reach, power, at=(15, 320)).content
    assert ("certain" in picture.alt) == (reach == 0)
    assert len(picture.content) < 250_000


def test_gradient_energy_is_that_of_a_checkerboard_and_falls_under_blur():
    board = ((torch.arange(8)[:, None] + torch.arange(8)) % 2).float()[None, None]
    assert gradient_energy(board).item() == 2.0
    assert gradient_energy(torch.full((1, 3, 8, 8), 0.3)).item() == 0.0
    noise = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    assert gradient_energy(blur(noise, 1.0)) < 0.2 * gradient_energy(noise)


@pytest.fixture(scope="module")
def deep():
    return DeepLoss(build("unet-mini", 1), ["encoders.0", "bottom"])


def test_a_deep_loss_is_zero_on_the_truth_and_pulls_the_prediction_alone(deep):
    truth = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    prediction = (truth + 0.1).requires_grad_(True)
    assert deep(truth, truth).item() == 0
    value = deep(prediction, truth)
    value.backward()
    assert value > 0
    assert prediction.grad.abs().sum() > 0
    assert not list(deep.parameters())
    with pytest.raises(UsageError, match="shapes differ"):
        deep(truth, truth[..., :16])


def test_a_deep_loss_divides_by_the_size_of_the_maps():
    """By hand, on a network of one layer: |2a - 2b|^2 / |2b|^2 is |a - b|^2 / |b|^2."""
    layer = torch.nn.Conv2d(3, 3, 1, bias=False)
    torch.nn.init.dirac_(layer.weight)
    layer.weight.data *= 2
    one, other = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(2)).unbind()
    expected = (one - other).square().sum() / other.square().sum()
    torch.testing.assert_close(DeepLoss(torch.nn.Sequential(layer), ["0"])(one, other), expected)


def test_terms_of_a_mix_are_of_one_size_and_share_equally():
    student = checkpoints.load("small").model
    batch = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(3)).unbind()
    step = losses.Mixed(student, {name: LOSSES[name] for name in ("l1", "ssim")}, batch)
    found = step(*batch)
    assert (step.weights["ssim"] * found["ssim"]).item() == pytest.approx(found["l1"].item() / 2, rel=1e-4)
    assert found["loss"].item() == pytest.approx(found["l1"].item(), rel=1e-4)
    assert {id(each) for each in step.parameters()} == {id(each) for each in student.parameters()}


def test_arms_start_from_the_same_weights_and_leave_them_as_they_are():
    shake = degrade.protocol("shake")
    crops = datasets.Crops([datasets.photos("train")[0].pixels], shake, 32, 2, seed=0)
    before = checkpoints.load("small").model.state_dict()
    known = {name: LOSSES[name] for name in ("l1", "mse")}
    one, other, again = (losses.train_with([name], known, crops, 2).state_dict() for name in ("l1", "mse", "l1"))
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)
    assert any(not torch.equal(one[key], before[key]) for key in one)
    with pytest.raises(UsageError, match="unknown loss 'l2'"):
        losses.train_with(["l2"], known, crops, 2)


def test_scores_are_means_over_photos(cup):
    sharp = cup[..., :64, :64]
    pairs = [("a", blur(sharp, 1.0), sharp), ("b", sharp + 0.1, sharp)]
    found = losses.score(torch.nn.Identity(), pairs)
    assert found["sharpness"] < 1
    from kdsharp.images import quantize

    expected = sum(psnr(quantize(blurred), sharp).item() for _, blurred, sharp in pairs) / 2
    assert found["psnr"] == pytest.approx(expected)


def test_what_a_term_buys_is_paired_by_seed():
    rows = [{"arm": "l1", "seed": s, "psnr": 30 + s, "ssim": 0.8, "sharpness": 0.4} for s in range(3)]
    rows += [
        {"arm": "l1 + ssim", "seed": s, "psnr": 30.1 + s, "ssim": 0.8 + 0.01 * (-1) ** s, "sharpness": 0.5}
        for s in range(3)
    ]
    decibels, similar, sharpness = losses.bought(rows, "l1 + ssim", "l1")
    assert (decibels.mean, decibels.seen) == (pytest.approx(0.1), True)
    assert not similar.seen
    assert not str(similar).startswith("**")
    assert str(sharpness) == "**+0.100 ± 0.000**"


def test_vgg_is_there_only_where_its_weights_are(monkeypatch, tmp_path):
    monkeypatch.setattr(losses, "vgg_file", lambda: tmp_path / "no.pth")
    assert "vgg" not in losses.losses()
    (tmp_path / "yes.pth").touch()
    monkeypatch.setattr(losses, "vgg_file", lambda: tmp_path / "yes.pth")
    assert list(losses.losses()) == ["mse", "l1", "charbonnier", "ssim", "edge", "deep", "vgg"]


def results(**scores):
    """Rows of three seeds an arm; SSIM and sharpness follow PSNR."""
    return [
        {"arm": arm, "seed": seed, "psnr": value, "ssim": value / 40, "sharpness": value / 50}
        for arm, values in scores.items()
        for seed, value in enumerate(values)
    ]


def test_a_leader_is_named_only_beyond_its_interval():
    sure = results(l1=(30.0, 31.0, 32.0), mse=(30.5, 31.5, 32.5))
    assert losses.lead(sure, "psnr") == "PSNR: **mse** leads, **+0.50 ± 0.00** ahead of l1."
    unsure = results(l1=(30.0, 31.0, 32.0), mse=(30.5, 30.6, 32.5))
    assert losses.lead(unsure, "psnr").endswith("ahead of l1: **no lead shown**.")


def test_a_loss_that_asks_for_a_measure_leads_in_it_or_is_behind_or_cannot_be_told():
    assert losses.own_measure(results(l1=(30, 31), mse=(31, 32)), "mse", "psnr") == "`mse` leads in its own measure."
    assert "chance can do" in losses.own_measure(results(l1=(30, 31.2), mse=(31, 31.3)), "mse", "psnr")
    assert "so it is behind" in losses.own_measure(results(l1=(31, 32), mse=(30, 31)), "mse", "psnr")
    assert "which chance can do" in losses.own_measure(results(l1=(31, 32), mse=(30, 31.9)), "mse", "psnr")
