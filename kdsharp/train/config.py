"""One training run as data: its length, optimizer, learning rate and schedule."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from kdsharp.checks import check_name, check_positive, check_range

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": partial(torch.optim.SGD, momentum=0.9),
    "adamw": torch.optim.AdamW,
}
"""Optimizers by name, with torch's own settings; ``sgd`` has a momentum of 0.9 (lesson 12)."""

SCHEDULES = ("cosine", "constant", "plateau")
PRECISIONS = ("float32", "bf16")


@dataclass(frozen=True)
class TrainConfig:
    """One training run, as data.

    Args:
        steps: optimizer steps.
        learning_rate: the highest one, reached after ``warmup`` steps.
        optimizer: a name in ``OPTIMIZERS``.
        schedule: ``cosine`` falls to 1 % of the rate at the last step, ``constant`` stays, ``plateau`` divides the
            rate by 10 when the logged loss has not fallen for six rows of the history (ReduceLROnPlateau).
        warmup: steps of linear rise; they keep the first large gradients from throwing the weights about.
        weight_decay: handed to the optimizer.
        average: decay of the exponential moving average of the weights (0 turns it off); the average is what
            ``fit`` leaves in the model, because it is less noisy than the last step.
        clip: largest gradient norm; longer gradients are shortened to it. A few times the usual norm (0.03 for the
            course's teacher) is right: Adam divides by the usual size, so that one long gradient moves all weights far.
        precision: of the networks, ``float32`` or ``bf16``; losses and terms are float32 in both. ``bf16`` is for cards
            that are built for it: on a CPU without such instructions it is ten times as slow.
        seed: of anything random inside the step.
        log_every: steps between two rows of the history.
        save_every: steps between two states on disk, where ``fit`` gets a folder.
    """

    steps: int = 1000
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    schedule: str = "cosine"
    warmup: int = 50
    weight_decay: float = 0.0
    average: float = 0.999
    clip: float = 1.0
    precision: str = "float32"
    seed: int = 0
    log_every: int = 50
    save_every: int = 500

    def __post_init__(self) -> None:
        check_name(self.optimizer, OPTIMIZERS, "optimizer")
        check_name(self.schedule, SCHEDULES, "schedule")
        check_name(self.precision, PRECISIONS, "precision")
        for name in ("steps", "learning_rate", "clip", "log_every", "save_every"):
            check_positive(getattr(self, name), name)
        check_range(self.average, 0, 1, "average")
        for name in ("warmup", "weight_decay"):
            check_range(getattr(self, name), 0, float("inf"), name)

    def rate(self, step: int) -> float:
        """The share of ``learning_rate`` at a step, in (0, 1]."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.schedule != "cosine":
            return 1.0
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
