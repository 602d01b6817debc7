"""The blind test: order, blinding, the file, and sums whose intervals end where their scale does."""

import csv
import itertools
import json

import numpy as np
import pytest
import torch
from scipy import optimize, stats

from kdsharp.checks import UsageError
from kdsharp.course import eyes, rounds

SYSTEMS = ("softest", "middle", "crispest")
SCENES = ("wall", "tree", "face", "sky")
STRENGTH = {"softest": 0.02, "middle": 0.06, "crispest": 0.2}


def made_pictures():
    """Noise of a strength that grows from system to system stands for detail; each scene has its own."""
    generator = torch.Generator().manual_seed(0)
    scenes = {scene: torch.rand(1, 3, 40, 48, generator=generator) for scene in SCENES}
    return {system: {scene: 0.4 + STRENGTH[system] * scenes[scene] for scene in SCENES} for system in SYSTEMS}


@pytest.fixture(scope="module")
def pictures():
    return made_pictures()


def test_every_picture_is_rated_once_and_every_pair_compared_once(pictures):
    rating = eyes.BlindTest(pictures, {}, seed=3)
    assert {(asked.scene, *asked.systems) for asked in rating.rounds} == set(itertools.product(SCENES, SYSTEMS))
    assert len(rating.rounds) == 12
    pairs = eyes.BlindTest(pictures, {}, seed=3, mode="pairwise")
    met = {(asked.scene, *sorted(asked.systems)) for asked in pairs.rounds}
    assert len(pairs.rounds) == len(met) == 12


@pytest.mark.parametrize("mode", eyes.MODES)
def test_the_seed_decides_the_order_and_the_name_under_which_answers_are_kept(pictures, mode):
    first, again, other = (eyes.BlindTest(pictures, {}, seed, mode) for seed in (0, 0, 1))
    assert first.rounds == again.rounds != other.rounds
    assert first.facts(False)["id"] == again.facts(False)["id"] != other.facts(False)["id"]


def test_each_system_is_a_about_half_of_the_time(pictures):
    made = [eyes.BlindTest(pictures, {}, seed, "pairwise").rounds for seed in range(40)]
    first = [asked.systems[0] < asked.systems[1] for each in made for asked in each]
    assert 0.4 < np.mean(first) < 0.6


@pytest.mark.parametrize("mode", eyes.MODES)
def test_where_no_script_runs_round_1_is_shown_and_nobody_has_rated(pictures, mode):
    test = eyes.BlindTest(pictures, {}, 0, mode)
    still = test.still()
    assert "Nobody has rated here: this is round 1 of 12" in still
    assert not any(system in still for system in SYSTEMS)  # blind


@pytest.mark.parametrize("mode", eyes.MODES)
def test_under_a_kernel_each_answer_is_on_the_disk_at_once_and_a_new_kernel_goes_on(pictures, mode, tmp_path):
    file = tmp_path / "deep" / "answers.csv"
    widget = eyes.BlindTest(pictures, {}, 2, mode, file=file).widget()
    assert widget.facts["given"] == []
    for k in range(3):
        widget._handle_custom_msg({"round": k, "answer": 1 + k % 2}, [])
        with file.open(encoding="utf-8", newline="") as text:
            assert [row["answer"] for row in csv.DictReader(text)] == ["1", "2", "1"][: k + 1]
    widget._handle_custom_msg({"round": 2, "answer": 2}, [])  # a second page on the same kernel
    assert eyes.BlindTest(pictures, {}, 2, mode, file=file).widget().facts["given"] == [1, 2, 1]
    with pytest.raises(UsageError, match="belongs to another test"):
        eyes.BlindTest(pictures, {}, 3, mode, file=file).widget()
    widget._handle_custom_msg({"restart": True}, [])
    assert not file.exists()
    widget._handle_custom_msg({"round": 0, "answer": 2}, [])
    assert file.read_text(encoding="utf-8").endswith(",2\n")


def test_without_a_file_the_browser_is_asked_what_was_answered(pictures):
    assert eyes.BlindTest(pictures, {}, 2).facts(live=True)["given"] is None
    assert eyes.BlindTest(pictures, {}, 2, file="x.csv").facts(live=False)["given"] is None


def test_wrong_answers_and_wrong_pictures_are_refused(pictures):
    test = eyes.BlindTest(pictures, {}, 0)
    for wrong in (0, 6, 2.5, "5"):
        with pytest.raises(UsageError, match="must be one of 1, 2, 3, 4, 5"):
            test.answer(wrong)
    for _ in range(12):
        test.answer(3)
    with pytest.raises(UsageError, match="all 12 rounds are answered"):
        test.answer(3)
    with pytest.raises(UsageError, match="mode"):
        eyes.BlindTest(pictures, {}, 0, "stars")
    with pytest.raises(UsageError, match="at least two"):
        eyes.BlindTest({"a": pictures["middle"]}, {}, 0)


def test_formulas_are_means_over_scenes_and_the_truth_has_none(pictures):
    found = eyes.measured(pictures, "crispest", ("psnr", "ssim"))
    assert list(found) == ["PSNR", "SSIM"]
    errors = [((pictures["softest"][s] * 255).round() / 255 - pictures["crispest"][s]).square().mean() for s in SCENES]
    assert found["PSNR"]["softest"] == pytest.approx(np.mean(-10 * np.log10(errors)), abs=1e-4)
    assert "crispest" not in found["SSIM"]
    facts = eyes.BlindTest(pictures, found | {"GMSD": {"softest": 0.1}}, 0).facts(live=False)
    assert [each["less"] for each in facts["measured"]] == [False, False, True]
    assert facts["measured"][2]["values"] == [0.1, None, None]
    json.dumps(facts)


def test_grades_that_agree_are_no_more_certain_than_their_rounding():
    mean, low, high = rounds.graded([3, 3, 3, 3])
    half = stats.t.ppf(0.975, 3) / np.sqrt(12) / 2
    assert (mean, low, high) == pytest.approx((3, 3 - half, 3 + half))
    mean, low, high = rounds.graded([2, 4, 4, 3])
    expected = stats.t.interval(0.95, 3, 3.25, np.std([2, 4, 4, 3], ddof=1) / 2)
    assert (mean, low, high) == pytest.approx((3.25, *expected))


def test_no_interval_leaves_its_scale():
    for grades in itertools.product((1, 5), repeat=4):
        mean, low, high = rounds.graded(grades)
        assert 1 <= low <= mean <= high <= 5
    for count in (1, 4, 12):
        for wins in range(count + 1):
            part, low, high = rounds.share(wins, count)
            assert 0 <= low <= part <= high <= 1
            assert high > low
            expected = stats.binomtest(wins, count).proportion_ci(method="wilson")
            assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_bradley_and_terrys_strengths_have_the_highest_likelihood_and_stay_finite():
    wins = np.array([[0, 4, 4, 3], [0, 0, 3, 2], [0, 1, 0, 1], [1, 2, 3, 0]], float)
    counted = wins + 0.5 * (1 - np.eye(4))

    def loss(logs):
        return -(counted * -np.log1p(np.exp(logs[None, :] - logs[:, None]))).sum() + logs.sum() ** 2

    best = optimize.minimize(loss, np.zeros(4), tol=1e-12).x
    assert np.log(rounds.bradley_terry(wins)) == pytest.approx(best, abs=1e-4)
    assert np.isfinite(rounds.bradley_terry(np.array([[0.0, 9], [0, 0]]))).all()
