"""What the explorer of lesson 12 draws: six optimizers on the same two weights, in a valley that is steep one way."""

import torch

from kdsharp import plots
from kdsharp.checks import check_name
from kdsharp.train import OPTIMIZERS

START = (-0.9, 0.8)
"""Where every path begins; the lowest point is (0, 0)."""


def height(along: torch.Tensor, across: torch.Tensor, steepness: float) -> torch.Tensor:
    """``(along^2 + steepness * across^2) / 2``: a valley whose second direction is ``steepness`` times as curved."""
    return (along**2 + steepness * across**2) / 2


def path(optimizer: str, rate: float, steepness: float, steps: int = 40) -> torch.Tensor:
    """The two weights before the first step and after each, (steps + 1, 2), under an optimizer of ``OPTIMIZERS``.

    A path that leaves the valley for good stands still where it passed 1,000.
    """
    weights = torch.tensor(START, requires_grad=True)
    stepper = OPTIMIZERS[check_name(optimizer, OPTIMIZERS, "optimizer")]([weights], lr=rate)
    places = [weights.detach().clone()]
    for _ in range(steps):
        if places[-1].abs().max() > 1000:
            places.append(places[-1])
            continue
        stepper.zero_grad()
        height(weights[0], weights[1], steepness).backward()
        stepper.step()
        places.append(weights.detach().clone())
    return torch.stack(places)


def render_descent(rate: float, steepness: float, steps: int = 40) -> plots.Picture:
    """The paths of all six optimizers at one rate in one valley, with the height that is left of the start's.

    Args:
        rate: learning rate, the same for all.
        steepness: curvature across the valley; along it, 1.
        steps: of each path.
    """
    made = plots.figure(plots.WIDTH, 452)
    x, y = torch.meshgrid(torch.linspace(-1.1, 1.1, 80), torch.linspace(-1.1, 1.1, 80), indexing="xy")
    ground = height(x, y, steepness)
    first = height(torch.tensor(START[0]), torch.tensor(START[1]), steepness)
    told = []
    for index, name in enumerate(OPTIMIZERS):
        places = path(name, rate, steepness, steps)
        left = (height(places[-1, 0], places[-1, 1], steepness) / first).item()
        text = f"{left:.1%} left" if left <= 1.5 else "left the valley"
        told.append(f"{name} {text}")
        row, column = divmod(index, 3)
        axes = made.add_axes(((12 + 238 * column) / 720, (238 - 226 * row) / 452, 220 / 720, 184 / 452))
        axes.contour(
            x, y, ground, levels=[first.item() * part for part in (0.01, 0.1, 0.3, 0.6, 1.0)], colors="#c0c0c0"
        )
        axes.plot(places[:, 0], places[:, 1], "o-", color=plots.COLOURS[0], markersize=2.5, linewidth=1)
        axes.plot(*START, "s", color=plots.COLOURS[1], markersize=6)
        axes.plot(0, 0, "+", color=plots.COLOURS[1], markersize=10)
        axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[], yticks=[])
        axes.set_title(f"{name}: {text}", fontsize=9)
    alt = (
        f"{steps} steps at rate {rate:g} in a valley {steepness:g} times as curved across as along: {'; '.join(told)}."
    )
    return plots.Picture(made, alt)
