"""What the explorer of lesson 15 draws: a student that agrees with its teacher, and neither knows the truth."""

import torch
from torch import Tensor

from kdsharp.checks import check_images, check_range
from kdsharp.filters.spatial import blur
from kdsharp.images import quantize
from kdsharp.metrics import ssim
from kdsharp.plots import Picture, panels


def agreement(sharp: Tensor, nonsense: Tensor, damage: float, slip: float) -> tuple[Tensor, Tensor]:
    """A teacher's and a student's answer, (1, 3, H, W), rounded to 8 bits.

    Args:
        sharp: the truth, (1, 3, H, W).
        nonsense: what a teacher answers that was never trained.
        damage: how far the teacher is from the truth towards that, in [0, 1].
        slip: how badly the student imitates the teacher: the blur in pixels that it adds; 0 copies it exactly.
    """
    check_images(sharp, nonsense)
    check_range(damage, 0, 1, "damage")
    check_range(slip, 0, 50, "slip")
    teacher = quantize(torch.lerp(sharp, nonsense, damage))
    return teacher, quantize(blur(teacher, slip)) if slip else teacher


def render_agreement(
    sharp: Tensor, nonsense: Tensor, damage: float, slip: float, at: tuple[int, int] | None = None
) -> Picture:
    """Truth, teacher and student, with both scores of the student; a frame of the explorer. As :func:`agreement`."""
    teacher, student = agreement(sharp, nonsense, damage, slip)
    to_teacher, to_truth = ssim(student, teacher).item(), ssim(student, sharp).item()
    shown = {
        "truth": sharp,
        f"teacher, SSIM to truth {ssim(teacher, sharp).item():.3f}": teacher,
        f"student, SSIM to truth {to_truth:.3f}\nSSIM to teacher {to_teacher:.3f}": student,
    }
    alt = (
        f"Teacher {damage:.0%} on its way from the truth to nonsense, student blurred by {slip:g} pixels: its SSIM to "
    )
    alt += f"the teacher is {to_teacher:.3f}, to the truth {to_truth:.3f}."
    return Picture(panels(shown, at=at), alt)
