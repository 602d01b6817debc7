"""What the explorer of lesson 02 draws: a filter in frequency, seen from four sides."""

import torch
from matplotlib.axes import Axes
from torch import Tensor

from kdsharp import plots
from kdsharp.filters.frequency import butterworth_emphasis, frequency_response
from kdsharp.images import quantize, to_array
from kdsharp.metrics import psnr

STEP = (0.3, 0.7)
"""Dark and bright side of the edge that shows the ringing."""


def edge_profile(cutoff: float, order: int, amount: float, reach: int = 40) -> Tensor:
    """Butterworth emphasis of a step edge: the values of 2 ``reach`` pixels across it."""
    step = torch.full((1, 1, 65, 256), STEP[0])
    step[..., 128:] = STEP[1]
    return butterworth_emphasis(step, cutoff, order, amount)[0, 0, 32, 128 - reach : 128 + reach]


def render_emphasis(
    soft: Tensor, sharp: Tensor, cutoff: float, order: float, amount: float = 1.0, at: tuple[int, int] = (0, 0)
) -> plots.Picture:
    """Butterworth emphasis at one cutoff and order: its gain, an edge, the result's spectrum, the result, its error.

    Args:
        soft, sharp: the blurred photo and the truth, (1, 3, H, W) in [0, 1].
        cutoff: in cycles per pixel.
        order: steepness, a whole number.
        amount: extra gain of the finest detail.
        at: (top, left) of the crop that is shown, 104x104 pixels at 2:1.
    """
    result = butterworth_emphasis(soft, cutoff, int(order), amount)
    change = (psnr(quantize(result), sharp) - psnr(soft, sharp)).item()
    edge = edge_profile(cutoff, int(order), amount)
    frequency, gain = frequency_response(lambda image: butterworth_emphasis(image, cutoff, int(order), amount))

    def filter_gain(axes: Axes) -> None:
        axes.plot(frequency, gain, color=plots.COLOURS[0])
        axes.axvline(cutoff, color=plots.COLOURS[1], linestyle="--")
        axes.set(xlabel="frequency in cycles per pixel", ylabel="gain", xlim=(0, 0.5), ylim=(0.9, 1.1 + amount))
        axes.set_xticks([0, 0.1, 0.3, 0.5])  # few: each takes 2 ms, and to look for them takes longer
        axes.set_yticks([1, 1 + amount / 2, 1 + amount])
        axes.set_title("gain of the filter; dashed: the cutoff", y=1.0, fontsize=9)

    def across_the_edge(axes: Axes) -> None:
        x = range(-len(edge) // 2, len(edge) // 2)
        axes.plot(x, [STEP[0] if each < 0 else STEP[1] for each in x], color=plots.COLOURS[1], linestyle="--")
        axes.plot(x, edge, color=plots.COLOURS[0])
        axes.set(xlabel="pixels from the edge", ylabel="value, 0 to 1", ylim=(-0.15, 1.15))
        axes.set_xticks([-40, 0, 40])
        axes.set_yticks([0, 0.5, 1])
        axes.set_title("what becomes of a step edge; dashed: before", y=1.0, fontsize=9)

    side = 104
    crops = [plots.crop(each, *at, side) for each in (result, sharp)]
    error = (0.5 + 4 * (quantize(crops[0]) - crops[1]).mean(1, keepdim=True)).expand(-1, 3, -1, -1)
    cells = {
        "spectrum of the result, 1:1": plots.spectrum_pixels(plots.crop(result, 0, 0, 2 * side)),
        f"result, {change:+z.2f} dB against the input": to_array(crops[0]).repeat(2, 0).repeat(2, 1),
        "its error x 4, mid-grey = none": to_array(error).repeat(2, 0).repeat(2, 1),
    }
    alt = (
        f"Butterworth emphasis, cutoff {cutoff:g} cycles per pixel, order {order:g}: {change:+z.2f} dB against "
        f"the input; across a step edge from {STEP[0]} to {STEP[1]} values reach {edge.min():.2f} and {edge.max():.2f}."
    )
    return plots.Picture(plots.charts_and_squares([filter_gain, across_the_edge], cells), alt)
