"""The optimizer study: one rule for all, records that are kept, sums that hold, and the paths of the explorer."""

import json
import math
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from kdsharp import claims, cli, tables
from kdsharp.checks import UsageError
from kdsharp.datasets import Epochs
from kdsharp.explore import descent
from kdsharp.recipes import rates
from kdsharp.study import OPTIMIZER_PROFILES, optimizers, standings
from kdsharp.train import OPTIMIZERS

TINY = OPTIMIZER_PROFILES["smoke"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("optimizers")
    return out, optimizers.run(TINY, out, ["adam", "rmsprop"], progress=False)


def test_an_epoch_shows_every_pair_once_and_always_in_the_same_order():
    blurred = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, 2, 2)
    epochs = Epochs(blurred, blurred + 1, 2, seed=3)
    assert len(epochs) == 3
    seen = [epochs[step][0][:, 0, 0, 0].tolist() for step in range(12)]
    for epoch in range(4):
        assert sorted(sum(seen[3 * epoch : 3 * epoch + 3], [])) == [0, 1, 2, 3, 4, 5]
    assert seen[:3] != seen[3:6]
    assert torch.equal(epochs[7][0] + 1, epochs[7][1])
    assert torch.equal(epochs[7][0], Epochs(blurred, blurred + 1, 2, seed=3)[7][0])
    with pytest.raises(UsageError, match="6 pairs do not make whole batches of 4"):
        Epochs(blurred, blurred, 4)


def test_the_tables_have_a_row_for_every_epoch_split_seed_and_rate(finished):
    rows = [row for row in finished[1] if row["rates"] != optimizers.TRIED]
    keys = {(row["rates"], row["optimizer"], row["seed"], row["epoch"], row["split"]) for row in rows}
    assert len(keys) == len(rows) == 2 * 2 * 2 * 2 * 2
    assert {row["learning_rate"] for row in rows if row["rates"] == "equal"} == {1e-3}
    for row in rows:
        assert claims.between(row["loss"], (row["reconstruction"], row["feature"]))
        assert row["psnr"] >= claims.implied_psnr(row["reconstruction"]) - 0.05


def test_a_rate_is_tuned_at_the_length_of_the_run_by_a_seed_and_photos_that_are_not_compared(finished):
    out, rows = finished
    tried = [row for row in rows if row["rates"] == optimizers.TRIED]
    assert {row["split"] for row in tried} == {"validation"}
    assert {row["seed"] for row in tried} == {TINY.seeds}
    assert {row["epoch"] for row in tried} == {1, 2} == {row["epoch"] for row in rows}
    for name, hill in optimizers.hills(rows).items():
        assert len(hill) >= 3
        best = max(hill, key=hill.__getitem__)
        assert {row["learning_rate"] for row in rows if (row["optimizer"], row["rates"]) == (name, "tuned")} == {best}
        assert (out / f"{name}, rate {best:g}, seed {TINY.seeds}.json").is_file()


def test_a_climb_ends_where_both_neighbours_are_lower():
    asked = []

    def score(rate):
        asked.append(rate)
        return -abs(math.log10(rate) + 2)

    tried = optimizers.climb(score, 1.0)
    assert max(tried, key=tried.__getitem__) == 0.01
    assert sorted(asked) == sorted(tried) == [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]
    assert optimizers.climb(lambda rate: -rate, 1e-4) == {1e-4: -1e-4, 3e-4: -3e-4}


def test_a_hill_counts_its_last_rows_and_a_run_that_diverged_is_lowest():
    row = {"rates": optimizers.TRIED, "optimizer": "sgd", "learning_rate": 0.1}
    fell = [row | {"psnr": each} for each in (5.0, 20.0, 22.0, 15.0)]
    lost = [row | {"learning_rate": 1.0, "psnr": each} for each in (20.0, math.nan)]
    assert optimizers.hills([*fell, *lost, row | {"rates": "tuned", "psnr": 30.0}]) == {
        "sgd": {0.1: 19.0, 1.0: -math.inf}
    }


def test_runs_are_kept(finished, monkeypatch):
    out, rows = finished
    monkeypatch.setattr(optimizers, "fit", None)
    assert optimizers.run(TINY, out, ["adam", "rmsprop"], progress=False) == rows
    with pytest.raises(UsageError, match="holds a study with other settings"):
        optimizers.run(replace(TINY, epochs=3), out, progress=False)
    with pytest.raises(UsageError, match="unknown optimizer 'adams'"):
        optimizers.run(TINY, out, ["adams"], progress=False)


def test_a_run_that_diverges_ends_in_nan(tmp_path, monkeypatch):
    monkeypatch.setattr(optimizers, "EQUAL_RATE", 1e6)
    study = replace(TINY, epochs=6, seeds=2)
    data = optimizers.pairs(study)
    teacher = optimizers.build(study.teacher)
    record = optimizers._train(study, data, teacher, "sgd", 1e6, 0)
    assert [row["epoch"] for row in record["rows"] if row["split"] == "test"] == [1, 2, 3, 4, 5, 6]
    assert math.isnan(record["rows"][-1]["psnr"])
    lost = {"rates": "equal", "optimizer": "sgd", "learning_rate": 1e6, "seed": 0}
    assert standings.finals([lost | row for row in record["rows"]])[0].verdict == "diverged"


def test_every_optimizer_trains_alike_but_for_its_own_rules():
    configs = {name: optimizers.config_of(TINY, name, 1e-3, 0) for name in OPTIMIZERS}
    alike = {replace(config, optimizer="adam", weight_decay=0.0) for config in configs.values()}
    assert len(alike) == 1
    assert {name for name, config in configs.items() if config.weight_decay} == {"adamw"}


def test_no_photo_is_in_both_splits():
    data = optimizers.pairs(TINY)
    assert {split: tuple(sharp.shape) for split, (_, sharp) in data.items()} == {
        "train": (2, 3, 32, 32),
        "validation": (2, 3, 32, 32),
        "test": (2, 3, 32, 32),
    }
    assert not torch.equal(data["train"][1], data["test"][1])
    assert not torch.equal(data["validation"][1], data["test"][1])


@pytest.mark.parametrize(("total", "right"), [(0.2, True), (0.4, True), (0.3, True), (0.41, False), (0.19, False)])
def test_a_mix_lies_between_its_parts(total, right):
    assert claims.between(total, (0.4, 0.2)) is right
    assert claims.between(total, (0.2, 0.4)) is right


def test_no_batch_has_a_lower_mean_psnr_than_its_loss_allows():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        error = torch.rand(5, 100, generator=generator) * torch.rand(5, 1, generator=generator)
        mean = (-10 * error.square().mean(1).log10()).mean().item()
        assert mean >= claims.implied_psnr(error.square().mean().item()) - 1e-4
        assert mean >= claims.implied_psnr(error.mean().item()) - 1e-4


ROWS = [
    {
        "rates": "equal",
        "optimizer": name,
        "learning_rate": 0.001,
        "seed": seed,
        "epoch": 5,
        "split": split,
        "loss": 0.1,
        "reconstruction": 0.1,
        "feature": 0.1,
        "psnr": psnr + seed,
    }
    for name, psnr in (("adam", 20.0), ("sgd", 18.0))
    for seed in (0, 1, 2)
    for split in ("train", "test")
]


def test_standings_are_paired_by_seed():
    adam, sgd = standings.finals(ROWS)
    assert adam.verdict == "the baseline"
    assert adam.half_width == pytest.approx(4.303 / 3**0.5, rel=1e-3)
    assert (sgd.gain, sgd.gain_half_width, sgd.verdict) == (-2.0, 0.0, "worse")
    assert standings.markdown([adam, sgd]).count("\n") == 4
    assert standings.mean_table(ROWS, "sgd")[1]["psnr"] == 19.0
    table = standings.report_table(standings.mean_table(ROWS, "sgd"))
    assert "| 5 | 100.00 | 100.00 | 100.00 | 19.00 | 100.00 |" in table
    assert standings.report_table([row | {"loss": None} for row in ROWS[:2]]).splitlines()[2].startswith("| 5 |  | 100")
    axes = standings.figure([adam, sgd], 21.0).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["adam", "sgd"]


def test_the_command_leaves_table_figure_and_rows(tmp_path):
    command = [
        "study",
        "optimizers",
        "--profile",
        "smoke",
        "--optimizer",
        "adam",
        "--table",
        str(tmp_path / "rows.csv"),
        "--out",
        str(tmp_path / "o"),
    ]
    done = CliRunner().invoke(cli.app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "adam" in done.output
    found = tables.read(tmp_path / "rows.csv")
    assert found.note.startswith("kdsharp study optimizers --profile smoke: report-a-student, 2 epochs")
    assert len([row for row in found.rows if row["rates"] != "tried"]) == 16
    assert (tmp_path / "o" / "figure.webp").stat().st_size > 1000
    assert "| equal | adam | 0.001 |" in (tmp_path / "o" / "table.md").read_text()
    assert json.loads((tmp_path / "o" / "study.json").read_text())["epochs"] == 2


def test_what_is_stored_covers_every_optimizer_at_both_rates():
    study, every = optimizers.stored()
    rows = [row for row in every if row["rates"] != optimizers.TRIED]
    assert {(row["rates"], row["optimizer"]) for row in rows} == {
        (kind, name) for kind in optimizers.RATES for name in OPTIMIZERS
    }
    best = {name: max(hill, key=hill.__getitem__) for name, hill in optimizers.hills(every).items()}
    assert {row["optimizer"]: row["learning_rate"] for row in rows if row["rates"] == "tuned"} == best
    assert len(rows) == 2 * len(OPTIMIZERS) * study.seeds * 2 * study.epochs // study.every


def test_the_best_of_the_tried_rates_is_the_tuned_one():
    for name in OPTIMIZERS:
        tried = rates.tried_rates(name)
        assert max(tried, key=tried.__getitem__) == rates.tuned_rate(name)
    assert rates.tried_rates("sgd")[1.0] == -math.inf


def test_plain_momentum_walks_as_on_paper():
    """v = 0.9 v + g, w = w - rate v, by hand, along one axis of the valley."""
    weight, memory, expected = descent.START[0], 0.0, [descent.START[0]]
    for _ in range(5):
        memory = 0.9 * memory + weight
        weight -= 0.1 * memory
        expected.append(weight)
    assert descent.path("sgd", 0.1, 3.0, 5)[:, 0].tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rate", [0.001, 10])
@pytest.mark.parametrize("steepness", [1, 80])
def test_corners_of_the_valley(rate, steepness):
    picture = descent.render_descent(rate, steepness, steps=10)
    assert picture.width == 720
    assert picture.content == descent.render_descent(rate, steepness, steps=10).content
    assert all(name in picture.alt for name in OPTIMIZERS)
    assert ("sgd left the valley" in picture.alt) == (rate == 10)
