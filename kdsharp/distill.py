"""What a teacher adds to the loss: named terms, alpha and temperature (floor 4; lessons 09 and 10).

``loss = alpha * reconstruction + (1 - alpha) * distillation``, alpha in [0, 1]. At ``alpha = 1`` the student learns
alone: the baseline that every result stands beside.
"""

from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kdsharp.checks import check_images, check_name, check_positive, check_range
from kdsharp.features import Adapter, Taps
from kdsharp.losses import LOSSES, reconstruction


def output_term(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean |student - teacher|`` of the two output images (B, C, H, W)."""
    check_images(student, teacher)
    return F.l1_loss(student, teacher)


def hint_term(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean (student - teacher)^2`` of two feature maps of the same shape; adapt the student's first (FitNets)."""
    check_images(student, teacher)
    return F.mse_loss(student, teacher)


def attention_over_positions(features: Tensor, temperature: float) -> Tensor:
    """Softmax of ``features / temperature`` over all positions of each channel: (B, C, h, w), sum 1 per channel.

    A high temperature spreads the attention over the whole map, a low one keeps the few strongest edges.
    """
    check_images(features)
    check_positive(temperature, "temperature")
    return (features.flatten(2) / temperature).softmax(-1).view_as(features)


def channel_term(student: Tensor, teacher: Tensor, temperature: float = 4.0) -> Tensor:
    """Channel-wise distillation: ``tau^2 / (B C) * sum KL(teacher || student)`` over the positions of each channel.

    Args:
        student, teacher: feature maps (B, C, h, w) of the same shape.
        temperature: tau, above 0; usual values are 1 to 8.

    Returns:
        a scalar at or above 0; 0 when the two softmax maps agree. A constant added to a channel changes nothing.

    Source: Shu et al., "Channel-wise knowledge distillation for dense prediction", arXiv 2011.13256. Lesson 10.
    """
    check_images(student, teacher)
    check_positive(temperature, "temperature")
    batch, channels = student.shape[:2]
    log_student = (student.flatten(2) / temperature).log_softmax(-1)
    log_teacher = (teacher.flatten(2) / temperature).log_softmax(-1)
    divergence = F.kl_div(log_student, log_teacher, reduction="sum", log_target=True)
    return temperature**2 / (batch * channels) * divergence


TERMS = ("output", "hint", "channel")
"""Distillation terms by name."""


class Distillation(nn.Module):
    """The training step of a student with a teacher: named loss terms, adapters, a frozen teacher.

    Args:
        student, teacher: networks from (B, 3, H, W) to the same shape.
        alpha: weight of the reconstruction, in [0, 1]; the terms of the teacher share ``1 - alpha``.
        temperature: tau of the channel-wise term, above 0.
        terms: weight of each distillation term, by name (see ``TERMS``).
        taps: the layer of the student and of the teacher whose features the hint and channel terms compare.
        loss: name of the reconstruction loss.
        seed: of the adapters' first weights.

    The teacher stays in evaluation mode, takes no gradient and is not among ``parameters()``; the student and the
    adapters are, so that one optimizer trains both.

    Raises:
        UsageError: for alpha outside [0, 1], a temperature at or below 0, an unknown term or layer.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        alpha: float = 0.5,
        temperature: float = 4.0,
        terms: dict[str, float] | None = None,
        taps: tuple[str, str] = ("body", "encoders.1"),
        loss: str = "charbonnier",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.alpha = check_range(alpha, 0.0, 1.0, "alpha")
        self.temperature = check_positive(temperature, "temperature")
        self.terms = {"output": 1.0} if terms is None else dict(terms)
        for name in self.terms:
            check_name(name, TERMS, "distillation term")
        self.student_tap, self.teacher_tap = taps
        self.loss = check_name(loss, LOSSES, "loss")
        self.student = student
        self._teacher = (teacher.eval().requires_grad_(False),)  # a tuple keeps it out of parameters() and state_dict()
        self.adapters = nn.ModuleDict()
        if self._feature_terms():
            student_channels, teacher_channels = self._tap_widths()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                for name in self._feature_terms():
                    self.adapters[name] = Adapter(student_channels, teacher_channels)

    def _feature_terms(self) -> list[str]:
        return [name for name in self.terms if name != "output"]

    def _tap_widths(self) -> tuple[int, int]:
        probe = torch.zeros(1, 3, 32, 32)
        widths = []
        for network, layer in ((self.student, self.student_tap), (self._teacher[0], self.teacher_tap)):
            device = next(network.parameters()).device
            with torch.no_grad(), Taps(network, [layer]) as taps:
                network(probe.to(device))
            widths.append(taps[layer].shape[1])
        return widths[0], widths[1]

    def forward(self, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """Named terms of one batch (B, 3, H, W): ``loss`` (to minimise), ``reconstruction`` and each term used."""
        student, teacher = self.student, self._teacher[0].to(blurred.device)
        with ExitStack() as stack:
            if self._feature_terms():
                student_taps = stack.enter_context(Taps(student, [self.student_tap]))
                teacher_taps = stack.enter_context(Taps(teacher, [self.teacher_tap]))
            prediction = student(blurred)
            with torch.no_grad():
                target = teacher(blurred)
        named = {"reconstruction": reconstruction(self.loss, prediction, sharp)}
        for name in self.terms:
            if name == "output":
                named[name] = output_term(prediction, target)
                continue
            teacher_features = teacher_taps[self.teacher_tap]
            adapted = self.adapters[name](student_taps[self.student_tap], teacher_features)
            if name == "hint":
                named[name] = hint_term(adapted, teacher_features)
            else:
                named[name] = channel_term(adapted, teacher_features, self.temperature)
        distilled = sum(weight * named[name] for name, weight in self.terms.items())
        return {"loss": self.alpha * named["reconstruction"] + (1 - self.alpha) * distilled} | named
