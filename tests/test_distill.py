"""Distillation terms: their gradients, limits and invariances; and the step that mixes them."""

import math

import pytest
import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.distill import (
    TERMS,
    Distillation,
    affinity,
    affinity_term,
    attention_map,
    attention_over_positions,
    attention_term,
    bounded_term,
    channel_term,
    confident_term,
    contrast_term,
    degraded_again,
    hint_term,
    output_term,
    spread,
    uncertainty_term,
)
from kdsharp.losses import reconstruction
from kdsharp.models import build
from kdsharp.train import Supervised

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = torch.randn(2, 2, 3, 4, 5, dtype=torch.float64, generator=GENERATOR)
BLURRED, SHARP = torch.rand(2, 2, 3, 16, 24, generator=GENERATOR)
ALL = {"output": 1.0, "hint": 0.5, "channel": 2.0}


class Trained(nn.Module):
    """A teacher that answers something else than its input."""

    def __init__(self):
        super().__init__()
        self.encoders = nn.ModuleList([nn.Identity(), nn.Conv2d(3, 7, 3, padding=1)])
        self.head = nn.Sequential(nn.Conv2d(7, 3, 1), nn.Dropout(0.5))

    def forward(self, image):
        return image + self.head(self.encoders[1](image))


def distillation(**options):
    torch.manual_seed(0)
    return Distillation(build("unshuffle-mini"), Trained(), **options)


@pytest.mark.parametrize(
    "term",
    [output_term, hint_term, channel_term, lambda s, t: channel_term(s, t, 0.5), attention_term, affinity_term],
)
def test_gradients_are_right(term):
    assert torch.autograd.gradcheck(lambda x: term(x, TEACHER), STUDENT.clone().requires_grad_())


@pytest.mark.parametrize("term", [output_term, hint_term, channel_term])
def test_a_term_is_a_scalar_that_is_zero_only_at_agreement(term):
    assert term(STUDENT, TEACHER).ndim == 0
    assert term(STUDENT, TEACHER) > 0.01
    assert term(TEACHER, TEACHER).item() == pytest.approx(0, abs=1e-12)


def test_output_is_the_mean_distance_and_hint_the_mean_square():
    torch.testing.assert_close(output_term(STUDENT, TEACHER), (STUDENT - TEACHER).abs().mean())
    torch.testing.assert_close(hint_term(STUDENT, TEACHER), (STUDENT - TEACHER).square().mean())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_channel_term_by_the_formula_of_the_paper(temperature):
    """1 / (B C) * sum over b, c of (tau / s)^2 KL(p_teacher || p_student), tau = temperature times the spread s."""
    total = 0.0
    for b in range(2):
        for c in range(3):
            unit = TEACHER[b, c].std(correction=0)
            tau = temperature * unit
            p = torch.exp(TEACHER[b, c] / tau) / torch.exp(TEACHER[b, c] / tau).sum()
            q = torch.exp(STUDENT[b, c] / tau) / torch.exp(STUDENT[b, c] / tau).sum()
            total += ((tau / unit) ** 2 * (p * torch.log(p / q)).sum()).item()
    expected = total / (2 * 3)
    assert channel_term(STUDENT, TEACHER, temperature).item() == pytest.approx(expected)


def test_a_constant_added_to_a_channel_changes_nothing():
    offset = torch.tensor([3.0, -50.0, 700.0], dtype=torch.float64).view(1, 3, 1, 1)
    expected = channel_term(STUDENT, TEACHER)
    torch.testing.assert_close(channel_term(STUDENT + offset, TEACHER), expected)
    torch.testing.assert_close(channel_term(STUDENT, TEACHER - offset), expected)


def test_at_a_high_temperature_the_channel_term_is_half_the_variance_of_the_difference():
    """softmax(f / tau) goes to (1 + (f - mean f) / tau) / N, and tau^2 KL to half the mean square of the difference."""
    difference = (STUDENT - TEACHER).flatten(2) / TEACHER.flatten(2).std(-1, correction=0, keepdim=True)
    expected = difference.var(-1, unbiased=False).mean() / 2
    torch.testing.assert_close(channel_term(STUDENT, TEACHER, 1e4), expected, rtol=1e-3, atol=0)


def test_a_temperature_means_the_same_whatever_the_unit_of_the_features():
    scale = torch.tensor([1e-3, 1.0, 40.0], dtype=torch.float64).view(1, 3, 1, 1)
    torch.testing.assert_close(channel_term(STUDENT * scale, TEACHER * scale, 0.5), channel_term(STUDENT, TEACHER, 0.5))
    torch.testing.assert_close(attention_over_positions(TEACHER * scale, 0.5), attention_over_positions(TEACHER, 0.5))


def test_a_flat_channel_of_the_teacher_asks_nothing():
    student = STUDENT.clone().requires_grad_()
    flat = TEACHER.clone()
    flat[:, 1] = 0.3
    channel_term(student, flat).backward()
    assert student.grad[:, 1].abs().max() == 0
    assert student.grad[:, 0].abs().max() > 0
    even = attention_over_positions(flat)[:, 1]
    torch.testing.assert_close(even, torch.full_like(even, 1 / 20))


def test_the_spread_takes_no_gradient():
    teacher = TEACHER.clone().requires_grad_()
    assert not spread(teacher).requires_grad


def test_the_attention_sums_to_one_and_spreads_with_temperature():
    shares = [attention_over_positions(TEACHER, temperature) for temperature in (0.1, 1.0, 10.0, 1e6)]
    for share in shares:
        torch.testing.assert_close(share.sum((-1, -2)), torch.ones(2, 3, dtype=torch.float64))
    peaks = torch.stack([share.amax((-1, -2)) for share in shares])
    assert (peaks.diff(dim=0) < 0).all()
    torch.testing.assert_close(shares[-1], torch.full_like(TEACHER, 1 / 20), rtol=1e-4, atol=0)


@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_a_temperature_must_be_positive(wrong):
    for use in (lambda: channel_term(STUDENT, TEACHER, wrong), lambda: attention_over_positions(STUDENT, wrong)):
        with pytest.raises(UsageError, match="temperature is"):
            use()


def test_maps_must_have_one_shape():
    for term in (output_term, hint_term, channel_term):
        with pytest.raises(UsageError, match="shapes differ"):
            term(STUDENT, TEACHER[:, :2])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_loss_is_the_stated_mixture(alpha):
    named = distillation(alpha=alpha, terms=ALL)(BLURRED, SHARP)
    assert list(named) == ["loss", "reconstruction", *ALL]
    distilled = sum(weight * named[name] for name, weight in ALL.items())
    torch.testing.assert_close(named["loss"], alpha * named["reconstruction"] + (1 - alpha) * distilled)


def test_each_term_is_that_of_its_name():
    step = distillation(terms=ALL, temperature=2.0, loss="l1")
    named = step(BLURRED, SHARP)
    teacher = step.frozen[0]
    mine, theirs = step.student.body(step.student.unshuffle(BLURRED)), teacher.encoders[1](BLURRED)
    torch.testing.assert_close(named["reconstruction"], reconstruction("l1", step.student(BLURRED), SHARP))
    torch.testing.assert_close(named["output"], output_term(step.student(BLURRED), teacher(BLURRED)))
    torch.testing.assert_close(named["hint"], hint_term(step.adapters["hint"](mine, theirs), theirs))
    torch.testing.assert_close(named["channel"], channel_term(step.adapters["channel"](mine, theirs), theirs, 2.0))


def test_alpha_one_is_the_supervised_loss_with_its_gradients():
    alone, taught = Supervised(build("unshuffle-mini")), distillation(alpha=1.0, terms=ALL)
    for step in (alone, taught):
        step(BLURRED, SHARP)["loss"].backward()
    assert torch.equal(alone(BLURRED, SHARP)["loss"], taught(BLURRED, SHARP)["loss"])
    expected = {name: value.grad for name, value in alone.student.named_parameters()}
    assert all(torch.equal(value.grad, expected[name]) for name, value in taught.student.named_parameters())


def test_alpha_zero_does_not_look_at_the_truth():
    step = distillation(alpha=0.0)
    assert torch.equal(step(BLURRED, SHARP)["loss"], step(BLURRED, BLURRED)["loss"])


def test_the_teacher_stays_in_evaluation_and_takes_no_gradient():
    step = distillation(terms=ALL)
    teacher = step.frozen[0]
    step.train()
    assert step.student.training
    assert not any(module.training for module in teacher.modules())
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    optimizer = torch.optim.SGD(step.parameters(), 0.1)
    step(BLURRED, SHARP)["loss"].backward()
    optimizer.step()
    assert all(value.grad is None and not value.requires_grad for value in teacher.parameters())
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_one_optimizer_trains_the_student_and_its_adapters_and_no_teacher():
    step = distillation(terms=ALL)
    assert {name.split(".")[0] for name, _ in step.named_parameters()} == {"student", "adapters"}
    with torch.no_grad():
        step.student.head[0].weight.normal_(std=0.1)  # a zero head lets no gradient through from the output
    step(BLURRED, SHARP)["loss"].backward()
    assert [name for name, value in step.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_adapters_exist_for_feature_terms_only():
    assert len(distillation().adapters) == 0
    assert list(distillation(terms={"output": 1, "channel": 1}).adapters) == ["channel"]


def test_the_adapters_start_does_not_depend_on_what_ran_before():
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        step = Distillation(build("unshuffle-mini"), build("unet-mini"), terms={"hint": 1.0})
        weights.append(step.adapters["hint"].project.weight)
    assert torch.equal(*weights)


def test_hooks_do_not_stay_behind():
    step = distillation(terms=ALL)
    step(BLURRED, SHARP)
    for network in (step.student, step.frozen[0]):
        assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("name", [name for name in TERMS if "vgg" not in name])
def test_every_named_term_can_stand_alone(name):
    step = distillation(alpha=0.0, terms={name: 3.0})
    named = step(BLURRED, SHARP)
    torch.testing.assert_close(named["loss"], 3 * named[name])
    if name != "output-ssim-without-gradient":
        named["loss"].backward()
        assert any(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in step.student.parameters())


def test_an_output_term_is_the_loss_of_its_name_against_the_teacher():
    step = distillation(terms={"output-mse": 1.0, "output-edge": 1.0})
    named = step(BLURRED, SHARP)
    mine, theirs = step.student(BLURRED), step.frozen[0](BLURRED)
    for name in ("mse", "edge"):
        torch.testing.assert_close(named[f"output-{name}"], reconstruction(name, mine, theirs))


def test_attention_maps_by_hand():
    found = attention_map(STUDENT)
    by_hand = (STUDENT**2).mean(1)
    by_hand = by_hand / by_hand.flatten(1).square().sum(1).sqrt().view(-1, 1, 1)
    torch.testing.assert_close(found, by_hand)
    expected = (found - attention_map(TEACHER)).square().mean()
    torch.testing.assert_close(attention_term(STUDENT, TEACHER), expected)
    torch.testing.assert_close(attention_term(7 * STUDENT, TEACHER), expected)  # the size of the features is no matter
    assert attention_term(STUDENT, torch.cat([TEACHER, TEACHER], 1)).item() == pytest.approx(expected.item())


def test_affinities_are_cosines_of_positions():
    found = affinity(STUDENT)
    assert found.shape == (2, 20, 20)
    vectors = STUDENT[1].flatten(1).T
    cosine = vectors[3] @ vectors[11] / (vectors[3].norm() * vectors[11].norm())
    torch.testing.assert_close(found[1, 3, 11], cosine)
    torch.testing.assert_close(found.diagonal(dim1=1, dim2=2), torch.ones(2, 20, dtype=torch.float64))
    torch.testing.assert_close(affinity_term(STUDENT, TEACHER), (found - affinity(TEACHER)).abs().mean())
    assert affinity(torch.rand(1, 3, 40, 9), side=8).shape == (1, 64, 64)


def test_the_bounded_term_counts_only_where_the_student_is_not_better():
    truth = torch.zeros(1, 1, 1, 4)
    student = torch.tensor([[[[0.1, 0.4, 0.3, 0.0]]]], requires_grad=True)
    teacher = torch.tensor([[[[0.2, 0.1, 0.29, 0.5]]]])
    term = bounded_term(student, teacher, truth)
    assert term.item() == pytest.approx((0.4**2 + 0.3**2) / 4)
    term.backward()
    assert student.grad.flatten().tolist() == pytest.approx([0, 2 * 0.4 / 4, 2 * 0.3 / 4, 0])
    wide = bounded_term(student.detach(), teacher, truth, margin=0.04)
    assert wide.item() == pytest.approx((0.1**2 + 0.4**2 + 0.3**2) / 4)  # 0.01 + 0.04 is above the teacher's 0.04


def test_the_contrast_term_is_a_ratio_of_distances_and_pushes_away_from_the_worse():
    student = torch.full((2, 1, 12, 12), 0.5, requires_grad=True)
    teacher, worse = torch.full((2, 1, 12, 12), 0.6), torch.full((2, 1, 12, 12), 0.1)
    worse[1] = 0.3
    term = contrast_term(student, teacher, worse)
    assert term.item() == pytest.approx((0.1 / 0.4 + 0.1 / 0.2) / 2, rel=1e-5)
    term.backward()
    assert (student.grad < 0).all()  # up: to the teacher, away from the worse
    assert contrast_term(teacher, teacher, worse) == 0
    again = degraded_again(torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0)))
    assert again.shape == (1, 3, 20, 24)
    assert again.std() < 0.1


def test_the_confident_term_hears_the_teacher_where_it_is_right():
    truth = torch.zeros(1, 1, 1, 3)
    teacher, student = torch.tensor([[[[0.0, 0.1, 0.5]]]]), torch.tensor([[[[0.2, 0.3, 0.7]]]])
    weights = torch.tensor([1.0, math.exp(-2), math.exp(-10)])
    assert confident_term(student, teacher, truth, doubt=20).item() == pytest.approx((0.2 * weights).mean().item())
    assert confident_term(student, teacher, truth, doubt=0).item() == pytest.approx(0.2)
    with pytest.raises(UsageError, match="doubt"):
        confident_term(student, teacher, truth, doubt=-1)


def test_the_uncertainty_term_is_minus_the_logarithm_of_a_laplace_density():
    mean, log_scale = STUDENT, 0.3 * STUDENT[:, :1]
    density = torch.distributions.Laplace(mean, log_scale.exp())
    term = uncertainty_term(torch.cat([mean, log_scale], 1), TEACHER)
    torch.testing.assert_close(term, -density.log_prob(TEACHER).mean())


def test_learned_weights_start_equal_move_and_grow_for_terms_that_are_small():
    step = distillation(terms={"output": 1.0, "hint": 1.0}, loss="l1 + 0.5 ssim", weighting="uncertainty")
    assert step.log_variances.shape == (4,)  # l1, ssim, output, hint
    named = step(BLURRED, SHARP)
    torch.testing.assert_close(named["loss"], named["reconstruction"] + named["output"] + named["hint"])
    optimizer = torch.optim.Adam([step.log_variances], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        named = step(BLURRED, SHARP)
        named["loss"].backward()
        optimizer.step()
    found = step.log_variances.detach().exp()
    torch.testing.assert_close(found[2:], torch.stack([named["output"], named["hint"]]).detach(), rtol=0.1, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 1.1}, "alpha is 1.1"),
        ({"temperature": 0}, "temperature is 0"),
        ({"terms": {"hints": 1.0}}, "unknown distillation term 'hints' .*output, hint, channel, attention"),
        ({"terms": {"hint": 1.0}, "taps": ("bodi", "encoders.1")}, "unknown layer 'bodi'"),
        ({"terms": {"hint": 1.0}, "taps": ("body", "bottom")}, "unknown layer 'bottom'"),
    ],
)
def test_wrong_settings_fail_at_once(options, message):
    with pytest.raises(UsageError, match=message):
        distillation(**options)


@pytest.mark.parametrize("make", [lambda: distillation(loss="l2"), lambda: Supervised(build("unshuffle-mini"), "l2")])
def test_an_unknown_loss_fails_at_once(make):
    with pytest.raises(UsageError, match="unknown loss 'l2'"):
        make()


def norms(step, names):
    """The pull of each named term: the norm of its gradient at the student's weights."""
    named = step(BLURRED, SHARP)
    weights = list(step.student.parameters())
    found = {}
    for name in names:
        pulls = torch.autograd.grad(named[name], weights, retain_graph=True, allow_unused=True)
        found[name] = sum(each.square().sum() for each in pulls if each is not None).sqrt().item()
    return found


def test_by_pull_each_term_moves_the_student_as_hard_as_asked():
    terms = {"output": 1.0, "channel": 2.0}
    step = distillation(alpha=0.5, terms=terms, weighting="pull", pull=0.1)
    found = norms(step, ["reconstruction", *terms])
    for name, scale in zip(terms, step.scales, strict=True):
        assert found[name] * scale.item() == pytest.approx(0.1 * found["reconstruction"], rel=1e-4)
    named = step(BLURRED, SHARP)
    parts = (weight * scale * named[name] for (name, weight), scale in zip(terms.items(), step.scales, strict=True))
    torch.testing.assert_close(named["loss"], 0.5 * named["reconstruction"] + 0.5 * sum(parts))


def test_the_pull_is_measured_every_50_steps_of_training_and_goes_on_where_it_stood():
    step = distillation(terms={"output": 1.0}, weighting="pull")
    step(BLURRED, SHARP)
    first = step.scales.clone()
    with torch.no_grad():
        for weight in step.student.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    for _ in range(49):
        step(BLURRED, SHARP)
    assert torch.equal(step.scales, first)
    again = distillation(terms={"output": 1.0}, weighting="pull")
    again.load_state_dict(step.state_dict())
    for each in (step, again):
        each(BLURRED, SHARP)
        assert not torch.equal(each.scales, first)
    assert torch.equal(step.scales, again.scales)
    step.eval()
    before = step.steps.item()
    step(BLURRED, SHARP)
    assert step.steps.item() == before
