"""Training on several processes: as one process with all their batches, and together to the last step.

``accelerate launch`` runs this file as a script (``test_processes.py FOLDER``) in two processes without a GPU.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from kdsharp import checkpoints
from kdsharp.checks import UsageError
from kdsharp.devices import this_process
from kdsharp.train import Supervised, TrainConfig, fit

CONFIG = TrainConfig(steps=8, learning_rate=1e-2, warmup=2, average=0.8, clip=0.05, log_every=1, save_every=3)


class Small(nn.Module):
    """Two convolutions, with dropout where a test is about random generators."""

    def __init__(self, dropout=0.0):
        super().__init__()
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(6, 3, 3, padding=1)]
        self.body = nn.Sequential(*layers)

    def forward(self, image):
        return image + self.body(image)


class Batches:
    """``parts`` random batches of two crops in a row; ``before(index)`` is called first."""

    def __init__(self, parts=1, before=lambda index: None):
        self.parts, self.before = parts, before

    def __getitem__(self, index):
        self.before(index)
        pairs = [self.one(index * self.parts + part) for part in range(self.parts)]
        return tuple(torch.cat(side) for side in zip(*pairs, strict=True))

    def one(self, index):
        generator = torch.Generator().manual_seed(index)
        sharp = torch.rand(2, 3, 10, 10, generator=generator)
        return (sharp + sharp.roll(1, -1)) / 2, sharp


def train(batches, out=None, config=CONFIG, dropout=0.0, **options):
    """Weights and history."""
    model = Small(dropout)
    history = fit(Supervised(model), batches, config, out, progress=False, **options)
    return {name: value.clone() for name, value in model.state_dict().items()}, history


def launch(*command, cwd):
    """Two processes on the CPU, as README says."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = ["--multi_gpu", "--num_processes", 2, "--num_machines", 1, "--main_process_port", port]
    options += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    line = [sys.executable, "-m", "accelerate.commands.launch", *map(str, [*options, *command])]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each of two processes saw and got."""
    folder = tmp_path_factory.mktemp("two")
    launch(__file__, folder, cwd=folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_processes_are_one_with_the_doubled_batch(two):
    weights, history = train(Batches(parts=2), validate=score)
    for found in two:
        assert found["seen"] == list(range(two.index(found), 16, 2))
        assert len(found["history"]) == len(history) == 8 + 3
        for row, expected in zip(found["history"], history, strict=True):
            assert row.keys() == expected.keys()
            for name in row.keys() - {"seconds"}:
                assert row[name] == pytest.approx(expected[name], abs=1e-5), name
        for name, value in found["weights"].items():
            torch.testing.assert_close(value, weights[name], rtol=0, atol=1e-5)
    single, _ = train(Batches())
    assert (single["body.0.weight"] - weights["body.0.weight"]).abs().max() > 1e-4


def test_all_processes_hold_the_same_weights(two):
    for name, value in two[0]["weights"].items():
        assert torch.equal(value, two[1]["weights"][name])


def test_only_the_main_process_validates(two):
    assert [found["validations"] for found in two] == [3, 0]


def test_ctrl_c_in_one_process_stops_both_and_the_run_goes_on_as_if_unbroken(two):
    """With dropout, whose random numbers differ between the processes and go on from where they were."""
    assert [found["stopped"] for found in two] == [["state-00000005"]] * 2
    for found in two:
        for name, value in found["resumed"].items():
            assert torch.equal(value, found["unbroken"][name]), name


def test_resuming_with_another_number_of_processes_is_refused(two):
    for found in two:
        assert "was trained with another processes; resume with the same" in found["alone"]


def test_train_writes_and_prints_once(tmp_path):
    done = launch("-m", "kdsharp", "train", "report-e", "--profile", "smoke", "--out", "out", cwd=tmp_path)
    assert done.stdout.count("score it: kdsharp evaluate") == 2  # the teacher and the student
    card = (tmp_path / "out" / "report-e.md").read_text()
    assert "6 steps of 2 x 2 crops" in card
    assert checkpoints.read_meta(tmp_path / "out" / "report-e.safetensors")["processes"] == 2
    assert json.loads((tmp_path / "out" / "student" / "config.json").read_text())["processes"] == 2


def test_a_launcher_that_starts_one_process_for_several_is_noticed(monkeypatch):
    this_process()  # the first call decides on the device for all tests, so that it comes before the variables
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(UsageError, match="started one process for several; .* --multi_gpu --num_processes N"):
        this_process()


def score(network):
    """A number that tells the averaged weights."""
    return float(sum(value.abs().sum() for value in network.state_dict().values()))


def both(folder):
    """What one of the two processes does; its findings go to FOLDER/RANK.pt."""
    rank, seen, validations = this_process().process_index, [], []

    def validate(network):
        validations.append(score(network))
        return validations[-1]

    def press(index):
        if rank == 1 and index == 4 * 2 + 1:
            os.kill(os.getpid(), signal.SIGINT)

    weights, history = train(Batches(before=seen.append), folder / "plain", validate=validate)
    unbroken, _ = train(Batches(), dropout=0.3)
    try:
        train(Batches(before=press), folder / "stopped", dropout=0.3)
        stopped = []
    except KeyboardInterrupt:
        this_process().wait_for_everyone()
        stopped = [path.name for path in (folder / "stopped").glob("state-*")]
    try:
        (folder / "alone").mkdir(exist_ok=True)
        (folder / "alone" / "config.json").write_text(json.dumps(vars(CONFIG)))
        (folder / "alone" / "state-00000003").mkdir(exist_ok=True)
        train(Batches(), folder / "alone", resume=True)
        alone = ""
    except UsageError as error:
        alone = str(error)
    resumed, _ = train(Batches(), folder / "stopped", dropout=0.3, resume=True)
    found = {"seen": seen, "weights": weights, "history": history, "validations": len(validations)}
    found |= {"stopped": stopped, "alone": alone, "unbroken": unbroken, "resumed": resumed}
    torch.save(found, folder / f"{rank}.pt")


if __name__ == "__main__":
    both(Path(sys.argv[1]))
