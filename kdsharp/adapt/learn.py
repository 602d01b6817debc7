"""Tuning a network on a clip's own motion, and the honest end: the better of before and after."""

import bisect
import copy
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kdsharp.checks import check_positive
from kdsharp.datasets import Crops, photos, training_pictures
from kdsharp.degrade import Degradation
from kdsharp.recipes import mean_psnr
from kdsharp.train import Supervised, TrainConfig, fit

CONFIG = TrainConfig(steps=1, learning_rate=1e-3, clip=0.1)
SIZE, BATCH, MARGIN, CHOICES = 160, 8, 24, 2
LOSS = "200 mse + psnr"
JUDGES = 6
"""Batches of held-back crops on which former and tuned network are compared."""
FEWEST = 20
"""Steps that are taken whatever the time."""
TRIED = 16
"""Steps by which the speed is measured."""
LATEST = 1.1
"""Times the minutes that were asked for, after which learning ends wherever it is."""


@dataclass(frozen=True)
class Adapted:
    """What a clip taught: the better ``model`` of both, and how they did on held-back crops under its motion, in dB.

    ``before`` is the former network, ``after`` the tuned one, ``still`` the blurred photos themselves.
    """

    model: nn.Module
    still: float
    before: float
    after: float
    steps: int
    seconds: float

    @property
    def better(self) -> bool:
        """Whether the tuned network is used."""
        return self.after > self.before

    def sentence(self) -> str:
        """What happened, in one line."""
        scores = f"before {self.before:.2f}, after {self.after:.2f}, their blur itself {self.still:.2f} dB"
        verdict = f"{self.after - self.before:+.2f} dB: " + ("adapted" if self.better else "the former one stays")
        return (
            f"{self.steps} steps in {self.seconds:.0f} s; held-back photos that move as the clip: {scores}; {verdict}"
        )


def judges(motion: Degradation, with_training: bool, seed: int = 0) -> list[tuple[str, Tensor, Tensor]]:
    """Held-back crops (name, blurred, sharp), drawn and blurred as those that are learned from, less what stayed sharp.

    Two whole photos once judged here, and lost 0.3 dB where the clip itself gained 0.2: crops agree with the clip.

    Args:
        motion: that blurs them.
        with_training: whether the bundled training photos are held back, too, because one's own are learned from.
        seed: of the crops.
    """
    kept = [photo.pixels for split in ("validation", *["train"] * with_training) for photo in photos(split)]
    batches = Crops(kept, motion, SIZE, BATCH, seed + 1, MARGIN, choices=CHOICES)
    both = [torch.cat(each) for each in zip(*(batches[step] for step in range(JUDGES)), strict=True)]
    pairs = [(f"crop {n}", one[None], other[None]) for n, (one, other) in enumerate(zip(*both, strict=True))]
    return [pair for pair in pairs if not torch.equal(pair[1], pair[2])]


def adapt(
    model: nn.Module,
    motion: Degradation,
    minutes: float = 2.0,
    own: Sequence[Path] | None = None,
    progress: bool = True,
    seed: int = 0,
    watch: Callable[[int, float], object] | None = None,
) -> Adapted:
    """Tune a copy of ``model`` for some minutes on sharp photos that ``motion`` blurs; Ctrl-C keeps what is learned.

    The clip's own frames are not learned from: in a blurred clip nothing is sharp, so that a network would learn to
    leave blur alone. Lesson 14.

    Args:
        model: (B, 3, H, W) to the same; its weights stay as they are.
        motion: :class:`kdsharp.degrade.ClipMotion`, or anything that blurs (a control: random motion).
        minutes: how long it may take, with a first measurement of the speed; a tenth more at most, but for the fewest
            steps.
        own: sharp photos by path in place of the bundled training photos.
        progress: show a bar with the time left.
        seed: of the crops.
        watch: called after every step with its number and its loss.
    """
    check_positive(minutes, "minutes")
    start = time.perf_counter()
    held = judges(motion, own is not None, seed)
    tuned = copy.deepcopy(model).requires_grad_(True)
    step = Supervised(tuned, LOSS)
    pictures = training_pictures(motion, leaves=0, seed=seed, own=own)
    crops = Crops(pictures, motion, SIZE, BATCH, seed, MARGIN, choices=CHOICES)
    steps = max(FEWEST, _steps(step, crops, 60 * minutes - (time.perf_counter() - start), progress))
    done = [0]

    def note(number: int, loss: float) -> None:
        done[0] = number
        if watch is not None:
            watch(number, loss)
        if number >= FEWEST and time.perf_counter() - start > LATEST * 60 * minutes:
            raise KeyboardInterrupt  # photos that do not fit into memory are decoded again and again

    average = min(0.995, 1 - 10 / steps)
    config = replace(CONFIG, steps=steps, warmup=min(50, steps // 4), average=average, save_every=steps)
    with suppress(KeyboardInterrupt):  # the network holds what it has learned so far
        fit(step, crops, config, progress=progress, label="learning the clip's motion", watch=note)
    tuned.eval().requires_grad_(False)
    still, old, new = (mean_psnr(network, held) for network in (nn.Identity(), model, tuned))
    best = tuned if new > old else model
    return Adapted(best, still, old, new, done[0], time.perf_counter() - start)


def _steps(step: nn.Module, crops: Crops, seconds: float, progress: bool) -> int:
    """How many steps fit into so many seconds, by some that are tried on a copy, once and then once more.

    The first time photos are decoded for them, the second time they are in memory. A step takes what it takes then; and
    of N pictures ``N exp(-n / N)`` are still to be decoded after n draws. Planned by the first steps alone, as it once
    was, half of the time was left over.
    """
    start, clock = time.perf_counter(), list[float]()
    plan = replace(CONFIG, steps=TRIED)
    tried = []

    def note(*_: float) -> None:
        clock.append(time.perf_counter())

    for label in ("reading photos", "trying the speed"):
        clock.clear()
        fit(copy.deepcopy(step), crops, plan, progress=progress, label=label, watch=note)
        tried.append(float(np.mean(np.diff(clock))))
    draws, count = BATCH * CHOICES, len(crops.pictures)
    coded = count * math.exp(-TRIED * draws / count)
    decoding = max(0.0, tried[0] - tried[1]) * TRIED / (count - coded)

    def takes(steps: int) -> float:
        fresh = max(0, steps - TRIED) * draws  # the first are those that were tried
        return steps * tried[1] + decoding * coded * (1 - math.exp(-fresh / count))

    return bisect.bisect(range(1_000_000), seconds - (time.perf_counter() - start), key=takes)
