"""The table: what stands in it, and that its numbers are those of the metrics."""

import json
import math

import numpy as np
import pytest
import scipy.stats
import skimage.metrics
import torch
from torch import nn

from kdsharp import degrade, evaluate
from kdsharp.checks import UsageError
from kdsharp.datasets import PairedFolder, Photo, photos, synthetic_pairs
from kdsharp.evaluate import contestants, mean_interval
from kdsharp.filters import log_sharpen
from kdsharp.images import quantize, write
from kdsharp.tune import settings

GENERATOR = torch.Generator().manual_seed(0)
PAIRS = [(str(i), *quantize(torch.rand(2, 1, 3, 24 + i, 32, generator=GENERATOR))) for i in range(3)]


def table(functions, pairs=PAIRS, **options):
    return evaluate.evaluate(functions, pairs, "shake", timing=False, **options)


def test_input_and_unsharp_always_come_first():
    assert list(contestants([], "shake")) == ["input", "unsharp"]
    found = contestants(["small", "input", "small"], "shake")
    assert list(found) == ["input", "unsharp", "small"]
    assert [row.model for row in table(found)] == ["input", "unsharp", "small"]


def test_an_unknown_model():
    with pytest.raises(UsageError, match="unknown model 'smal'"):
        contestants(["smal"], "shake")


def test_the_row_of_the_input_is_that_of_scikit_image():
    (row,) = table({"input": nn.Identity()})
    arrays = [(x[0].numpy(), y[0].numpy()) for _, x, y in PAIRS]
    psnr = [skimage.metrics.peak_signal_noise_ratio(y, x, data_range=1.0) for x, y in arrays]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0}
    ssim = [skimage.metrics.structural_similarity(x, y, data_range=1.0, **settings) for x, y in arrays]
    assert (row.model, row.protocol, row.images, row.parameters) == ("input", "shake", 3, 0)
    assert row.psnr == pytest.approx(np.mean(psnr), abs=1e-4)
    assert row.ssim == pytest.approx(np.mean(ssim), abs=1e-4)
    assert row.ssim_volumetric != pytest.approx(row.ssim, abs=1e-4)
    assert math.isnan(row.ms_per_megapixel)


def test_outputs_are_clamped_and_rounded_before_they_are_scored():
    sharp = torch.ones(1, 3, 16, 16)
    (row,) = table({"too bright": lambda image: image + 0.3}, [("a", sharp * 204 / 255, sharp)])
    assert row.psnr == 100  # perfect, and a mean with others stays finite
    (row,) = table({"between": lambda image: image + 0.4 / 255}, [("a", sharp * 0, sharp * 0)])
    assert row.psnr == 100


def test_a_row_is_json_and_counts_the_parameters():
    (row,) = table({"convolution": nn.Conv2d(3, 3, 5, padding=2)})
    assert row.as_dict()["parameters"] == 3 * 3 * 25 + 3
    assert list(json.loads(json.dumps(row.as_dict()))) == [
        "model", "protocol", "images", "psnr", "ssim", "ssim_volumetric", "parameters", "ms_per_megapixel",
        "worst", "worst_gain", "below", "measures",
    ]  # fmt: skip


def test_pairs_are_taken_one_at_a_time():
    alive = []

    def stream():
        for pair in PAIRS:
            alive.append(pair[0])
            yield pair

    def note(image):
        assert image.shape[2] == 24 + int(alive[-1])
        return image

    table({"note": note}, stream())
    assert alive == ["0", "1", "2"]


def test_no_pairs():
    with pytest.raises(UsageError, match="no pairs were found"):
        table({"input": nn.Identity()}, [])


def test_timing_is_asked_for_per_function(monkeypatch):
    monkeypatch.setattr(evaluate, "milliseconds_per_megapixel", lambda function: 12.5)
    (row,) = evaluate.evaluate({"input": nn.Identity()}, PAIRS, "shake")
    assert row.ms_per_megapixel == 12.5


def test_milliseconds_per_megapixel_is_the_median_after_one_warm_up(monkeypatch):
    clock = iter([0, 100, 100, 101, 101, 103, 103, 108])  # seconds: 100 for the warm-up, then 1, 2 and 5
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    seen = []
    found = evaluate.milliseconds_per_megapixel(lambda image: seen.append(tuple(image.shape)))
    assert seen == [(1, 3, 720, 1280)] * 4
    assert found == pytest.approx(2000 / 0.9216)
    assert evaluate.milliseconds_per_megapixel(nn.Identity()) == 0


def test_filters_stand_between_unsharp_and_the_models():
    found = contestants([], "shake", ["polyblur", "unsharp", "log", "log"])
    assert list(found) == ["input", "unsharp", "polyblur", "log"]
    expected = log_sharpen(PAIRS[0][1], **settings("log", "shake"))
    torch.testing.assert_close(found["log"](PAIRS[0][1]), expected)


def test_an_unknown_filter():
    with pytest.raises(UsageError, match="unknown filter 'wavelets' .*did you mean 'wavelet'"):
        contestants([], "shake", ["wavelets"])


@pytest.mark.parametrize(("protocol", "least"), [("shake", 4), ("gaussian-256", 3)])
def test_oracles_win_because_each_picture_comes_with_its_own_psf(protocol, least):
    pictures = [Photo(each.name, each.pixels[60:188, 60:200]) for each in photos("validation")]
    pairs = list(synthetic_pairs(degrade.protocol(protocol), pictures))
    found = evaluate.oracles(["wiener", "richardson-lucy"], protocol, len(pairs))
    assert list(found) == ["wiener (true PSF)", "richardson-lucy (true PSF)"]
    rows = evaluate.evaluate({"input": nn.Identity()} | found, pairs, protocol)
    assert min(row.psnr for row in rows[1:]) > rows[0].psnr + least
    assert all(math.isnan(row.ms_per_megapixel) for row in rows[1:])
    if protocol == "shake":  # exchanged PSFs: the right ones are what wins
        for oracle in found.values():
            oracle.psfs.reverse()
        exchanged = evaluate.evaluate(found, pairs, protocol)
        assert max(row.psnr for row in exchanged) < rows[0].psnr


@pytest.mark.parametrize("protocol", ["bilinear-60", "bicubic-4x", "gaussian-256-down", "gopro"])
def test_oracles_refuse_where_no_psf_is_known(protocol):
    with pytest.raises(UsageError, match="wiener needs the true PSF, .* use shake or gaussian-256"):
        evaluate.oracles(["wiener"], protocol, 2)


def test_real_pairs_come_as_tensors_in_order(tmp_path):
    arrays = np.random.default_rng(0).integers(0, 256, (2, 2, 20, 24, 3), dtype=np.uint8)
    for index, pair in enumerate(arrays):
        for folder, pixels in zip(("input", "target"), pair, strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            write(tmp_path / folder / f"{index}.png", pixels)
    found = list(evaluate.real_pairs(PairedFolder(tmp_path)))
    assert [name for name, _, _ in found] == ["0", "1"]
    for (_, *pair), expected in zip(found, arrays, strict=True):
        for tensor, pixels in zip(pair, expected, strict=True):
            np.testing.assert_allclose(tensor[0].permute(1, 2, 0).numpy(), pixels / 255, atol=1e-6)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_interval_is_scipys(level):
    gains = [0.12, 0.03, -0.02, 0.08, 0.05]
    mean, half = mean_interval(gains, level)
    low, high = scipy.stats.t.interval(level, len(gains) - 1, np.mean(gains), scipy.stats.sem(gains))
    assert (mean - half, mean + half) == (pytest.approx(low), pytest.approx(high))


def test_one_difference_has_no_interval():
    assert mean_interval([0.3]) == (0.3, math.inf)


def test_a_level_beyond_one_is_refused():
    with pytest.raises(UsageError, match="level is 95"):
        mean_interval([0.1, 0.2], 95)


def test_no_differences_are_refused():
    with pytest.raises(UsageError):
        mean_interval([])


def test_image_scores_are_those_that_the_table_averages():
    functions = {"input": nn.Identity(), "brighter": lambda image: image * 1.2}
    for row, function in zip(table(functions), functions.values(), strict=True):
        scores = evaluate.image_scores(function, PAIRS)
        assert scores.shape == (3,)
        assert scores.mean() == pytest.approx(row.psnr, abs=1e-6)
        assert scores[0] == pytest.approx(table({"f": function}, PAIRS[:1])[0].psnr, abs=1e-6)


def test_tiles_are_cut_scored_and_sorted():
    truth = quantize(torch.rand(1, 3, 20, 17, generator=GENERATOR))
    blurred = truth.clone()
    blurred[..., 8:16, 0:8] = quantize(truth[..., 8:16, 0:8] * 0.5)
    half = quantize((blurred + truth) / 2)
    worse = half.clone()
    worse[..., 0:8, 8:16] = 1 - half[..., 0:8, 8:16]
    tiles = evaluate.tile_gains(lambda image: worse, [("noise", blurred, truth)], side=8)
    assert [tile.corner for tile in tiles][0] == (0, 8)
    assert [tile.corner for tile in tiles][-1] == (8, 0)
    assert len(tiles) == 4  # the rest of 20x17 is not a whole tile
    assert tiles[-1].gain == pytest.approx(6.02, abs=0.2)  # half the error
    assert tiles[1].gain == tiles[2].gain == 0
    assert tiles[0].contrast == pytest.approx(255 * float(np.std(truth[0, :, 0:8, 8:16].numpy(), ddof=1)), rel=1e-4)
    assert torch.equal(tiles[-1].images[2], truth[..., 8:16, 0:8])


def test_time_is_taken_on_an_image_of_the_size_asked_for_and_after_a_warm_up():
    seen = []
    evaluate.milliseconds_per_megapixel(lambda image: seen.append(tuple(image.shape)), 2, (18, 32))
    assert seen == [(1, 3, 18, 32)] * 3
    assert evaluate.milliseconds_per_megapixel(nn.Identity()) == 0


def test_the_worst_image_is_named_with_its_gain_and_those_below_their_input_are_counted():
    pairs = [
        (name, torch.full((1, 3, 16, 16), level / 255), torch.full((1, 3, 16, 16), 128 / 255))
        for name, level in (("a", 102), ("b", 154), ("perfect", 128), ("a", 50))
    ]
    still, brighter = table({"input": nn.Identity(), "brighter": lambda image: image + 26 / 255}, pairs)
    assert (still.worst_gain, still.below) == (0.0, 0)
    assert (brighter.worst, brighter.worst_gain, brighter.below) == ("perfect", -math.inf, 2)
    (row,) = table({"brighter": lambda image: image + 26 / 255}, pairs[:2])
    assert (row.worst, row.below) == ("b", 1)
    assert row.worst_gain == pytest.approx(-20 * math.log10(2), abs=1e-3)


def test_pairs_come_back_from_jpeg_with_their_truth_as_it_was():
    for (_, blurred, sharp), (_, packed, same) in zip(PAIRS, evaluate.compressed(PAIRS, 30), strict=True):
        assert torch.equal(packed, degrade.jpeg(blurred, 30))
        assert same is sharp
