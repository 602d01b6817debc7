"""The doctor: each cause is made on purpose and found, and a sound student is left in peace."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from kdsharp import checkpoints
from kdsharp.checks import UsageError
from kdsharp.distill import Distillation
from kdsharp.filters.spatial import blur
from kdsharp.models import build
from kdsharp.study import doctor
from kdsharp.train import Supervised

SHARP = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
BATCH = (blur(SHARP, 1.0), SHARP)
PAIRS = [("a", BATCH[0][:1], SHARP[:1])]


class Off(nn.Module):
    """Answers its input with an error of a size: the larger, the worse the network."""

    def __init__(self, size):
        super().__init__()
        self.size = nn.Parameter(torch.tensor(float(size)))

    def forward(self, image):
        return image + self.size


def awake():
    """A small student whose last layer is not zero, so that every term pulls."""
    network = build("unshuffle-mini")
    nn.init.normal_(network.head[0].weight, std=0.02)
    return network


def test_a_student_below_its_input_is_found_and_a_better_one_is_not():
    assert doctor.baseline(Off(0.3), PAIRS, "shake").found
    assert not doctor.baseline(lambda image: SHARP[:1], PAIRS, "shake").found


def test_a_teacher_below_its_student_is_found():
    assert doctor.teacher_below(Off(0.01), Off(0.2), PAIRS).found
    assert not doctor.teacher_below(Off(0.2), Off(0.01), PAIRS).found


@pytest.mark.parametrize(("weight", "found"), [(1.0, False), (1000.0, True), (1e-4, True)])
def test_a_side_that_drowns_the_other_is_found(weight, found):
    step = Distillation(awake(), Off(0.05), 0.5, terms={"output": weight})
    finding = doctor.scale_of_terms(step, BATCH)
    assert finding.found == found, finding.said


def test_alpha_on_the_other_side_is_found():
    assert doctor.side_of_alpha(0.1, teacher_named=True).found
    assert "has no say" in doctor.side_of_alpha(1.0, teacher_named=True).said
    assert not doctor.side_of_alpha(1.0, teacher_named=False).found
    assert not doctor.side_of_alpha(0.5, teacher_named=True).found


@pytest.mark.parametrize(("learning_rate", "found"), [(3e-3, False), (1e-7, True), (3.0, True)])
def test_a_rate_that_cannot_learn_one_batch_is_found(learning_rate, found):
    finding = doctor.rate("unshuffle-mini", learning_rate, BATCH)
    assert finding.found == found, finding.said


def test_a_teacher_that_differs_in_training_mode_is_found():
    noisy = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    assert doctor.teacher_mode(noisy, BATCH[0]).found
    assert noisy.training  # the one that was handed over stays as it was
    assert not doctor.teacher_mode(build("unet-mini"), BATCH[0]).found


def test_weights_that_are_no_number_or_half_are_found():
    broken = awake()
    with torch.no_grad():
        next(broken.parameters()).fill_(float("nan"))
    assert doctor.digits(Supervised(broken), BATCH).said == "some weights are no number"
    assert doctor.digits(Supervised(awake().bfloat16()), BATCH).said == "weights are stored in half precision"


def test_a_term_that_bf16_changes_is_found_and_one_that_it_does_not_change_is_not():
    class Term(nn.Module):
        def __init__(self, scale):
            super().__init__()
            self.student, self.scale = nn.Conv2d(3, 3, 1), scale
            nn.init.dirac_(self.student.weight)
            nn.init.zeros_(self.student.bias)

        def forward(self, blurred, sharp):
            answer = self.student(blurred).float()
            return {"loss": (answer - blurred - self.scale).abs().mean()}

    assert doctor.digits(Term(1e-5), BATCH).found  # the difference is smaller than the rounding
    assert not doctor.digits(Term(0.5), BATCH).found


def test_a_checkpoint_of_ones_own_is_diagnosed_by_what_it_says_of_itself(tmp_path, kdsharp):
    path = checkpoints.save(
        tmp_path / "mine.safetensors",
        awake(),
        "unshuffle-mini",
        protocol="shake",
        alpha=0.1,
        teacher=None,
        loss="charbonnier",
    )
    done = kdsharp("study", "doctor", path, "--rate", "3e-3")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "below its baseline" in done.stdout
    assert "look here" in done.stdout
    assert "names no teacher" in " ".join(done.stdout.split())


def test_a_foreign_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        doctor.diagnose(str(tmp_path / "none.safetensors"))


def test_the_page_has_a_remedy_for_every_cause():
    root = Path(doctor.__file__).parents[2]
    page = (root / "book" / "doctor.md").read_text(encoding="utf-8")
    causes = set(re.findall(r'Finding\("([^"]+)"', Path(doctor.__file__).read_text(encoding="utf-8")))
    assert len(causes) == 7
    assert not [cause for cause in causes if f"| **{cause}** |" not in page]


def test_the_pages_example_is_what_it_says_of_the_bundled_student():
    page = (Path(doctor.__file__).parents[2] / "book" / "doctor.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z ]+) \| no \| (.+) \|$", page, re.MULTILINE))
    assert len(rows) == 3
    number = r"\d+\.\d+"
    said = {each.cause: each.said for each in doctor.diagnose("small")}
    for cause, words in rows.items():
        assert re.sub(number, "", words) == re.sub(number, "", said[cause])
        shown, measured = ([float(each) for each in re.findall(number, text)] for text in (words, said[cause]))
        assert shown == pytest.approx(measured, abs=0.02)
