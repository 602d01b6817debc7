"""The loop: a plain one on Accelerate, with an average of the weights and exact resume."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from kdsharp.checks import UsageError
from kdsharp.devices import device_of, helpers, moved, this_process
from kdsharp.interrupts import stop_flag
from kdsharp.losses import lowest, reconstruction
from kdsharp.train.config import OPTIMIZERS, TrainConfig
from kdsharp.train.states import Progress, save_state, start


class Supervised(nn.Module):
    """The training step of a network on its own: ``loss`` is the named reconstruction loss or sum of losses."""

    def __init__(self, model: nn.Module, loss: str = "charbonnier") -> None:
        super().__init__()
        self.student = model
        self.loss = loss
        self.lowest = {"loss": lowest(loss)}  # an unknown name fails here, not in the first step

    def forward(self, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """Named terms of one batch of two (B, 3, H, W): ``loss`` alone. Images beyond the labels are left out."""
        return {"loss": reconstruction(self.loss, self.student(blurred[: len(sharp)]), sharp)}


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
    watch: Callable[[int, float], object] | None = None,
) -> list[dict[str, float]]:
    """Train the network in ``step.student`` and return the history.

    The step, and the networks that it only looks at (``step.frozen``, such as a teacher), are moved to the device that
    trains (:mod:`kdsharp.devices`) and back to where they were.

    Under ``accelerate launch`` every process takes batches of its own, and the gradients are averaged: ``n`` processes
    with batches of B crops take the steps of one process whose batch is all ``n`` batches, n B crops, in a row.
    ``learning_rate`` stays as it is. The main process alone validates, and writes into ``out``, which all must see.

    Args:
        step: a module that maps (blurred, sharp) to named scalar terms, of which ``loss`` is minimised
            (:class:`Supervised` or :class:`kdsharp.distill.Distillation`). All its parameters are trained. Where it has
            ``lowest``, a term that falls below its entry ends the training.
        batches: indexed by the step number, gives (blurred, sharp); see :class:`kdsharp.datasets.Crops`.
            Of ``n`` processes, process ``p`` takes number ``n * step + p``.
        config: the run.
        out: a folder for the states; without one nothing is written.
        resume: go on from the newest state in ``out``; the end is then bit for bit that of an unbroken run on
            the CPU. Ctrl-C saves a state first; however a run ends, ``step.student`` is then the average so far.
        validate: called with the averaged network, where it is trained, at every state; its number is logged as
            ``validation``.
        progress: show a bar.
        label: what the bar is called.
        watch: called after every step with its number and its loss; what it raises ends the run (lesson 10's button).
        setup: what else defines the run (network, loss, data), as JSON holds it; resuming checks that it is the same.

    Returns:
        rows with ``step``, each named term (mean since the last row), ``learning_rate``, ``seconds``.
    """
    with moved(this_process().device, step, *getattr(step, "frozen", ())):
        return _fit(step, batches, config, out, resume, validate, progress, label, setup, watch)


def _fit(
    step: nn.Module,
    batches: Dataset,
    config: TrainConfig,
    out: str | Path | None,
    resume: bool,
    validate: Callable[[nn.Module], float] | None,
    progress: bool,
    label: str,
    setup: dict[str, Any] | None,
    watch: Callable[[int, float], object] | None,
) -> list[dict[str, float]]:
    """The loop of :func:`fit`, with every network where it is trained."""
    processes = this_process().num_processes
    AcceleratorState._reset_state()  # otherwise a second run of another precision in one process is refused
    mixed = "no" if config.precision == "float32" else config.precision
    accelerator = Accelerator(mixed_precision=mixed, device_placement=False)
    torch.manual_seed(config.seed + accelerator.process_index)  # dropout differs between the parts of one step
    here = device_of(step)
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
        several = {"processes": processes} if processes > 1 else {}
        start(Path(out), resume, accelerator, vars(config) | (setup or {}) | several)
    own = torch.Generator()  # else the loader would draw its seed from the generator that resuming has just restored
    mine = range(done.step * processes + accelerator.process_index, config.steps * processes, processes)
    loader = DataLoader(batches, batch_size=None, sampler=mine, generator=own, num_workers=helpers(here))
    shown = progress and accelerator.is_main_process
    bar = tqdm(total=config.steps, initial=done.step, desc=label, unit="step", disable=not shown)
    clock = time.perf_counter() - done.seconds

    def save() -> None:
        done.seconds = time.perf_counter() - clock
        if out is not None:
            save_state(Path(out), accelerator, done)

    step.train()
    with _ends_as(average, step, config.average > 0), bar, stop_flag() as stopped:
        for blurred, sharp in loader:
            terms = wrapped(blurred.to(here, memory_format=torch.channels_last), sharp.to(here))
            optimizer.zero_grad()
            accelerator.backward(terms["loss"])
            accelerator.clip_grad_norm_(step.parameters(), config.clip)
            optimizer.step()
            if config.schedule != "plateau" or done.step < config.warmup:
                schedule.step()
            average.update_parameters(student)
            done.step += 1
            bar.update()
            logged = [*terms.values(), terms["loss"].new_tensor(float(stopped()))]
            *values, stops = accelerator.reduce(torch.stack(logged).detach(), "mean").tolist()
            done.since.append(dict(zip(terms, values, strict=True)))
            _check_lowest(done, getattr(step, "lowest", {}), label)
            if watch is not None:
                watch(done.step, done.since[-1]["loss"])
            stop = stops > 0  # Ctrl-C may reach one process a step before the others: they stop together
            last = done.step == config.steps
            if done.step % config.log_every == 0 or last:
                means = {name: sum(each[name] for each in done.since) / len(done.since) for name in terms}
                lost = [name for name in sorted(means, key="loss".__eq__) if not math.isfinite(means[name])]
                if lost:
                    name = "the loss" if lost[0] == "loss" else f"the term {lost[0]!r}"
                    raise UsageError(
                        f"{label} diverged: at step {done.step} {name} is {means[lost[0]]}; lower the learning rate"
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
                    score = validate(average.module.eval()) if accelerator.is_main_process else 0.0
                    (score,) = broadcast_object_list([score])
                    done.rows.append({"step": done.step, "validation": score})
                save()
            elif stop:
                save()
            if stop and not last:
                raise KeyboardInterrupt
    return done.rows


@contextmanager
def _ends_as(average: AveragedModel, step: nn.Module, wanted: bool) -> Iterator[None]:
    """However the block ends, the step's network is then the average of what it was, ready to be used."""
    try:
        yield
    finally:
        if wanted:
            step.get_submodule("student").load_state_dict(average.module.state_dict())
        step.eval()


def _check_lowest(done: Progress, lowest: dict[str, float], label: str) -> None:
    """End a training whose newest step has a term below what its formula allows: then digits were lost."""
    for name, least in lowest.items():
        value = done.since[-1][name]
        if value < least - 1e-6 * max(1.0, abs(least)):
            raise UsageError(
                f"{label} stopped: at step {done.step} the term {name!r} is {value:.3g}, but its formula has nothing "
                f"below {least:.3g}; it loses its digits or is wrong (lesson 10)"
            )
