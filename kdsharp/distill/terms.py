"""The terms that compare a student with its teacher, each a function to a scalar (lessons 09 and 10).

All compute in float32, whatever the networks run in (:mod:`kdsharp.digits`): they compare what is nearly equal.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import check_images, check_positive, check_range
from kdsharp.digits import in_float32
from kdsharp.features import match_size
from kdsharp.kernels import convolve, gaussian

LOG_SCALES = (-6.0, 6.0)
"""Bounds of ``log b`` in :func:`uncertainty_term`."""
LOWEST_UNCERTAINTY = math.log(2) + LOG_SCALES[0]
"""What :func:`uncertainty_term` cannot fall below: a density may be above 1, so that its logarithm changes sign."""


@in_float32
def output_term(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean |student - teacher|`` of the two output images (B, C, H, W)."""
    check_images(student, teacher)
    return F.l1_loss(student, teacher)


@in_float32
def hint_term(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean (student - teacher)^2`` of two feature maps of the same shape; adapt the student's first (FitNets)."""
    check_images(student, teacher)
    return F.mse_loss(student, teacher)


FLAT = 1e-6
"""A channel whose spread is below this part of its largest value is the same everywhere: it says nothing of places."""


@in_float32
def spread(features: Tensor) -> Tensor:
    """The unit of the temperature: the standard deviation over the positions of each channel and photo, (B, C, 1).

    0 where a channel is flat but for rounding.
    """
    check_images(features)
    places = features.detach().flatten(2)
    found = places.std(-1, correction=0, keepdim=True)
    return torch.where(found > FLAT * places.abs().amax(-1, keepdim=True), found, torch.zeros_like(found))


def _in_spreads(features: Tensor, unit: Tensor) -> Tensor:
    """Maps (B, C, h, w) as (B, C, positions), divided by a spread; flat ones become 0."""
    return torch.where(unit > 0, features.flatten(2) / unit.where(unit > 0, torch.ones_like(unit)), 0.0)


@in_float32
def attention_over_positions(features: Tensor, temperature: float = 1.0) -> Tensor:
    """Where each channel looks: softmax over all positions of ``features / (temperature spread)``, (B, C, h, w).

    Each channel sums to 1. A high temperature spreads the attention over the whole map, a low one keeps the few
    strongest edges.

    Args:
        features: (B, C, h, w).
        temperature: in spreads of each channel (:func:`spread`), above 0; 1/4 to 4 covers what it can do.
    """
    check_images(features)
    check_positive(temperature, "temperature")
    return (_in_spreads(features, spread(features)) / temperature).softmax(-1).view_as(features)


@in_float32
def channel_term(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Channel-wise distillation: ``k^2 / (B C) * sum KL(teacher || student)`` over the positions of each channel.

    Both maps are first divided by the teacher's spread of that channel and photo, ``f / s``, which takes no gradient;
    then follows the softmax over positions of ``f / (s k)``. The paper divides by an absolute ``tau``, which is
    ``k s`` here, and its term is ``s^2`` times this one, channel by channel. In spreads a temperature means the same
    for every layer, network and photo: at 1/4 a few places count, at 4 all of them, and beyond it the temperature has
    left the formula, which is then half the variance of the difference, in spreads (lesson 10).

    Args:
        student, teacher: feature maps (B, C, h, w) of the same shape.
        temperature: k, in spreads of the teacher, above 0.

    Returns:
        a scalar at or above 0; 0 when the two softmax maps agree. A constant added to a channel changes nothing, and a
        channel of the teacher that is flat asks nothing.

    Source: Shu et al., "Channel-wise knowledge distillation for dense prediction", arXiv 2011.13256; a temperature in
    units of the teacher's spread as for class scores in Sun et al., "Logit standardization in knowledge distillation",
    CVPR 2024. Lesson 10.
    """
    check_images(student, teacher)
    check_positive(temperature, "temperature")
    batch, channels = student.shape[:2]
    unit = spread(teacher)
    log_student = (_in_spreads(student, unit) / temperature).log_softmax(-1)
    log_teacher = (_in_spreads(teacher, unit) / temperature).log_softmax(-1)
    return temperature**2 / (batch * channels) * divergence(log_teacher, log_student)


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``sum KL(p || q) = sum p (log p - log q)`` of distributions along the last axis, from their logarithms.

    Because both sum to 1, it is also ``sum p (e^d - 1 - d)`` with ``d = log q - log p``. No part of that sum is
    negative, and for near maps each is ``p d^2 / 2``: the digits that large parts of both signs would cancel are kept.
    """
    d = log_q - log_p
    near = d.clamp(max=1.0)
    parts = torch.where(d < 1, log_p.exp() * (near.expm1() - near), log_q.exp() - log_p.exp() * (1 + d))
    return parts.sum()


@in_float32
def attention_map(features: Tensor) -> Tensor:
    """Where a layer is active: the mean over channels of ``features^2``, divided by its norm; (B, h, w)."""
    check_images(features)
    return F.normalize(features.square().mean(1).flatten(1), dim=1).view(len(features), *features.shape[-2:])


@in_float32
def attention_term(student: Tensor, teacher: Tensor) -> Tensor:
    """Attention transfer: ``mean (a_S - a_T)^2`` of the two attention maps.

    Args:
        student, teacher: feature maps (B, C, h, w); channels may differ, because they are averaged away, and the
            student's map is brought to the teacher's grid.

    Source: Zagoruyko and Komodakis, "Paying more attention to attention", arXiv 1612.03928. Lesson 09.
    """
    student = match_size(student, teacher)
    return F.mse_loss(attention_map(student), attention_map(teacher))


@in_float32
def affinity(features: Tensor, side: int = 16) -> Tensor:
    """Cosine similarity of all pairs of positions: (B, n, n), n at most ``side^2`` after average pooling.

    Entry (i, j) is near 1 where two places of the picture look alike to the layer.
    """
    check_images(features)
    grid = (min(side, features.shape[-2]), min(side, features.shape[-1]))
    vectors = F.normalize(F.adaptive_avg_pool2d(features, grid).flatten(2), dim=1)
    return vectors.transpose(1, 2) @ vectors


@in_float32
def affinity_term(student: Tensor, teacher: Tensor, side: int = 16) -> Tensor:
    """Feature affinity: ``mean |A_S - A_T|`` of the affinity matrices of two maps (B, C, h, w); channels may differ.

    Source: He et al., "FAKD: Feature-affinity based knowledge distillation for efficient image super-resolution",
    ICIP 2020. Pooling first is ours: on a full map the matrix has (h w)^2 entries. Lesson 09.
    """
    return F.l1_loss(affinity(match_size(student, teacher), side), affinity(teacher, side))


@in_float32
def bounded_term(student: Tensor, teacher: Tensor, truth: Tensor, margin: float = 0.0) -> Tensor:
    """Teacher-bounded regression: squared error to the truth, but only where the student is not yet better.

    ``mean [e_S + margin > e_T] e_S`` with the squared errors e of student and teacher at each pixel. A pixel at which
    the student beats its teacher by more than ``margin`` pulls no more.

    Args:
        student, teacher, truth: images (B, C, H, W).
        margin: in squared grey values of [0, 1], at or above 0.

    Source: Chen et al., "Learning efficient object detection models with knowledge distillation", NIPS 2017. Lesson 09.
    """
    check_images(student, teacher, truth)
    check_range(margin, 0, 1, "margin")
    ours, theirs = (student - truth).square(), (teacher - truth).square()
    return (ours * (ours.detach() + margin > theirs)).mean()


@in_float32
def contrast_term(student: Tensor, teacher: Tensor, worse: Tensor) -> Tensor:
    """Contrast: near the teacher's answer, and far from a picture that is worse than the input: a ratio of distances.

    ``mean |S - T| / mean |S - W|`` for each image, then the mean; at or above 0.

    Args:
        student, teacher: output images (B, C, H, W).
        worse: the input degraded once more (:func:`degraded_again`), the negative.

    Source: contrastive regularisation of Wu et al., "Contrastive learning for compact single image dehazing", CVPR
    2021, on the outputs themselves instead of VGG's maps. Lesson 09.
    """
    check_images(student, teacher, worse)
    near, far = ((student - other).abs().flatten(1).mean(1) for other in (teacher, worse))
    return (near / far.clamp_min(1e-6)).mean()


def degraded_again(blurred: Tensor) -> Tensor:
    """A blurred image (B, C, H, W) blurred once more, by a Gaussian of 2 pixels: what no answer should look like."""
    return convolve(blurred, gaussian(2.0))


@in_float32
def confident_term(student: Tensor, teacher: Tensor, truth: Tensor, doubt: float = 20.0) -> Tensor:
    """The teacher's answers, heard where it is right: ``mean exp(-g |T - Y|) |S - T|``.

    Args:
        student, teacher, truth: images (B, C, H, W); only labelled ones can say where the teacher errs.
        doubt: g, at or above 0; at 20 an error of 9 grey levels halves the teacher's weight, 0 trusts it everywhere.
    """
    check_images(student, teacher, truth)
    check_range(doubt, 0, math.inf, "doubt")
    trust = (-doubt * (teacher - truth).abs()).exp()
    return (trust * (student - teacher).abs()).mean()


@in_float32
def uncertainty_term(prediction: Tensor, teacher: Tensor) -> Tensor:
    """Variational information distillation: ``mean (log 2b + |mu - t| / b)``, a Laplace density of the teacher's map.

    Where the teacher cannot be predicted, the student says so by a large ``b`` and is left in peace there.

    Args:
        prediction: (B, C + 1, h, w): mu in the first C channels, ``log b`` of each position in the last.
        teacher: (B, C, h, w).

    Source: Ahn et al., VID, CVPR 2019; with the Laplace density of PISR, arXiv 2007.07524. Lesson 09.
    """
    mean, log_scale = prediction[:, :-1], prediction[:, -1:].clamp(*LOG_SCALES)
    check_images(mean, teacher)
    return (math.log(2) + log_scale + (mean - teacher).abs() * (-log_scale).exp()).mean()
