"""What the reports claim, the rules that their numbers have to keep, and a shortened run of a recipe."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kdsharp import claims
from kdsharp.checks import UsageError
from kdsharp.metrics import psnr
from kdsharp.recipes import REPORTS


def test_every_report_claims_something_and_names_what_it_is_of():
    for report in "abcde":
        for claim in claims.claims(report):
            assert claim.value > 0
            if claim.measure in ("PSNR", "SSIM"):
                assert claim.value < (1 if claim.measure == "SSIM" else 60)
                assert claim.data
                assert claim.against
            else:
                assert claim.measure in ("epochs", "layers")
            assert claim.where
    with pytest.raises(UsageError):
        claims.claims("f")


def test_what_is_stated_twice_with_two_values_is_found():
    assert set(claims.disagreements("b")) == {("student", "SSIM"), ("training", "epochs")}
    assert len(claims.disagreements("c")["student", "SSIM"]) == 3
    assert not any(claims.disagreements(report) for report in "ade")


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "rmsprop", "adadelta"])
def test_the_tables_have_ten_rows_of_five_epochs_each(optimizer):
    rows = claims.epochs(optimizer)
    assert [row.epoch for row in rows] == list(range(5, 51, 5))
    best = max(row.psnr for row in rows)
    shown = next(c.value for c in claims.claims("a") if c.what.lower().endswith(optimizer))
    assert best == shown


def test_train_and_test_are_two_halves_of_a_row():
    assert claims.epochs("adam", "train")[0].psnr == 19.01
    assert claims.epochs("adam", "test")[0].psnr == 17.6


def test_a_mix_lies_between_its_parts():
    rng = np.random.default_rng(0)
    for _ in range(200):
        parts, alpha = rng.random(2), rng.random()
        assert claims.between(alpha * parts[0] + (1 - alpha) * parts[1], parts)
    assert not claims.between(0.3, (0.1, 0.2))
    assert not claims.between(0.05, (0.1, 0.2))


def test_the_mean_of_psnrs_is_never_below_the_psnr_of_the_mean_error():
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(6, 3, 16, 16, generator=generator)
    strength = torch.rand(6, 1, 1, 1, generator=generator)
    seen = truth + 0.1 * strength * torch.randn(truth.shape, generator=generator)
    mean = psnr(seen, truth).mean().item()
    assert mean > claims.implied_psnr((seen - truth).square().mean().item())
    one = (seen[:1] - truth[:1]).square().mean().item()
    assert math.isclose(claims.implied_psnr(one), psnr(seen[:1], truth[:1]).item(), rel_tol=1e-5)


@pytest.mark.parametrize("recipe", REPORTS)
def test_kept_runs_have_their_baselines(recipe):
    found = claims.kept(recipe)
    assert {"input", "unsharp", "student"} <= set(found)
    assert {row.protocol for row in found.values()} == {REPORTS[recipe].protocol}


def test_a_shortened_run_trains_and_scores_every_role():
    found = claims.rerun("report-e-repaired", "smoke", {"teacher": 2, "student": 3}, count=1)
    assert list(found.scores) == ["input", "unsharp", "teacher", "student"]
    assert found.gain("input") == 0
    assert found.gain("student") == pytest.approx(found.scores["student"].psnr - found.scores["input"].psnr)
    assert "report" not in claims.scores_table(found)
    assert claims.scores_table(found).count("\n") == 5
    assert "0.9931" in claims.claims_table("e")
    again = claims.train("report-e-repaired", "teacher", "smoke", 2)
    for ours, theirs in zip(again.parameters(), found.networks["teacher"].parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_the_same_steps_as_the_command_that_keeps_files(tmp_path):
    from kdsharp import checkpoints
    from kdsharp.recipes import train_stage

    path = train_stage(REPORTS["report-d"], "student", "smoke", tmp_path, progress=False)
    theirs = checkpoints.load(path).model
    teacher = claims.train("report-d", "teacher", "smoke")
    assert isinstance(teacher, nn.Module)
    ours = claims.train("report-d", "student", "smoke", teacher=teacher)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_readme_shows_the_kept_runs():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for recipe in REPORTS:
        cells = re.search(rf"^\| `{recipe}` \|(.*)\|$", text, re.MULTILINE)[1].split("|")
        shown = dict(zip(("input", "unsharp", "teacher", "student"), cells[1:5], strict=True))
        for role, row in claims.kept(recipe).items():
            assert shown[role].strip() == f"{row.psnr:.2f} / {row.ssim:.4f}", (recipe, role)


def test_a_kept_run_is_told_with_its_gain():
    table = claims.kept_table("report-e")
    assert "| input | 27.38 | +0.00 | 0.7722 |" in table
    assert "| student | 8.32 | -19.06 | 0.2205 |" in table


def test_whether_a_student_has_passed_its_input_is_told_either_way(monkeypatch):
    assert "| report-d | 1,000 | 15% | -1.86 | not in 1,000 steps |" in claims.passing_table(["report-d"])
    better = {
        role: claims.Kept("report-d", role, "bilinear-60", psnr, 0.9)
        for role, psnr in (("input", 31.0), ("student", 32.5))
    }
    monkeypatch.setattr(claims, "kept", lambda recipe: better)
    assert "| +1.50 | yes, within 1,000 steps |" in claims.passing_table(["report-d"])
