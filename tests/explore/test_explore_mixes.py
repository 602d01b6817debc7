"""Alpha and labels: what a position says, which mix is best, and that its picture is that student's."""

import csv
import itertools

import pytest
import torch
from matplotlib.figure import Figure

from kdsharp import checkpoints, sweep
from kdsharp.explore.mixes import Mixes, _chart, best_mix, by_labels, gains_of, told, words
from kdsharp.models import build

ALPHAS, LABELS, SEEDS = (0.0, 0.5, 1.0), (0.0, 2.0), (0, 1, 2)
GAINS = {(0.0, 2.0): 0.5, (0.5, 2.0): 0.8, (0.0, 0.0): -0.4, (0.5, 0.0): 0.01}


@pytest.fixture
def grid(tmp_path):
    """Two pairs: the mix pays; a label for every crop: the teacher alone does harm. The students differ in one bias."""
    rows = []
    for alpha, labels, seed in itertools.product(ALPHAS, LABELS, SEEDS):
        noise = 0.02 * (seed - 1) if alpha < 1 else 0
        alone = 27.9 if labels else 30.0
        rows.append(
            [alpha, labels, seed, alone + seed + GAINS.get((alpha, labels), 0) + noise, 29.0, 0.9, 7, "float32", 1, "x"]
        )
        network = build("unshuffle-mini", 0)
        with torch.no_grad():
            list(network.parameters())[-1].fill_(0.1 * alpha + 0.01 * labels)
        checkpoints.save(
            tmp_path / f"alpha-{alpha:g}-labels-{labels:g}.safetensors", network, "unshuffle-mini", half=True
        )
    names = [
        "alpha",
        "labels",
        "seed",
        "psnr",
        "psnr_input",
        "ssim_to_teacher",
        "steps",
        "precision",
        "seconds",
        "commit",
    ]
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return sweep.load_grid(tmp_path)


def test_a_position_says_better_worse_or_no_gain_and_when_it_is_below_its_input(grid):
    assert told(grid, 0.5, 2) == "alpha 0.5, 2 labelled pairs: better, +0.80 ± 0.05 dB"
    assert told(grid, 0, 0) == "alpha 0, a label for every crop: worse, -0.40 ± 0.05 dB"
    assert told(grid, 0.5, 0) == "alpha 0.5, a label for every crop: no gain, +0.01 ± 0.05 dB"
    assert told(grid, 1, 2) == "alpha 1, 2 labelled pairs: the student alone; 0.10 dB below its own input"


def test_the_best_mix_walks_with_the_labels(grid):
    assert by_labels(grid) == [2, 0]
    assert best_mix(grid, 2) == 0.5
    assert best_mix(grid, 0) in (0.5, 1)


def test_gains_are_a_line_with_whiskers(grid):
    alphas, means, halves = gains_of({alpha: grid.gains(alpha=alpha, labels=2) for alpha in (0, 0.5)})
    assert alphas == [0, 0.5]
    assert means == pytest.approx([0.5, 0.8])
    assert halves == pytest.approx([0.0497, 0.0497], abs=1e-3)


def test_the_other_numbers_of_labels_have_names_and_keep_their_dashes():
    mixes = sweep.load_grid("labels")
    seen = {}
    for labels in mixes.values("labels"):
        axes = Figure().add_axes((0, 0, 1, 1))
        _chart(axes, mixes, 0.5, labels)
        named = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
        assert set(named) == {words(other) for other in mixes.values("labels") if other != labels}
        for name, line in named.items():
            seen.setdefault(name, set()).add(str(line._dash_pattern))
    assert all(len(dashes) == 1 for dashes in seen.values())
    assert len(set.union(*seen.values())) == len(mixes.values("labels"))


def test_the_picture_is_that_students(grid):
    blurred = torch.rand(1, 3, 100, 104, generator=torch.Generator().manual_seed(0))
    mixes = Mixes(grid, blurred, blurred.flip(-1), at=(1, 2))
    shown, alone = mixes.render(0.5, 2), mixes.render(0.5, 2, alone=True)
    assert shown.content != alone.content
    assert shown.alt == alone.alt
    assert shown.narrow is not None
    assert mixes.restored(0.5, 2).shape == blurred.shape
    assert not torch.equal(mixes.restored(0.5, 2), mixes.restored(1, 2))
    assert "better, +0.80" in shown.alt
