"""The reader's own point of a grid: trained as the sweep trains, and paired with the grid's own student alone."""

import pytest

from kdsharp import checkpoints, sweep
from kdsharp.explore.button import Stopped
from kdsharp.explore.point import OwnPoint
from kdsharp.recipes import RECIPES
from kdsharp.recipes.training import mean_psnr, train_stage

GRID = sweep.load_grid("temperature")
POINT = {"alpha": 0.5, "temperature": 2.0, "pull": 10.0}


def unwatched(step, loss):
    pass


@pytest.fixture(scope="module")
def here():
    return OwnPoint("alpha-temperature", GRID, 6, "smoke", photo=1, at=(65, 105))


def test_the_button_trains_what_the_sweep_trains(here, tmp_path):
    swept = train_stage(RECIPES["alpha-temperature"], "student", "smoke", tmp_path, progress=False, seed=1, **POINT)
    ours, steps = here.student(unwatched, **POINT)
    assert (here.seed, steps) == (1, here.steps)  # of five seeds in the grid, 6 is 1 again
    for mine, theirs in zip(ours.parameters(), checkpoints.load(swept).model.parameters(), strict=True):
        assert mine.allclose(theirs, atol=1e-6)


def test_in_full_it_has_the_grids_steps_and_labels():
    full = OwnPoint("alpha-temperature", GRID, 0)
    assert full.steps == GRID.steps
    assert (full.plan.labels, full.plan.weighting, full.plan.architecture) == (8, "pull", "unet-small")


def test_before_a_training_the_page_says_what_the_grid_found_nearest_to_her(here):
    gains = GRID.gains(alpha=0.5, temperature=1, pull=10)
    said = here.before(alpha=0.2, temperature=1.3, pull=5).alt
    assert said.startswith("measured at alpha 0.5, temperature 1, pull 10: better, ")
    assert f"{gains.mean():+.2f} ± " in said


@pytest.mark.long
def test_after_a_training_the_gain_is_over_the_grids_student_alone_of_that_seed(here):
    def until_three(step, loss):
        if step == 3:
            raise Stopped

    whole, part = here.train(unwatched, **POINT), here.train(until_three, **POINT)
    student, _ = here.student(unwatched, **POINT)
    gain = mean_psnr(student, here.pairs) - GRID.alone()[1]
    assert whole.alt.startswith(f"alpha 0.5, temperature 2, pull 10: {gain:+.2f} dB over alone, one seed. this photo")
    assert f"one seed after 3 of {here.steps} steps" in part.alt
    assert whole.narrow is not None
    assert whole.content != here.before(**POINT).content
