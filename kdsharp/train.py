"""The training loop (floor 4): a plain loop on Accelerate, with schedules, an average of the weights and exact resume.

Lesson 06 builds the same loop by hand before it imports this one.
"""

import json
import math
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from kdsharp.checks import UsageError, atomic_path, check_name, check_positive, check_range, make_folder
from kdsharp.losses import mixture, reconstruction

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
        precision: ``no`` (float32) or ``bf16``, as Accelerate calls it.
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
    precision: str = "no"
    seed: int = 0
    log_every: int = 50
    save_every: int = 500

    def __post_init__(self) -> None:
        check_name(self.optimizer, OPTIMIZERS, "optimizer")
        check_name(self.schedule, SCHEDULES, "schedule")
        check_name(self.precision, ("no", "bf16"), "precision")
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


class Supervised(nn.Module):
    """The training step of a network on its own: ``loss`` is the named reconstruction loss or sum of losses."""

    def __init__(self, model: nn.Module, loss: str = "charbonnier") -> None:
        super().__init__()
        self.student = model
        self.loss = loss
        mixture(loss)  # an unknown name fails here, not in the first step

    def forward(self, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """Named terms of one batch of two (B, 3, H, W): ``loss`` alone. Images beyond the labels are left out."""
        return {"loss": reconstruction(self.loss, self.student(blurred[: len(sharp)]), sharp)}


@dataclass
class Progress:
    """How far a run is, and its history: the part of its state that is not a tensor."""

    step: int = 0
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    since: list[dict[str, float]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


def fit(
    step: nn.Module,
    batches: Dataset,
    config: TrainConfig,
    out: str | Path | None = None,
    resume: bool = False,
    validate: Callable[[nn.Module], float] | None = None,
    progress: bool = True,
    label: str = "training",
    setup: dict[str, Any] | None = None,
) -> list[dict[str, float]]:
    """Train the network in ``step.student`` and return the history.

    Args:
        step: a module that maps (blurred, sharp) to named scalar terms, of which ``loss`` is minimised
            (:class:`Supervised` or :class:`kdsharp.distill.Distillation`). All its parameters are trained.
        batches: indexed by the step number, gives (blurred, sharp); see :class:`kdsharp.datasets.Crops`.
        config: the run.
        out: a folder for the states; without one nothing is written.
        resume: go on from the newest state in ``out``; the end is then bit for bit that of an unbroken run on
            the CPU. Ctrl-C saves a state first.
        validate: called with the averaged network at every state; its number is logged as ``validation``.
        progress: show a bar.
        label: what the bar is called.
        setup: what else defines the run (network, loss, data), as JSON holds it; resuming checks that it is the same.

    Returns:
        rows with ``step``, each named term (mean since the last row), ``learning_rate``, ``seconds``.
    """
    AcceleratorState._reset_state()  # otherwise a second run of another precision in one process is refused
    accelerator = Accelerator(mixed_precision=config.precision)
    torch.manual_seed(config.seed)
    step.to(accelerator.device)
    optimizer = OPTIMIZERS[config.optimizer](
        step.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, config.rate)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=5)
    student = step.get_submodule("student")
    average = AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True)
    done = Progress()
    wrapped, optimizer = accelerator.prepare(step, optimizer)
    accelerator.register_for_checkpointing(schedule, plateau, average, done)
    if out is not None:
        _start(Path(out), resume, accelerator, vars(config) | (setup or {}))
    own = torch.Generator()  # else the loader would draw its seed from the generator that resuming has just restored
    loader = DataLoader(batches, batch_size=None, sampler=range(done.step, config.steps), generator=own)
    bar = tqdm(total=config.steps, initial=done.step, desc=label, unit="step", disable=not progress)
    clock = time.perf_counter() - done.seconds

    def save() -> None:
        done.seconds = time.perf_counter() - clock
        if out is not None and accelerator.is_main_process:
            _save_state(Path(out), accelerator, done)

    step.train()
    with bar, _stop_flag() as stopped:
        for blurred, sharp in loader:
            terms = wrapped(
                blurred.to(accelerator.device, memory_format=torch.channels_last), sharp.to(accelerator.device)
            )
            optimizer.zero_grad()
            accelerator.backward(terms["loss"])
            accelerator.clip_grad_norm_(step.parameters(), config.clip)
            optimizer.step()
            if config.schedule != "plateau" or done.step < config.warmup:
                schedule.step()
            average.update_parameters(student)
            done.step += 1
            bar.update()
            done.since.append({name: value.item() for name, value in terms.items()})
            stop = stopped()
            last = done.step == config.steps
            if done.step % config.log_every == 0 or last:
                means = {name: sum(each[name] for each in done.since) / len(done.since) for name in terms}
                if not math.isfinite(means["loss"]):
                    raise UsageError(
                        f"{label} diverged: at step {done.step} the loss is {means['loss']}; lower the learning rate"
                    )
                if config.schedule == "plateau":
                    plateau.step(means["loss"])
                rate = float(optimizer.param_groups[0]["lr"])
                seconds = time.perf_counter() - clock
                done.rows.append({"step": done.step, **means, "learning_rate": rate, "seconds": seconds})
                bar.set_postfix(loss=f"{means['loss']:.4f}", refresh=False)
                done.since = []
            if done.step % config.save_every == 0 or last:
                if validate is not None:
                    done.rows.append({"step": done.step, "validation": validate(average.module.eval())})
                save()
            elif stop:
                save()
            if stop and not last:
                raise KeyboardInterrupt
    if config.average:
        student.load_state_dict(average.module.state_dict())
    step.eval()
    return done.rows


def _start(out: Path, resume: bool, accelerator: Accelerator, setup: dict[str, Any]) -> None:
    """Load the newest state when resuming; otherwise clear what an earlier run left."""
    make_folder(out)
    states = sorted(out.glob("state-*"))
    if resume and states:
        found = json.loads((out / "config.json").read_text(encoding="utf-8"))
        differ = sorted(key for key in found.keys() | setup.keys() if found.get(key) != setup.get(key))
        if differ:
            raise UsageError(f"{out} was trained with another {', '.join(differ)}; resume with the same, or start anew")
        accelerator.load_state(str(states[-1]))
        return
    for state in states:
        shutil.rmtree(state)
    with atomic_path(out / "config.json") as temporary:
        temporary.write_text(json.dumps(setup, indent=1), encoding="utf-8")


def _save_state(out: Path, accelerator: Accelerator, done: Progress) -> None:
    """Write a state beside the old one, then make it the newest by rename, then remove the old one."""
    temporary, final = out / "unfinished", out / f"state-{done.step:08d}"
    shutil.rmtree(temporary, ignore_errors=True)
    accelerator.save_state(str(temporary))
    temporary.rename(final)
    for state in out.glob("state-*"):
        if state != final:
            shutil.rmtree(state)
    with atomic_path(out / "history.json") as file:
        file.write_text(json.dumps(done.rows), encoding="utf-8")


@contextmanager
def _stop_flag() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag that the loop reads between two steps; the second one stops at once."""
    pressed = False

    def note(number: int, frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not in the main thread: leave Ctrl-C as it is
        yield lambda: False
        return
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
