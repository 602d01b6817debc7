"""What the channel-wise term asks of a student: where to be stronger, where weaker (lesson 10, floor 7)."""

import torch
from torch import Tensor

from kdsharp import plots
from kdsharp.checks import check_images, check_positive
from kdsharp.distill import spread
from kdsharp.features import match_size


def nearest(student: Tensor, teacher: Tensor) -> Tensor:
    """A student's map (1, C, h, w) as near to its teacher's (1, D, H, W) as a 1x1 convolution brings it.

    The adapter of a training walks there step by step; for one photo it is a problem of least squares.
    """
    check_images(student)
    check_images(teacher)
    ours = match_size(student, teacher).flatten(2)[0].T
    ours = torch.cat([ours, torch.ones_like(ours[:, :1])], dim=1)  # and the bias
    weights = torch.linalg.lstsq(ours.double(), teacher.flatten(2)[0].T.double()).solution
    return (ours.double() @ weights).T.float().view_as(teacher)


def places(student: Tensor, teacher: Tensor, k: float) -> tuple[Tensor, Tensor]:
    """Where student and teacher look at temperature k: their softmax maps (B, C, h, w), in spreads of the teacher."""
    check_images(student, teacher)
    check_positive(k, "temperature")
    unit = k * spread(teacher).clamp_min(1e-12)  # a flat channel asks nothing
    ours, theirs = ((each.flatten(2) / unit).softmax(-1).view_as(teacher) for each in (student, teacher))
    return ours, theirs


def half_of(asked: Tensor) -> int:
    """The fewest places that hold half of what is asked: of the sum of absolute values of a map (h, w)."""
    falling = asked.abs().flatten().sort(descending=True).values.cumsum(0)
    return int((falling < falling[-1] / 2).sum()) + 1


def render_asked(student: Tensor, teacher: Tensor, channel: int, k: float) -> plots.Picture:
    """Where teacher and student look in one channel at temperature k, and the difference, which is what is asked.

    Args:
        student, teacher: feature maps (1, C, h, w) of the same shape.
        channel: which of them.
        k: in spreads of the teacher.
    """
    ours, theirs = (each[0, channel] for each in places(student, teacher, k))
    asked = theirs - ours
    half = f"half on {half_of(asked):,} of {asked.numel():,} places"
    looks = {"where the teacher looks": theirs, "where the student looks": ours}
    drawn = {title: look.sqrt().numpy() for title, look in looks.items()}  # roots, so that faint places show
    title = f"asked: orange more, violet less\n{half}"
    drawn[title] = (asked.sign() * asked.abs().sqrt()).numpy()
    return plots.Picture(
        plots.maps(drawn, signed=[title]),
        f"Temperature {k:g}: where teacher and student look in one channel, and the difference, what is asked: {half}.",
        f"Where two networks look at {k:g} spreads, and what the student is asked to change.",
    )
