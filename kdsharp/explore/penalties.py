"""What the explorer of lesson 11 draws: the best answer of a loss when several truths are possible."""

import torch
from matplotlib.axes import Axes
from torch import Tensor

from kdsharp import plots
from kdsharp.checks import check_range
from kdsharp.images import quantize, to_array
from kdsharp.metrics import gradient_energy


def best_answer(candidates: Tensor, power: float, rounds: int = 40) -> Tensor:
    """The answer ``a`` with the lowest mean ``|a - candidate|^power``, pixel by pixel.

    Power 2 gives the mean, power 1 the median (the middle of all medians where there are two), a large power the middle
    between the lowest and the highest. Found by halving an interval: the slope of the mean penalty rises with ``a``.

    Args:
        candidates: equally likely truths, (K, ...).
        power: at or above 1.
        rounds: halvings; each adds a binary digit.

    Shape: (K, ...) to (...).
    """
    check_range(power, 1, 100, "power")
    if power == 1:
        ordered = candidates.sort(0).values
        middle = len(candidates) - 1
        return (ordered[middle // 2] + ordered[(middle + 1) // 2]) / 2
    low, high = candidates.amin(0), candidates.amax(0)
    for _ in range(rounds):
        answer = (low + high) / 2
        error = answer - candidates
        largest = error.abs().amax(0).clamp_min(1e-12)  # without it a high power of a small error would be 0
        slope = (error.sign() * (error.abs() / largest) ** (power - 1)).sum(0)
        low, high = torch.where(slope < 0, answer, low), torch.where(slope < 0, high, answer)
    return (low + high) / 2


def shifted(image: Tensor, reach: int) -> Tensor:
    """The image moved sideways by -reach to reach pixels: (1, C, H, W) to (2 reach + 1, C, H, W - 2 reach)."""
    width = image.shape[-1] - 2 * reach
    return torch.cat([image[..., start : start + width] for start in range(2 * reach + 1)])


def expected_psnr(answer: Tensor, candidates: Tensor) -> float:
    """PSNR in dB of the squared error that an answer has on average over all candidates; inf when all agree."""
    return -10 * (answer - candidates).square().mean().log10().item()


def render_best(
    photo: Tensor, reach: float, power: float, at: tuple[int, int] = (0, 0), side: int = 104
) -> plots.Picture:
    """The penalty of one power, and its best answer where nobody knows by how much a photo was moved sideways.

    Args:
        photo: (1, 3, H, W) in [0, 1].
        reach: the photo lies anywhere from -reach to reach pixels from its place, all equally likely.
        power: of the penalty ``|error|^power``.
        at: (top, left) of the crop that is shown; ``reach`` pixels around it must be there.
        side: of the crop.
    """
    reach, (top, left) = int(reach), at
    candidates = shifted(photo[..., top : top + side, left - reach : left + side + reach], reach)
    truth, answer = candidates[reach : reach + 1], best_answer(candidates, power)[None]
    score = expected_psnr(answer, candidates)
    share = (gradient_energy(answer) / gradient_energy(truth)).item()
    edge = (torch.arange(-20 - reach, 21 + reach) >= 0).float().expand(1, 1, 1, -1)
    profile = best_answer(shifted(edge, reach), power)[0, 0]

    def penalty(axes: Axes) -> None:
        errors = torch.linspace(-1, 1, 201)
        slope = power * errors.sign() * errors.abs() ** (power - 1)
        axes.plot(errors, errors.abs() ** power, color=plots.COLOURS[0], label="penalty")
        axes.plot(errors, slope.clamp(-2, 2), color=plots.COLOURS[1], linestyle="--", label="its slope")
        axes.set(xlabel="error of a pixel", ylim=(-2.1, 2.1))
        axes.legend(frameon=False, fontsize=8)
        axes.set_title(f"|error| to the power of {power:g}", fontsize=9)

    def an_edge(axes: Axes) -> None:
        pixels, before = range(-20, 21), edge[0, 0, 0, reach : reach + 41]
        axes.plot(pixels, before, color=plots.COLOURS[1], linestyle="--", label="an edge")
        axes.plot(pixels, profile, color=plots.COLOURS[0], marker=".", label="best answer")
        axes.set(xlabel="pixels from the edge", ylim=(-0.1, 1.1))
        axes.legend(frameon=False, fontsize=8)
        axes.set_title(f"an edge somewhere within {reach} pixels", fontsize=9)

    error = (0.5 + 4 * (quantize(answer) - truth).mean(1, keepdim=True)).expand(-1, 3, -1, -1)
    told = "the truth, which is certain" if reach == 0 else f"{score:.2f} dB on average"
    panels = {"one possible truth": truth, f"best answer: {told}": answer, "its error x 4, mid-grey = none": error}
    cells = {title: to_array(quantize(cell)).repeat(2, 0).repeat(2, 1) for title, cell in panels.items()}
    alt = (
        f"Moved by up to {reach} pixels, penalty to the power of {power:g}: the best answer is {told}; it has "
        f"{share:.0%} of the truth's gradient energy."
    )
    return plots.Picture(plots.charts_and_squares([penalty, an_edge], cells), alt)
