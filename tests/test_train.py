"""The training loop: exact resume after kill -9 and Ctrl-C, the history, the schedule.

Run as a script (``test_train.py FOLDER``) this file trains the same tiny network, slowly, so that it can be killed.
"""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.datasets import Crops
from kdsharp.degrade import Shake
from kdsharp.losses import reconstruction
from kdsharp.train import OPTIMIZERS, SCHEDULES, Supervised, TrainConfig, fit

CONFIG = TrainConfig(steps=60, learning_rate=5e-3, warmup=5, average=0.9, log_every=5, save_every=10, seed=3)


class Tiny(nn.Module):
    """Two convolutions, with dropout between them where a test is about the state of the random generator."""

    def __init__(self, dropout=0.0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.body = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 3, 3, padding=1))
        self.body.insert(1, nn.Dropout(dropout))

    def forward(self, image):
        return image + self.body(image)


class Batches(Crops):
    """Crops that call ``before(step)`` first: to be slow, or to press Ctrl-C at an exact step."""

    def __init__(self, before=lambda step: None):
        squares = np.random.default_rng(0).integers(0, 256, (10, 10, 3), dtype=np.uint8)
        super().__init__([np.kron(squares, np.ones((5, 5, 1), np.uint8))], Shake(), 8, 2)
        self.before = before

    def __getitem__(self, step):
        self.before(step)
        return super().__getitem__(step)


def train(out=None, config=CONFIG, before=lambda step: None, dropout=0.0, **options):
    """The trained weights and the history."""
    model = Tiny(dropout)
    history = fit(Supervised(model), Batches(before), config, out, progress=False, **options)
    return model.state_dict(), history


@pytest.fixture(autouse=True)
def one_thread():
    """The order of a sum depends on the number of threads, and bits depend on the order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    torch.set_num_threads(1)
    return train(tmp_path_factory.mktemp("unbroken"))


def states(folder):
    return sorted(path.name for path in folder.glob("state-*"))


def timeless(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


def assert_same(found, expected):
    assert found[0].keys() == expected[0].keys()
    for key, value in found[0].items():
        assert torch.equal(value, expected[0][key]), key
    assert timeless(found[1]) == timeless(expected[1])


def press_ctrl_c(at):
    return lambda step: os.kill(os.getpid(), signal.SIGINT) if step == at else None


def test_a_run_killed_at_any_moment_ends_like_an_unbroken_one(tmp_path, unbroken):
    child = subprocess.Popen([sys.executable, "-W", "error", __file__, str(tmp_path)])
    try:
        deadline = time.monotonic() + 600
        while not states(tmp_path):
            assert child.poll() is None, "the child ended before its first state"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.15))
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert child.returncode == -signal.SIGKILL
    assert states(tmp_path)[-1] < "state-00000060"
    assert_same(train(tmp_path, resume=True), unbroken)
    assert states(tmp_path) == ["state-00000060"]


@pytest.mark.parametrize("step", [23, 30])
def test_ctrl_c_saves_the_exact_step_and_the_run_goes_on_from_it(tmp_path, unbroken, step):
    """Pressed while batch ``step - 1`` is made, that is within step ``step``; 30 is a step that saves anyway."""
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, before=press_ctrl_c(step - 1))
    assert states(tmp_path) == [f"state-{step:08d}"]
    assert signal.getsignal(signal.SIGINT) is handler
    seen = []
    weights, _ = train(tmp_path, resume=True, before=seen.append)
    assert seen == list(range(step, 60))
    assert all(torch.equal(value, unbroken[0][key]) for key, value in weights.items())


def test_randomness_inside_the_step_goes_on_where_it_was(tmp_path):
    expected, _ = train(dropout=0.3)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, before=press_ctrl_c(19), dropout=0.3)
    weights, _ = train(tmp_path, dropout=0.3, resume=True)
    assert all(torch.equal(value, expected[key]) for key, value in weights.items())


def test_the_history_of_an_interrupted_run_is_that_of_an_unbroken_one(tmp_path, unbroken):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, before=press_ctrl_c(22))
    assert_same(train(tmp_path, resume=True), unbroken)


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    seen = []

    def press_twice(step):
        seen.append(step)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, before=press_twice)
    assert seen == [0]
    assert states(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="helpers are forked, on Linux alone")
def test_helpers_change_nothing_and_ctrl_c_in_a_terminal_reaches_them_too(tmp_path, unbroken, monkeypatch):
    monkeypatch.setattr("kdsharp.train.loop.helpers", lambda device: 2)
    known = []

    def press_in_the_terminal(step, loss):
        if step == 22:
            known.extend(multiprocessing.active_children())
            for process in (os.getpid(), *(each.pid for each in known)):
                os.kill(process, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, watch=press_in_the_terminal)
    assert len(known) == 2
    assert_same(train(tmp_path, resume=True), unbroken)
    assert not multiprocessing.active_children()


def test_a_state_that_was_half_written_is_ignored(tmp_path, unbroken):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, before=press_ctrl_c(19))
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "model.safetensors").write_bytes(b"half")
    assert_same(train(tmp_path, resume=True), unbroken)
    assert not (tmp_path / "unfinished").exists()


def test_resuming_a_finished_run_trains_no_more(tmp_path):
    config = TrainConfig(steps=4, warmup=1, log_every=2, save_every=2)
    first, seen = train(tmp_path, config), []
    again = train(tmp_path, config, resume=True, before=seen.append)
    assert seen == []
    assert_same(again, first)


def test_without_resume_an_earlier_run_is_cleared(tmp_path):
    config = TrainConfig(steps=4, warmup=1, save_every=2)
    train(tmp_path, config)
    seen = []
    train(tmp_path, TrainConfig(steps=3, warmup=1, save_every=2), before=seen.append)
    assert seen == [0, 1, 2]
    assert states(tmp_path) == ["state-00000003"]


def test_resume_with_nothing_there_starts_anew(tmp_path):
    seen = []
    train(tmp_path, TrainConfig(steps=3, warmup=1), before=seen.append, resume=True)
    assert seen == [0, 1, 2]


def test_resume_with_another_config_names_what_differs(tmp_path):
    train(tmp_path, TrainConfig(steps=3, warmup=1))
    with pytest.raises(
        UsageError, match="was trained with another learning_rate, steps; resume with the same"
    ) as caught:
        train(tmp_path, TrainConfig(steps=4, warmup=1, learning_rate=0.1), resume=True)
    assert "\n" not in str(caught.value)
    assert states(tmp_path) == ["state-00000003"]


def test_one_state_the_config_and_the_history_are_left_on_disk(tmp_path):
    _, history = train(tmp_path, TrainConfig(steps=6, warmup=1, log_every=2, save_every=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "history.json", "state-00000006"]
    assert json.loads((tmp_path / "history.json").read_text()) == history
    assert TrainConfig(**json.loads((tmp_path / "config.json").read_text())).steps == 6


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(config=TrainConfig(steps=2, warmup=1, save_every=1))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="a file stands in its way"):
        train(tmp_path / "file", TrainConfig(steps=2))


def test_training_lowers_the_loss(unbroken):
    losses = [row["loss"] for row in unbroken[1]]
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])


def test_the_seed_decides_what_is_random_inside_the_step():
    short = vars(CONFIG) | {"steps": 5}
    first, again, other = (train(config=TrainConfig(**short | {"seed": seed}), dropout=0.3) for seed in (3, 3, 4))
    assert_same(first, again)
    assert not torch.equal(other[0]["body.0.weight"], first[0]["body.0.weight"])


def by_hand(config, decay):
    """Lesson 06's loop written out: Adam, clipping by the norm, the schedule, the average."""
    model = Tiny().train()
    torch.manual_seed(config.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    average, losses = None, []
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.learning_rate * config.rate(step)
        blurred, sharp = Batches()[step]
        loss = reconstruction("charbonnier", model(blurred), sharp)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.stack([value.grad.norm() for value in model.parameters()]).norm()
        for value in model.parameters():
            value.grad.mul_(min(1.0, config.clip / (norm.item() + 1e-6)))
        optimizer.step()
        losses.append(loss.item())
        now = {key: value.clone() for key, value in model.state_dict().items()}
        average = now if average is None else {key: decay * average[key] + (1 - decay) * now[key] for key in now}
    return average, losses


@pytest.mark.parametrize("decay", [0.0, 0.8])
def test_fit_is_the_plain_loop(decay):
    config = TrainConfig(steps=12, learning_rate=1e-2, warmup=4, average=decay, clip=0.05, log_every=4)
    weights, history = train(config=config)
    expected, losses = by_hand(config, decay)
    for key, value in weights.items():
        torch.testing.assert_close(value, expected[key], rtol=1e-4, atol=1e-6)
    assert [row["loss"] for row in history] == pytest.approx([np.mean(losses[i : i + 4]) for i in (0, 4, 8)], rel=1e-4)
    assert [row["step"] for row in history] == [4, 8, 12]


def test_the_last_row_is_a_mean_too():
    config = TrainConfig(steps=6, warmup=2, log_every=50)
    _, history = train(config=config)
    assert history[-1]["loss"] == pytest.approx(np.mean(by_hand(config, 0.0)[1]), rel=1e-3)


def test_validation_sees_the_average_in_evaluation_mode_at_every_state():
    seen = []

    def validate(network):
        assert not network.training
        seen.append({key: value.clone() for key, value in network.state_dict().items()})
        return float(len(seen))

    weights, history = train(config=TrainConfig(steps=5, warmup=1, average=0.5, save_every=2), validate=validate)
    rows = [(row["step"], row["validation"]) for row in history if "validation" in row]
    assert rows == [(2, 1.0), (4, 2.0), (5, 3.0)]
    assert all(torch.equal(value, seen[-1][key]) for key, value in weights.items())


def test_the_network_ends_in_evaluation_mode():
    model = Tiny()
    fit(Supervised(model), Batches(), TrainConfig(steps=1), progress=False)
    assert not model.training


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimizer_and_schedule_moves_the_weights(optimizer, schedule):
    config = TrainConfig(steps=2, warmup=1, optimizer=optimizer, schedule=schedule, average=0.0, weight_decay=0.1)
    weights, history = train(config=config)
    assert not torch.equal(weights["body.0.weight"], Tiny().body[0].weight)
    assert history[-1]["learning_rate"] == pytest.approx(1e-5 if schedule == "cosine" else 1e-3)


def test_sgd_has_momentum_and_the_others_torchs_own_settings():
    weights = [torch.nn.Parameter(torch.zeros(1))]
    assert OPTIMIZERS["sgd"](weights, lr=0.1).defaults["momentum"] == 0.9
    for name, kind in (
        ("adadelta", torch.optim.Adadelta),
        ("adagrad", torch.optim.Adagrad),
        ("rmsprop", torch.optim.RMSprop),
    ):
        assert OPTIMIZERS[name](weights, lr=0.1).defaults == kind(weights, lr=0.1).defaults


class Falling(torch.nn.Module):
    """A loss that falls for a while and then stays, whatever the weights are."""

    def __init__(self, falls):
        super().__init__()
        self.student, self.falls, self.calls = Tiny(), falls, 0

    def forward(self, blurred, sharp):
        self.calls += 1
        return {"loss": self.student(blurred).mean() * 0 + 1 + max(0, self.falls - self.calls)}


def test_a_plateau_divides_the_rate_by_ten_after_six_rows_without_a_fall():
    config = TrainConfig(steps=20, warmup=2, schedule="plateau", log_every=1)
    rows = fit(Falling(8), Batches(), config, progress=False)
    rates = [row["learning_rate"] for row in rows]
    assert rates[0] == pytest.approx(config.learning_rate)  # after the warm-up's first step comes the full rate
    assert rates[12] == pytest.approx(config.learning_rate)
    assert rates[13] == pytest.approx(config.learning_rate / 10)  # row 8 was the best; six more did not fall


def test_a_run_that_diverges_says_so_and_saves_nothing(tmp_path):
    step = Supervised(Tiny())
    step.forward = lambda blurred, sharp: {"loss": step.student(blurred).mean() * float("nan")}
    with pytest.raises(UsageError, match="training diverged: at step 2 the loss is nan; lower the learning rate"):
        fit(step, Batches(), TrainConfig(steps=9, log_every=2, save_every=2), tmp_path, progress=False)
    assert not list(tmp_path.glob("state-*"))


def test_the_rate_rises_then_falls_to_one_percent():
    config = TrainConfig(steps=110, warmup=10)
    rates = [config.rate(step) for step in range(111)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1
    assert rates[60] == pytest.approx(0.505)
    assert rates[110] == pytest.approx(0.01)
    assert all(later < earlier for earlier, later in zip(rates[10:], rates[11:], strict=False))
    assert TrainConfig(schedule="constant", warmup=0).rate(999) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"optimizer": "adm"},
            r"unknown optimizer 'adm' \(did you mean 'adam'\?\); choose one of: adam, adadelta, .*, adamw",
        ),
        ({"schedule": "step"}, "unknown schedule 'step'; choose one of: cosine, constant, plateau"),
        ({"steps": 0}, "steps is 0"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"log_every": 0}, "log_every is 0"),
        ({"save_every": 0}, "save_every is 0"),
    ],
)
def test_wrong_settings_fail_at_once(options, message):
    with pytest.raises(UsageError, match=message):
        TrainConfig(**options)


@pytest.mark.parametrize(
    "options",
    [{"precision": "fp17"}, {"average": 1.5}, {"warmup": -1}, {"weight_decay": -0.1}],
    ids=lambda each: next(iter(each)),
)
def test_other_wrong_settings_fail_at_once(options):
    with pytest.raises(UsageError):
        TrainConfig(**options)


def test_two_runs_of_one_process_may_have_two_precisions():
    for precision in ("float32", "bf16", "float32"):
        train(config=TrainConfig(steps=1, precision=precision))


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(sys.argv[1], before=lambda step: time.sleep(0.02 if step < 50 else 600))  # it never ends by itself
