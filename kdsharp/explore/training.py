"""What the explorers of lessons 06 and 10 draw: a network's answer after some training."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from kdsharp import plots
from kdsharp.evaluate import mean_interval
from kdsharp.explore.button import Stopped, Watch
from kdsharp.metrics import psnr
from kdsharp.train import TrainConfig, fit


def train_until(step: nn.Module, batches: Dataset, config: TrainConfig, watch: Watch) -> list[float]:
    """Train ``step.student`` until the end or until ``watch`` raises :class:`Stopped`; the loss of each step."""
    losses: list[float] = []

    def note(number: int, loss: float) -> None:
        losses.append(loss)
        watch(number, loss)

    with suppress(Stopped):
        fit(step, batches, config, progress=False, watch=note)
    step.eval()
    return losses


def render_steps(answer: Tensor, sharp: Tensor, steps: int, rate: float, at: tuple[int, int]) -> plots.Picture:
    """A network's ``answer`` after so many steps at a learning rate, beside the truth; both (1, 3, H, W)."""
    made = plots.panels({f"rate {rate:g}, {steps} steps": answer, "truth": sharp}, sharp, at=at)
    return plots.Picture(made, f"After {steps} steps at rate {rate:g}: {plots.score(answer, sharp)}.")


def render_mix(
    restored: Tensor, alone: Tensor, sharp: Tensor, target: Tensor, attention: Tensor, alpha: float, temperature: float
) -> plots.Picture:
    """One mix of truth and teacher: the crop, its change against the student alone, and what tau compares.

    Args:
        restored: (1, 3, H, W), what a student trained with this alpha and temperature makes of a crop.
        alone: the same of the student at alpha 1.
        sharp, target: the truth, and the teacher's answer.
        attention: (1, 1, h, w) at or above 0, the softmax over all positions at this temperature (lesson 09).
        alpha, temperature: for the titles.
    """
    change = (0.5 + 10 * (restored - alone).mean(1, keepdim=True)).expand(-1, 3, -1, -1)
    heat = attention.sqrt()
    heat = F.interpolate(heat / heat.max(), restored.shape[-2:]).expand(-1, 3, -1, -1)
    to_truth, to_teacher = psnr(restored, sharp).item(), psnr(restored, target).item()
    shown = {
        f"alpha {alpha:g}, temperature {temperature:g}": restored,
        f"to the truth {to_truth:.2f} dB\nto the teacher {to_teacher:.2f} dB\nchange against alone x 10": change,
        f"what {temperature:g} spreads compare": heat,
    }
    alt = (
        f"alpha {alpha:g}, temperature {temperature:g}: the restored crop has {to_truth:.2f} dB to the truth and "
        f"{to_teacher:.2f} dB to the teacher; beside it the change against the student alone and the attention map."
    )
    return plots.Picture(plots.panels(shown, difference=False, at=(0, 0)), alt)


def schedule_sentence(runs: Mapping[str, Sequence[Sequence[float]]], baseline: str = "constant") -> str:
    """What several seeds say of some schedules: where each ends, and whether that is more than chance.

    Args:
        runs: name to one list of validation scores in dB for each seed, in the order of training; at least two seeds.
        baseline: the one that the others are compared with, seed by seed.
    """
    ends = {name: [scores[-1] for scores in each] for name, each in runs.items()}
    lost = {name: max(max(scores) - scores[-1] for scores in each) for name, each in runs.items()}
    told = []
    for name in runs:
        mean, half = mean_interval(ends[name])
        told.append(f"*{name}* ends at {mean:.2f} ± {half:.2f} dB (at most {lost[name]:.2f} dB below its own best)")
    against = []
    for name in runs:
        if name != baseline:
            gain, half = mean_interval([a - b for a, b in zip(ends[name], ends[baseline], strict=True)])
            word = "no difference shown" if abs(gain) <= half else "better" if gain > 0 else "worse"
            against.append(f"*{name}* {gain:+.2f} ± {half:.2f} dB, **{word}**")
    return f"{len(ends[baseline])} seeds: " + "; ".join(told) + f". Against *{baseline}*: " + "; ".join(against) + "."


def schedule_winner(runs: Mapping[str, Sequence[Sequence[float]]]) -> str | None:
    """The schedule that ends highest, if it is ahead of each other one by more than its interval; otherwise None.

    Args:
        runs: as for :func:`schedule_sentence`.
    """
    ends = {name: [scores[-1] for scores in each] for name, each in runs.items()}
    best = max(ends, key=lambda name: sum(ends[name]))
    for name in ends:
        if name != best:
            gain, half = mean_interval([a - b for a, b in zip(ends[best], ends[name], strict=True)])
            if gain <= half:
                return None
    return best
