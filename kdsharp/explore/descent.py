"""What the explorer of lesson 12 draws: six optimizers on the same two weights, in a valley that is steep one way."""

import torch
from matplotlib.figure import Figure

from kdsharp import plots
from kdsharp.checks import check_name
from kdsharp.plots.narrow import NARROW, wide_and_narrow
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
    x, y = torch.meshgrid(torch.linspace(-1.1, 1.1, 80), torch.linspace(-1.1, 1.1, 80), indexing="xy")
    ground = height(x, y, steepness)
    first = height(torch.tensor(START[0]), torch.tensor(START[1]), steepness)
    paths = {name: path(name, rate, steepness, steps) for name in OPTIMIZERS}
    shares = {name: (height(places[-1, 0], places[-1, 1], steepness) / first).item() for name, places in paths.items()}
    told = {name: f"{left:.1%} left" if left <= 1.5 else "left the valley" for name, left in shares.items()}
    levels = [first.item() * part for part in (0.01, 0.1, 0.3, 0.6, 1.0)]

    def drawn(wide: bool) -> Figure:
        beside, width = (3, plots.WIDTH) if wide else (2, NARROW)
        step = width // beside
        tall = 226 * -(-len(paths) // beside)
        made = plots.figure(width, tall)
        for index, (name, places) in enumerate(paths.items()):
            row, column = divmod(index, beside)
            corner = ((10 + step * column) / width, (tall - 226 * row - 214) / tall)
            axes = made.add_axes((*corner, (step - 20) / width, 184 / tall))
            axes.contour(x, y, ground, levels=levels, colors="#c0c0c0")
            axes.plot(places[:, 0], places[:, 1], "o-", color=plots.COLOURS[0], markersize=2.5, linewidth=1)
            axes.plot(*START, "s", color=plots.COLOURS[1], markersize=6)
            axes.plot(0, 0, "+", color=plots.COLOURS[1], markersize=10)
            axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[], yticks=[])
            axes.set_title(f"{name}: {told[name]}", fontsize=9)
        return made

    ends = "; ".join(f"{name} {left}" for name, left in told.items())
    alt = f"{steps} steps at rate {rate:g} in a valley {steepness:g} times as curved across as along: {ends}."
    return plots.Picture(wide_and_narrow(drawn), alt)
