"""The tuning: it finds the best of its grid, on training photos, and what stands in data/filters.toml is its answer."""

import tomllib
from functools import partial

import numpy as np
import pytest
import skimage.metrics
import torch

from kdsharp import checkpoints, datasets, degrade, tune
from kdsharp.checks import UsageError
from kdsharp.datasets import Photo
from kdsharp.filters import FILTERS, ORACLES, polyblur, unsharp_mask, wiener
from kdsharp.images import quantize
from kdsharp.tune import Unsharp

IMAGE = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
SYNTHETIC = [name for name, found in degrade.PROTOCOLS.items() if found is not None]
TABLE = tomllib.loads((checkpoints.data_folder() / "filters.toml").read_text(encoding="utf-8"))


def small_photo(monkeypatch):
    """One photo of coloured squares in place of the training photos; any other split fails."""
    pixels = np.kron(np.random.default_rng(0).integers(0, 256, (6, 6, 3)), np.ones((6, 6, 1))).astype(np.uint8)
    monkeypatch.setattr(tune, "photos", lambda split: {"train": [Photo("a", pixels)]}[split])
    return [Photo("a", pixels)]


def score(image, sharp):
    return skimage.metrics.peak_signal_noise_ratio(sharp.numpy(), quantize(image).numpy(), data_range=1.0)


def test_unsharp_is_the_filter_with_its_settings():
    torch.testing.assert_close(Unsharp(1.5, 0.7)(IMAGE), unsharp_mask(IMAGE, 1.5, 0.7))
    best = tune.settings("unsharp", "shake")
    assert tune.tuned_unsharp("shake") == Unsharp(best["radius"], best["amount"])


def test_a_tuned_filter_has_the_settings_of_its_protocol():
    best = tune.settings("polyblur", "gaussian-256")
    assert best.keys() == {"alpha", "beta", "amount"}
    torch.testing.assert_close(tune.tuned("polyblur", "gaussian-256")(IMAGE), polyblur(IMAGE, **best))


def test_real_pairs_take_the_settings_of_motion():
    assert tune.settings("log", "gopro") == tune.settings("log", "motion") != tune.settings("log", "bilinear-60")


def test_every_filter_is_tuned_for_every_synthetic_protocol_out_of_its_grid():
    assert list(tune.GRIDS) == [*FILTERS, *ORACLES]
    assert list(TABLE) == SYNTHETIC
    for name in SYNTHETIC:
        assert list(TABLE[name]) == [*FILTERS, *(ORACLES if tune.knows_psf(name) else ())]
        for each, row in TABLE[name].items():
            allowed = tune.GRIDS[each] | ({"amount": tune.AMOUNTS} if each in FILTERS else {})
            best = tune.settings(each, name)
            assert best == {key: value for key, value in row.items() if key != "psnr"}
            assert best.keys() == allowed.keys()
            assert all(best[key] in allowed[key] for key in allowed)


@pytest.mark.parametrize("protocol", SYNTHETIC)
def test_the_scores_in_the_file_are_those_of_today(protocol):
    """A change of photos, protocol or filter makes the file stale: then run kdsharp tune."""
    pairs = list(datasets.synthetic_pairs(degrade.protocol(protocol), datasets.photos("train")))
    for name in ("unsharp", "high-pass"):
        found = np.mean([score(tune.tuned(name, protocol)(blurred), sharp) for _, blurred, sharp in pairs])
        assert found == pytest.approx(TABLE[protocol][name]["psnr"], abs=0.006)


@pytest.mark.parametrize(("name", "protocol"), [("unsharp", "gausian-256"), ("unsharpen", "shake")])
def test_misspelt_names_are_not_taken_for_others(name, protocol):
    with pytest.raises(UsageError, match="unknown (protocol|filter)"):
        tune.settings(name, protocol)


def test_oracles_have_settings_only_where_a_psf_is_known():
    assert [name for name in degrade.PROTOCOLS if tune.knows_psf(name)] == ["shake", "gaussian-256"]
    assert tune.settings("wiener", "shake").keys() == {"noise"}
    with pytest.raises(UsageError, match="protocol 'gopro' does not have; use shake or gaussian-256"):
        tune.settings("wiener", "gopro")


def test_tuning_finds_the_best_of_the_grid(monkeypatch):
    photo = small_photo(monkeypatch)
    monkeypatch.setitem(tune.GRIDS, "unsharp", {"radius": (0.7, 1.5)})
    monkeypatch.setattr(tune, "AMOUNTS", (0.1, 1.0, 3.0, 9.0))
    blur = degrade.GaussianBlur(1.5, size=(36, 36))
    best, decibels = tune.tune("unsharp", blur)
    ((_, blurred, sharp),) = datasets.synthetic_pairs(blur, photo)
    scores = {
        (radius, amount): score(unsharp_mask(blurred, radius, amount), sharp)
        for radius in (0.7, 1.5)
        for amount in (0.1, 1.0, 3.0, 9.0)
    }
    assert (best["radius"], best["amount"]) == max(scores, key=scores.get)
    assert decibels == pytest.approx(max(scores.values()), abs=1e-4)


@pytest.mark.parametrize("blur", [degrade.Shake(), degrade.GaussianBlur(1.5, size=(36, 36))])
def test_tuning_an_oracle_tells_it_the_psf_and_where_the_blur_happened(monkeypatch, blur):
    photo = small_photo(monkeypatch)
    best, decibels = tune.tune("wiener", blur)
    ((_, blurred, sharp),) = datasets.synthetic_pairs(blur, photo)
    restore = partial(wiener, blurred, *datasets.true_psfs(blur, 1), linear_light=blur.linear_light)
    scores = {noise: score(restore(noise), sharp) for noise in tune.GRIDS["wiener"]["noise"]}
    assert best == {"noise": max(scores, key=scores.get)}
    assert decibels == pytest.approx(max(scores.values()), abs=1e-4)


def test_writing_keeps_what_else_stands_in_the_file(tmp_path):
    path = tmp_path / "filters.toml"
    tune.write(path, {"bilinear-60": {"log": {"sigma": 1.0, "amount": 0.5}}})
    tune.write(path, {"shake": {"wiener": {"noise": 3e-05}, "high-pass": {"kind": "box"}}})
    tune.write(path, {"bilinear-60": {"log": {"sigma": 2.0, "amount": 0.7}}})
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    assert found == {
        "shake": {"high-pass": {"kind": "box"}, "wiener": {"noise": 3e-05}},
        "bilinear-60": {"log": {"sigma": 2.0, "amount": 0.7}},
    }
    assert [list(found), list(found["shake"])] == [["shake", "bilinear-60"], ["high-pass", "wiener"]]
