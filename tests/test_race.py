"""The race of lesson 07: equal work, tuned rates, equal steps and equal time."""

import dataclasses

import pytest

from kdsharp import tables
from kdsharp.checks import UsageError
from kdsharp.models import build, count_macs
from kdsharp.study import race

TINY = race.RaceStudy(steps=2, crop=32, batch=1, seeds=2, rates=(1e-3, 3e-3))


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("race")
    return folder, race.run(TINY, folder, progress=False)


def test_both_do_the_same_work_a_pixel():
    macs = [count_macs(build(name), 64, 64) for name in race.CONTESTANTS.values()]
    assert max(macs) < 1.01 * min(macs)


def test_each_races_at_the_rate_that_was_best_on_the_validation_photos(raced):
    _, rows = raced
    for name in race.CONTESTANTS:
        tried = {row["learning_rate"]: row["psnr"] for row in rows if row["run"] == "tried" and row["network"] == name}
        assert set(tried) == set(TINY.rates)
        chosen = {row["learning_rate"] for row in rows if row["run"] == "race" and row["network"].startswith(name)}
        assert chosen == {max(tried, key=tried.__getitem__)}


def test_the_longer_run_has_as_many_steps_as_fit_into_the_seconds(raced):
    _, rows = raced
    ends = {(row["network"], row["seed"]): row for row in rows if row["run"] == "race"}
    for seed in range(TINY.seeds):
        slow, quick = ends[race.RESTORMER, seed]["seconds"], ends[race.UNET, seed]["seconds"]
        assert ends[race.LONGER, seed]["step"] == 10 * max(1, round(TINY.steps * slow / quick / 10))


def test_a_finished_run_is_not_run_again_and_its_times_stay(raced):
    folder, rows = raced
    assert len(list(folder.glob("unet-race, rate *.safetensors"))) == len(TINY.rates)
    assert race.run(TINY, folder, progress=False) == rows
    with pytest.raises(UsageError, match="other settings"):
        race.run(dataclasses.replace(TINY, steps=1), folder, progress=False)


def test_final_and_curve_read_the_table(raced, tmp_path):
    _, rows = raced
    tables.write(tmp_path / "race.csv", "made here", rows)
    read = tables.read(tmp_path / "race.csv").rows
    ends = race.final(read)
    assert list(ends) == [race.RESTORMER, race.UNET, race.LONGER]
    assert [len(scores) for scores in ends.values()] == [2, 2, 2]
    seconds, scores = race.curve(read, race.UNET)
    assert len(seconds) == len(scores) == 2
    assert scores[-1] == pytest.approx(sum(ends[race.UNET]) / 2, abs=1e-3)
