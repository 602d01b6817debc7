"""One place decides where networks run, and gives them back; tested without a card by networks that note their moves.

On the machine of the fixture ``card`` nothing moves in truth: a ``Located`` network notes where it was told to be, and
where it was whenever it worked.
"""

import pytest
import torch
from torch import nn

from kdsharp import devices, provenance
from kdsharp.checks import UsageError
from kdsharp.devices import device_of, helpers, moved
from kdsharp.distill import DeepLoss, Distillation
from kdsharp.recipes import RECIPES, Stage, mean_psnr, rates, training
from kdsharp.study import distillation, losses, optimizers
from kdsharp.train import Supervised, TrainConfig, fit
from kdsharp.train import loop as train_loop

CARD, CPU = torch.device("meta"), torch.device("cpu")
BATCH = torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Located(nn.Module):
    """A network that notes every device it is sent to, and where it was whenever it worked."""

    def __init__(self, channels=4):
        super().__init__()
        self.body = nn.Conv2d(3, channels, 3, padding=1)
        self.head = nn.Conv2d(channels, 3, 1)
        self.where, self.moves, self.worked = CPU, [], set()

    def note(self, device):
        if device != self.where:
            self.where = device
            self.moves.append(device.type)

    def forward(self, image):
        self.worked.add(self.where.type)
        return image + self.head(self.body(image))


@pytest.fixture
def card(monkeypatch):
    """A machine whose networks train on a card."""

    class Process:
        device, num_processes, is_main_process, process_index = CARD, 1, True, 0

        def wait_for_everyone(self):
            pass

    def to(network, device):
        for each in network.modules():
            if isinstance(each, Located):
                each.note(device)
        return network

    def home(network):
        return next((each.where for each in network.modules() if isinstance(each, Located)), CPU)

    monkeypatch.setattr(nn.Module, "to", to)
    monkeypatch.setattr(devices, "device_of", home)
    for place in (devices, train_loop, training, provenance):
        monkeypatch.setattr(place, "this_process", Process)


def train(step, **options):
    return fit(step, [tuple(BATCH)] * 4, TrainConfig(steps=2, save_every=1), progress=False, **options)


def test_fit_trains_a_student_and_its_teacher_on_the_card_and_gives_both_back(card):
    student, teacher = Located(), Located()
    train(Distillation(student, teacher, terms={"hint": 1.0}, taps=("body", "body")))
    assert student.moves == teacher.moves == ["meta", "cpu"]
    student.worked.clear()
    train(Supervised(student))
    assert (student.moves[2:], student.worked) == (["meta", "cpu"], {"meta"})


def test_a_network_that_a_loss_looks_with_comes_along_and_back(card):
    student, seen = Located(), Located()
    step = losses.Mixed(student, {"deep": DeepLoss(seen, ["body"])}, tuple(BATCH))
    train(step)
    assert seen.moves == ["meta", "cpu"]


@pytest.mark.parametrize("how", ["diverges", "ctrl-c"])
def test_networks_come_back_from_a_training_that_ends_badly(card, how):
    def watch(step, loss):
        raise UsageError("diverged") if how == "diverges" else KeyboardInterrupt

    student, teacher = Located(), Located()
    with pytest.raises((UsageError, KeyboardInterrupt)):
        train(Distillation(student, teacher), watch=watch)
    assert (student.moves, teacher.moves) == (["meta", "cpu"], ["meta", "cpu"])


def test_a_network_is_validated_where_it_trains(card):
    validated = []
    train(Supervised(Located()), validate=lambda network: validated.append(network.where.type) or 0.0)
    assert validated == ["meta", "meta"]


def test_a_network_that_was_on_a_card_stays_there(card):
    student = Located()
    student.note(CARD)
    train(Supervised(student))
    assert student.where == CARD


def located(monkeypatch, place, made):
    """Every network that a room builds is one that notes its moves."""

    def build(name, seed=0):
        torch.manual_seed(seed)
        made.append(Located())
        return made[-1]

    monkeypatch.setattr(place, "build", build)


def assert_all_home(made):
    trained = [network for network in made if network.moves]
    assert trained
    assert all(network.moves == ["meta", "cpu"] * (len(network.moves) // 2) for network in trained)
    assert all(network.where == CPU for network in made)


def test_train_brings_student_and_teacher_home_before_it_scores(card, monkeypatch, tmp_path):
    made = []
    located(monkeypatch, training, made)
    teacher = Located()
    monkeypatch.setattr(training, "_teacher", lambda *a: training.checkpoints.Checkpoint("teacher", teacher, {}))
    monkeypatch.setattr(training.checkpoints, "save", lambda path, model, name, **meta: path)
    monkeypatch.setattr(training, "count_macs", lambda model: 1)
    training.train_stage(
        RECIPES["tiny"], "student", "smoke", tmp_path, progress=False, alpha=0.5, taps=("body", "body")
    )
    assert_all_home([*made, teacher])
    assert teacher.moves == ["meta", "cpu"]


def test_the_study_brings_them_home(card, monkeypatch, tmp_path):
    made, teacher = [], Located()
    located(monkeypatch, distillation, made)
    monkeypatch.setattr(
        distillation.checkpoints, "load", lambda name: training.checkpoints.Checkpoint("t", teacher, {})
    )
    monkeypatch.setattr(distillation.copy, "deepcopy", lambda network: network)
    study = distillation.Study(
        steps=3, seeds=2, rates=(1e-3,), batch=2, crop=32, leaves=0, labelled=2, pair_side=48, taps=("body", "body")
    )
    distillation.run(study, tmp_path, ["hint", "hint-first"], progress=False, regimes=["label-poor"])
    assert_all_home([*made, teacher])
    assert teacher.worked == {"cpu", "meta"}  # before training, where weights are set, and in it


def test_tuning_the_optimizers_brings_them_home(card, monkeypatch):
    made = []
    located(monkeypatch, rates, made)
    monkeypatch.setattr(rates, "GRID", (1e-3,))
    monkeypatch.setattr(rates, "OPTIMIZERS", {"adam": None})
    rates.tune_rates(RECIPES["report-a"], steps=2)
    assert_all_home(made)


def test_the_study_of_optimizers_measures_where_it_trains(card, monkeypatch, tmp_path):
    made = []
    located(monkeypatch, optimizers, made)
    monkeypatch.setattr(optimizers, "_teacher", lambda *a: made[0])
    made.append(Located())
    monkeypatch.setattr(
        optimizers, "Distillation", lambda s, t, a, **k: Distillation(s, t, a, **k | {"taps": ("body",) * 2})
    )
    optimizers.run(optimizers.OPTIMIZER_PROFILES["smoke"], tmp_path, ["adam"], ["equal"], progress=False)
    assert_all_home(made)


def test_a_score_is_computed_where_the_network_is():
    seen = []

    class There(nn.Linear):
        def forward(self, image):
            seen.append(image.device.type)
            return torch.zeros(image.shape)

    mean_psnr(There(1, 1, device="meta"), [("x", *BATCH[:, :1])])
    mean_psnr(nn.Identity(), [("x", *BATCH[:, :1])])
    mean_psnr(lambda image: image, [("x", *BATCH[:, :1])])  # a filter has no weights
    assert seen == ["meta"]


def test_moved_gives_each_back_to_where_it_was_even_after_an_error():
    network = nn.Linear(2, 2)
    with pytest.raises(ZeroDivisionError), moved(CPU, network, nn.Identity()):
        raise ZeroDivisionError
    assert device_of(network) == device_of(nn.Identity()) == CPU
    assert device_of(network.to(CARD)) == CARD


def test_helpers_serve_a_card_and_leave_the_cpu_alone(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(4)), raising=False)
    assert [helpers(torch.device(each)) for each in ("cpu", "mps", "cuda")] == [0, 0, 3]
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(64)))
    assert helpers(torch.device("cuda")) == 8
    monkeypatch.setattr("sys.platform", "win32")
    assert helpers(torch.device("cuda")) == 0


def test_provenance_names_the_device_that_trains(card):
    assert provenance.device_name().startswith("meta")


def test_plans_hold_no_device():
    assert not any("device" in name for name in (*vars(TrainConfig()), *Stage.__dataclass_fields__))
