"""Stored tables: what is written comes back, and report A's table is what the report prints."""

import math

import pytest

from kdsharp import tables
from kdsharp.checks import UsageError
from kdsharp.study import standings


def test_what_is_written_comes_back(tmp_path):
    rows = [
        {"name": "adam", "epoch": 5, "psnr": 24.123456789, "loss": None},
        {"name": "sgd", "epoch": 10, "psnr": math.nan, "loss": 1.0},
    ]
    tables.write(tmp_path / "t.csv", "made here", rows)
    found = tables.read(tmp_path / "t.csv")
    assert found.note == "made here"
    assert found.rows[0] == {"name": "adam", "epoch": 5, "psnr": 24.1235, "loss": None}
    assert math.isnan(found.rows[1]["psnr"])
    assert isinstance(found.rows[1]["epoch"], int)


def test_a_table_says_where_it_comes_from(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="does not say in its first line"):
        tables.read(tmp_path / "t.csv")
    for path in tables.tables().values():
        assert len(tables.read(path).note) > 20
        assert path.stat().st_size < 100_000


def test_an_unknown_table_lists_all():
    with pytest.raises(UsageError, match=r"unknown table 'report-b'.*optimizers, passing, race, report-a"):
        tables.read("report-b")


def test_report_a_has_four_optimizers_ten_epochs_and_its_own_best_and_worst():
    rows = tables.read("report-a").rows
    assert len(rows) == 80
    assert {row["epoch"] for row in rows} == set(range(5, 51, 5))
    test = {(row["optimizer"], row["epoch"]): row for row in rows if row["split"] == "test"}
    assert test["rmsprop", 50] == {
        "optimizer": "rmsprop",
        "epoch": 50,
        "split": "test",
        "loss": 0.00543,
        "reconstruction": 0.00353,
        "feature": 0.00073,
        "psnr": 29,
    }
    assert max(test[key]["psnr"] for key in test if key[0] == "adadelta") == 13.89
    assert max(test[key]["psnr"] for key in test if key[0] == "adagrad") == 25.31
    assert test["adam", 45]["psnr"] == 28
    assert standings.falls([row for row in rows if row["optimizer"] == "adam"])[-1] == pytest.approx(
        (50, -9.16, -11.03)
    )
