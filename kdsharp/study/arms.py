"""What the study compares: one student, many ways to listen to a teacher."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kdsharp.distill import FEATURE_TERMS, Distillation
from kdsharp.train import Supervised

REGIMES = {
    "label-rich": "every blurred crop has its sharp version",
    "label-poor": "eight labelled pairs, and blurred crops without a label",
}


@dataclass(frozen=True)
class Arm:
    """One way of training the student.

    Args:
        terms: distillation terms; none is the student alone.
        symmetries: how many turned and mirrored copies of the photo the teacher's answer is averaged over, 1 to 8.
        more: what else the arm changes: ``double`` takes two labelled crops for one; ``hint first`` spends a third of
            the steps on the hint alone, before the other terms and the truth (the two stages of Romero et al.,
            "FitNets", ICLR 2015).
    """

    terms: tuple[str, ...] = ()
    symmetries: int = 1
    more: str = ""


ARMS = {
    "alone": Arm(),
    "alone-more-crops": Arm(more="double"),
    "output": Arm(("output",)),
    "hint": Arm(("hint",)),
    "attention": Arm(("attention",)),
    "channel": Arm(("channel",)),
    "affinity": Arm(("affinity",)),
    "bounded": Arm(("bounded",)),
    "contrast": Arm(("contrast",)),
    "confident": Arm(("confident",)),
    "output-symmetries": Arm(("output",), symmetries=2),
    "hint-first": Arm(("output",), more="hint first"),
}
"""The arms by name; ``best mix`` joins them in a run: output and the feature term that did best on validation."""


class Symmetric(nn.Module):
    """A teacher that looks at a photo turned and mirrored and gives the mean: less noisy targets, at their price.

    Self-ensemble after Timofte et al., "Seven ways to improve example-based single image super resolution" (2016).
    Shape: (B, 3, H, W) to the same.
    """

    def __init__(self, teacher: nn.Module, count: int) -> None:
        super().__init__()
        self.teacher, self.count = teacher, count

    def forward(self, image: Tensor) -> Tensor:
        total = torch.zeros_like(image)
        for index in range(self.count):
            turns, mirrored = index % 4, index >= 4
            seen = (image.flip(-1) if mirrored else image).rot90(turns, (-2, -1))
            answer = self.teacher(seen).rot90(-turns, (-2, -1))
            total += answer.flip(-1) if mirrored else answer
        return total / self.count


def step_of(
    arm: Arm,
    student: nn.Module,
    teacher: nn.Module,
    batch: tuple[Tensor, Tensor],
    taps: tuple[str, str],
    alpha: float = 0.5,
    temperature: float = 1.0,
) -> nn.Module:
    """The training step of an arm.

    Each distillation term enters as large as the reconstruction on the first batch, before training, because their
    units differ by orders of magnitude; several terms share equally, and ``alpha`` then weighs both sides.
    """
    if not arm.terms:
        return Supervised(student)
    target = teacher if arm.symmetries == 1 else Symmetric(teacher, arm.symmetries)
    equal = Distillation(student, target, alpha, temperature, dict.fromkeys(arm.terms, 1.0), taps)
    with torch.no_grad():
        found = equal(*batch)
    weights = {
        name: (found["reconstruction"] / found[name].clamp_min(1e-12)).item() / len(arm.terms) for name in arm.terms
    }
    return Distillation(student, target, alpha, temperature, weights, taps)


def best_mix(validation: dict[str, float]) -> Arm:
    """Output and the feature term whose arm scored best on the validation photos."""
    best = max((name for name in FEATURE_TERMS if name in validation), key=lambda name: validation[name])
    return Arm(("output", best))
