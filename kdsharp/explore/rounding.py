"""A divergence below zero: what bfloat16 leaves of the channel-wise term (lesson 10)."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from kdsharp import plots
from kdsharp.checks import check_images, check_positive
from kdsharp.plots import COLOURS, WIDTH
from kdsharp.plots.narrow import NARROW, wide_and_narrow

TAUS = (0.05, 0.1, 0.3, 1, 2, 4, 8)
"""Absolute temperatures, as the term was trained with."""
KINDS = {32: torch.float32, 16: torch.bfloat16}
"""Number formats by their bits."""


def log_attention(features: Tensor, tau: float, bits: int) -> Tensor:
    """``log softmax(f / tau)`` over the positions of each channel (B, C, n), computed with so many bits."""
    check_images(features)
    check_positive(tau, "tau")
    return (features.flatten(2).to(KINDS[bits]) / tau).log_softmax(-1)


def old_channel_term(student: Tensor, teacher: Tensor, tau: float, bits: int) -> float:
    """The channel-wise term as a CPU's autocast computed it: the softmax with ``bits``, the sum in float32.

    ``tau^2 / (B C) sum p (log p - log q)`` with p of the teacher (B, C, h, w). Never below 0 on paper.
    """
    check_images(student, teacher)
    ours, theirs = (log_attention(each, tau, bits).float() for each in (student, teacher))
    batch, channels = student.shape[:2]
    return tau**2 / (batch * channels) * F.kl_div(ours, theirs, reduction="sum", log_target=True).item()


def render_terms(student: Tensor, teacher: Tensor) -> plots.Picture:
    """The term against the temperature, in float32 and in bfloat16."""
    values = {bits: [old_channel_term(student, teacher, tau, bits) for tau in TAUS] for bits in KINDS}
    lines = {"float32": (TAUS, values[32]), "bfloat16": (TAUS, values[16])}
    made = plots.curves(lines, "temperature tau, absolute (log)", "channel-wise term", height=260)
    axes = made.axes[0]
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1e-3)
    axes.axhline(0, color="black", linewidth=1)
    low, high = min(values[16]), max(abs(value - values[32][0]) for value in values[32])
    return plots.Picture(
        made,
        f"The term against tau from {TAUS[0]:g} to {TAUS[-1]:g}: in float32 it changes by {high:.4f} at most; in "
        f"bfloat16 it swings, and falls to {low:+.2f}.",
        "The same two maps, the same formula: in float32 the temperature hardly matters, in bfloat16 a divergence "
        "falls below zero.",
    )


def render_steps(student: Tensor, teacher: Tensor, channel: int, tau: float, bits: float) -> plots.Picture:
    """What the term compares at one temperature: the teacher's log p in one channel, and how many values it takes."""
    bits = int(bits)
    shown = log_attention(teacher, tau, bits)[0, channel].float().view(teacher.shape[-2:]).numpy()
    exact = log_attention(teacher, tau, 32)[0, channel].view(teacher.shape[-2:]).numpy()
    count, term = len(np.unique(shown)), old_channel_term(student, teacher, tau, bits)
    scores = [old_channel_term(student, teacher, each, bits) for each in TAUS]
    maps = {"in float32": exact, f"in {'float32' if bits == 32 else 'bfloat16'}": shown}
    headline = f"log p at tau = {tau:g}: {count} grey steps in {shown.size} places; term {term:+.4f}"

    def drawn(wide: bool) -> Figure:
        width, height = (WIDTH, 270) if wide else (NARROW, 50 + 2 * 224 + 230)
        made = plots.figure(width, height)
        for place, (title, values) in enumerate(maps.items()):
            left, bottom = (14 + 209 * place, 5) if wide else (78, height - 50 - 224 * (place + 1) + 5)
            axes = made.add_axes((left / width, bottom / height, 194 / width, 194 / height))
            axes.imshow(values, cmap="gray", interpolation="nearest", vmin=exact.min(), vmax=exact.max())
            axes.set_title(title, fontsize=11)
            axes.set_axis_off()
        axes = made.add_axes(((497 if wide else 70) / width, 54 / height, (202 if wide else 266) / width, 146 / height))
        axes.plot(TAUS, scores, "o-", color=COLOURS[0], ms=3)
        axes.plot([tau], [term], "o", color=COLOURS[1], ms=9)
        axes.axhline(0, color="black", linewidth=1)
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=1e-3)
        axes.set(xlabel="tau (log)", ylim=(-1, 0.1), yticks=(-0.1, 0, 0.1))
        axes.set_title("the term", fontsize=11)
        line = headline if wide else headline.replace(": ", ":\n", 1)
        made.text(14 / width, 1 - 13 / height, line, va="top")
        return made

    below = " A divergence below zero: these are not differences of two maps, they are rounding." if term < 0 else ""
    return plots.Picture(
        wide_and_narrow(drawn),
        f"tau {tau:g}, {bits} bits: the map of log p has {count} different values in {shown.size} places; the term is "
        f"{term:+.4f}.{below}",
    )
