"""A training that can be stopped, and what lesson 06's explorer draws of one: a network's answer after some steps."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from torch import Tensor, nn
from torch.utils.data import Dataset

from kdsharp import plots
from kdsharp.evaluate import mean_interval
from kdsharp.explore.button import Stopped, Watch
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
