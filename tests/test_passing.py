"""After how many steps a report's student passes its input: the arms differ in the skip alone; the words are right."""

import pytest
import torch
from torch import nn

from kdsharp import claims, tables
from kdsharp.checks import UsageError
from kdsharp.models import build
from kdsharp.plots.narrow import narrowed
from kdsharp.study import passing


def test_a_skip_adds_the_input_and_a_sigmoid_may_take_away():
    image = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(passing.WithSkip(nn.Tanh())(image), image + image.tanh())
    half = passing.WithSkip(nn.Sigmoid(), sigmoid=True)
    torch.testing.assert_close(half(torch.zeros(1, 3, 4, 4)), torch.zeros(1, 3, 4, 4))
    for name in passing.ENDS_IN_A_SIGMOID:
        answer = build(name)(10 * torch.randn(1, 3, 16, 16))
        assert 0 <= answer.min() < answer.max() <= 1


def test_the_study_scores_both_arms_on_the_way_and_keeps_its_runs(kdsharp, tmp_path):
    words = ["study", "passing", "--system", "report-e-repaired", "--steps", 40, "--out", tmp_path / "out"]
    done = kdsharp(*words, "--table", tmp_path / "table.csv")
    assert done.returncode == 0, done.stderr
    found = tables.read(tmp_path / "table.csv")
    assert "--steps 40" in found.note
    assert [row["step"] for row in found.rows] == 2 * list(range(2, 41, 2))
    described, skipped = passing.courses(found.rows)
    assert (described.arm, skipped.arm) == tuple(passing.ARMS)
    assert described.gains[-1] < skipped.gains[-1] < 1  # after forty steps the one still draws, the other only adds
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "out").glob("*.json"))
    again = kdsharp(*words)
    assert again.returncode == 0
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "out").glob("*.json")) == before
    assert tables.read(tmp_path / "out" / "table.csv").rows == found.rows


def test_passed_is_the_step_from_which_on_it_stays_above():
    way = passing.Course("report-a", "as described", (10, 20, 30, 40), (-1.0, 0.2, -0.1, 0.3))
    assert (way.passed, way.said) == (40, "from 40 on")
    stays = passing.Course("report-a", "as described", (10, 20), (0.1, 0.2))
    assert (stays.passed, stays.said) == (10, "from 10 on")
    never = passing.Course("report-a", "as described", (500, 1000), (0.1, -0.2))
    assert (never.passed, never.said) == (None, "not in 1,000")


def test_gains_are_over_the_systems_own_input():
    rows = [{"system": "report-d", "arm": "with a skip", "step": 50, "psnr": claims.kept("report-d")["input"].psnr + 1}]
    assert passing.courses(rows)[0].gains == pytest.approx((1.0,))


def test_a_system_that_it_does_not_have_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="report-e-repaired"):
        passing.run(tmp_path, ["report-e"])


def ways(ends):
    """Both arms of some systems, whose gains rise to the given ends."""
    return [
        passing.Course(name, arm, (50, 100), (end - 1, end))
        for name, pair in ends.items()
        for arm, end in zip(passing.ARMS, pair, strict=True)
    ]


def test_the_table_and_the_figure_have_both_arms_of_each_system_under_its_letter():
    found = ways({"report-a": (-2.0, 0.5), "report-e-repaired": (-0.5, 1.5)})
    _, _, first, last = passing.table(found).splitlines()
    assert first == "| A | -2.00 | not in 100 | +0.50 | from 100 on |"
    assert last == "| E repaired | -0.50 | not in 100 | +1.50 | from 50 on |"
    wide = passing.figure(found)
    for made in (wide, narrowed(wide)):
        assert [axes.get_title() for axes in made.axes] == list(passing.ARMS)
        assert [line.get_label() for line in made.axes[1].lines][:2] == ["A", "E repaired"]
        assert [list(axes.lines[1].get_ydata()) for axes in made.axes] == [[-1.5, -0.5], [0.5, 1.5]]
    assert narrowed(wide).get_figwidth() < wide.get_figwidth()
