"""The command line: what it prints and writes, and one sentence with exit status 2 for each mistake."""

import json
import os
import struct
import subprocess
import sys
import tomllib
import zlib

import numpy as np
import pytest
from PIL import Image

from kdsharp import checkpoints, datasets, images, inference
from kdsharp.filters import FILTERS, ORACLES
from kdsharp.recipes import rates

ROW_KEYS = {
    "model",
    "protocol",
    "images",
    "psnr",
    "ssim",
    "ssim_volumetric",
    "parameters",
    "ms_per_megapixel",
    "worst",
    "worst_gain",
    "below",
    "measures",
}


def assert_refused(done, *words):
    """Exit status 2, one sentence on stderr that holds ``words``, no traceback."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_shows_every_command(kdsharp, asked):
    done = kdsharp(asked)
    assert done.returncode == 0
    for command in ("run", "sharpen", "evaluate", "models", "train", "sweep", "tune", "data", "book", "course"):
        assert command in done.stdout


@pytest.mark.parametrize("group", [(), ("data",), ("course",), ("labs",), ("study",)])
def test_a_command_alone_shows_its_help(kdsharp, group):
    done = kdsharp(*group)
    assert "COMMAND [ARGS]" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_sharpen_keeps_size_and_format(kdsharp, tmp_path, photo, suffix):
    source = tmp_path / f"in{suffix}"
    Image.open(photo).save(source)
    done = kdsharp("sharpen", source, "--out", tmp_path / "out", "--filter", "unsharp")
    assert done.returncode == 0, done.stderr
    with Image.open(source) as before, Image.open(tmp_path / "out" / source.name) as after:
        assert (after.size, after.format, after.mode) == (before.size, before.format, "RGB")
        assert np.abs(np.asarray(after).astype(int) - np.asarray(before.convert("RGB"))).max() > 3


def test_sharpen_with_the_bundled_student(kdsharp, tmp_path, photo):
    assert kdsharp("sharpen", photo, "--out", tmp_path / "out").returncode == 0
    assert images.read(tmp_path / "out" / "photo.png").shape == (48, 64, 3)


def test_strength_zero_changes_nothing(kdsharp, tmp_path, photo):
    kdsharp("sharpen", photo, "--out", tmp_path / "out", "--strength", 0)
    assert np.array_equal(images.read(tmp_path / "out" / "photo.png"), images.read(photo))


def test_evaluate_prints_the_baselines_and_writes_json(kdsharp, tmp_path):
    done = kdsharp("evaluate", "--model", "small", "--json", tmp_path / "rows.json")
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["model"] for row in rows] == ["input", "unsharp", "small"]
    assert all(row.keys() == ROW_KEYS and row["images"] == 4 and row["protocol"] == "shake" for row in rows)
    for row in rows:
        assert f"{row['psnr']:.2f}" in done.stdout


def test_evaluate_after_jpeg_says_so_and_names_the_worst_image(kdsharp, tmp_path):
    done = kdsharp(
        "evaluate",
        "--filter",
        "laplacian",
        "--jpeg",
        "30",
        "--each",
        "--measure",
        "gmsd",
        "--json",
        tmp_path / "rows.json",
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["protocol"] for row in rows} == {"shake, JPEG 30"}
    assert "shake, JPEG 30, 4 images" in done.stdout
    worst = rows[-1]
    assert f"worst on {worst['worst']}, {worst['worst_gain']:+.2f} dB against the input" in done.stdout
    assert kdsharp("evaluate", "--model", "small", "--jpeg", "0").returncode == 2


@pytest.mark.parametrize("name", [*FILTERS])
def test_sharpen_takes_every_filter_and_does_what_it_does(kdsharp, tmp_path, photo, name):
    done = kdsharp("sharpen", photo, "--out", tmp_path / "out", "--filter", name)
    assert done.returncode == 0, done.stderr
    before = images.read(photo)
    after = images.read(tmp_path / "out" / "photo.png")
    assert np.array_equal(after, inference.sharpen(FILTERS[name], before))
    assert np.abs(after.astype(int) - before).max() > 3


def test_the_filters_are_listed_in_the_help(kdsharp):
    text = " ".join(kdsharp("sharpen", "--help").stdout.replace("│", " ").split())
    assert ", ".join(FILTERS) in text
    text = " ".join(kdsharp("evaluate", "--help").stdout.replace("│", " ").split())
    assert ", ".join(FILTERS) in text
    assert ", ".join(ORACLES) in text


def test_evaluate_takes_filters_and_oracles_without_a_model(kdsharp, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for each in datasets.photos("validation"):
        Image.fromarray(each.pixels[:90, :120]).save(photos / f"{each.name}.png")
    names = ["log", "wiener", "polyblur", "richardson-lucy"]
    flags = [flag for name in names for flag in ("--filter", name)]
    done = kdsharp("evaluate", *flags, "--photos", photos, "--json", tmp_path / "rows.json")
    assert done.returncode == 0, done.stderr
    rows = {row["model"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert list(rows) == ["input", "unsharp", "log", "polyblur", "wiener (true PSF)", "richardson-lucy (true PSF)"]
    assert rows["wiener (true PSF)"]["psnr"] > rows["polyblur"]["psnr"] + 2
    assert rows["wiener (true PSF)"]["ms_per_megapixel"] is None
    assert rows["log"]["ms_per_megapixel"] > 0
    assert "wiener (true PSF)" in done.stdout
    assert "nan" not in done.stdout


def test_tune_renews_one_filter_and_keeps_the_others(kdsharp, tmp_path):
    out = tmp_path / "filters.toml"
    out.write_text("[shake.log]\nsigma = 9.0\n\n[gaussian-256.laplacian]\nneighbours = 9\n")
    done = kdsharp("tune", "gaussian-256", "--filter", "laplacian", "--out", out)
    assert done.returncode == 0, done.stderr
    found = tomllib.loads(out.read_text())
    assert found["shake"] == {"log": {"sigma": 9.0}}
    bundled = tomllib.loads((checkpoints.data_folder() / "filters.toml").read_text(encoding="utf-8"))
    assert found["gaussian-256"] == {"laplacian": bundled["gaussian-256"]["laplacian"]}
    assert "laplacian with neighbours" in done.stderr + done.stdout


def test_train_takes_own_photos_another_optimizer_and_its_tuned_rate(kdsharp, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 100, 3), dtype=np.uint8)
    images.write(tmp_path / "mine" / "a.png", pixels)
    options = ("--photos", tmp_path / "mine", "--optimizer", "adadelta", "--learning-rate", "tuned", "--seed", 4)
    done = kdsharp("train", "report-e", "--profile", "smoke", "--out", tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    assert "report-e-teacher.safetensors" in done.stdout
    meta = checkpoints.read_meta(tmp_path / "out" / "report-e.safetensors")
    assert (meta["photos"], meta["teacher"], meta["seed"]) == ("own", "report-e-teacher", 4)
    config = json.loads((tmp_path / "out" / "student" / "config.json").read_text())
    assert (config["optimizer"], config["learning_rate"]) == ("adadelta", rates.tuned_rate("adadelta"))


def test_train_takes_real_pairs_and_another_teacher(kdsharp, tmp_path):
    sharp = np.random.default_rng(0).integers(0, 256, (90, 100, 3), dtype=np.uint8)
    for folder, pixels in (("blur", sharp // 2), ("sharp", sharp)):
        images.write(tmp_path / "train" / "scene" / folder / "a.png", pixels)
    options = ("--pairs", tmp_path, "--teacher", "small", "--alpha", 0.25)
    done = kdsharp("train", "report-a", "--profile", "smoke", "--out", tmp_path / "out", *options)
    assert done.returncode == 2  # `small` has no layer named "3"
    assert "unknown layer '3'" in done.stderr
    options = ("--pairs", tmp_path, "--teacher", "small", "--alpha", 0.25)
    done = kdsharp("train", "report-d", "--profile", "smoke", "--out", tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    meta = checkpoints.read_meta(tmp_path / "out" / "report-d.safetensors")
    assert (meta["photos"], meta["teacher"], meta["alpha"]) == ("pairs", "small", 0.25)


def test_models_lists_both_bundled_networks(kdsharp):
    done = kdsharp("models")
    assert "teacher" in done.stdout
    assert "small" in done.stdout


def _broken_png(path, width, height, depth=8, colour=2):
    """A PNG whose header promises more than the file holds."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b""))
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def _bad_images(folder):
    rgb = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    for mode in ("L", "P", "CMYK", "RGBA"):
        rgb.convert(mode).save(folder / f"{mode}.{'tif' if mode == 'CMYK' else 'png'}")
    Image.fromarray(np.full((40, 40), 9000, np.uint16)).save(folder / "sixteen.png")
    rgb.resize((1, 1)).save(folder / "one.png")
    rgb.resize((400, 400)).save(folder / "whole.png")
    (folder / "truncated.png").write_bytes((folder / "whole.png").read_bytes()[:5000])
    rgb.resize((400, 400)).save(folder / "whole.jpg")
    (folder / "truncated.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:5000])
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("not an image")
    _broken_png(folder / "huge.png", 20_000, 20_000)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("missing.png", "missing"),
        ("empty.png", "empty"),
        ("text.png", "not an image"),
        ("truncated.png", "damaged"),
        ("truncated.jpg", "damaged"),
        ("L.png", "greyscale"),
        ("P.png", "palette"),
        ("CMYK.tif", "CMYK"),
        ("RGBA.png", "RGBA"),
        ("sixteen.png", "16-bit"),
        ("one.png", "1x1"),
        ("huge.png", "limit is 256 megapixels"),
    ],
)
def test_bad_images_are_refused_in_one_sentence(kdsharp, tmp_path, name, word):
    _bad_images(tmp_path)
    done = kdsharp("sharpen", tmp_path / name, "--out", tmp_path / "out", "--filter", "unsharp")
    assert assert_refused(done, word, name).count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["L.png", "P.png", "CMYK.tif", "RGBA.png", "sixteen.png"])
def test_convert_accepts_what_has_pixels(kdsharp, tmp_path, name):
    _bad_images(tmp_path)
    done = kdsharp("sharpen", tmp_path / name, "--out", tmp_path / "out", "--filter", "unsharp", "--convert")
    assert done.returncode == 0, done.stderr
    assert images.read(tmp_path / "out" / name).shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate", "--model", "smal"), ("unknown model 'smal'", "did you mean 'small'")),
        (("evaluate", "--model", "nowhere.safetensors"), ("does not exist",)),
        (("evaluate", "--model", "nowhere.pth"), ("does not exist", "official .pth")),
        (("evaluate", "--model", "small", "--protocol", "shaky"), ("unknown protocol", "shake")),
        (("evaluate", "--model", "small", "--protocol", "gopro"), ("--pairs",)),
        (("evaluate", "--model", "small", "--photos", "nowhere"), ("nowhere is not a folder",)),
        (("evaluate", "--model", "small", "--pairs", "nowhere"), ("nowhere is not a folder",)),
        (("evaluate",), ("nothing to compare", "--model", "--filter")),
        (("evaluate", "--filter", "wavelets"), ("unknown filter 'wavelets'", "did you mean 'wavelet'", "wiener")),
        (("evaluate", "--filter", "wiener", "--protocol", "bilinear-60"), ("needs the true PSF", "'bilinear-60'")),
        (("tune", "bilinear-60", "--filter", "wiener"), ("needs the true PSF", "bilinear-60")),
        (("tune", "shake", "--filter", "unsharpen"), ("unknown filter",)),
        (("sharpen", "photo.png", "--out", "out", "--filter", "wiener"), ("needs the true PSF", "polyblur")),
        (("run", "99"), ("unknown lesson '99'",)),
        (("run", "9", "--profile", "quick"), ("unknown profile", "smoke")),
        (("run", "9", "-p", "ALPHAA", "0.3"), ("did you mean 'ALPHA'",)),
        (("train", "shook"), ("unknown recipe",)),
        (("train", "shake", "--stage", "pupil"), ("unknown stage",)),
        (("train", "shake", "--start", "tiny"), ("--start is for one network", "--stage")),
        (("train", "report-d", "--stage", "teacher"), ("takes its teacher 'teacher' as it is",)),
        (("train", "report-a", "--learning-rate", "fast"), ("'fast'", "a number above 0, or: tuned")),
        (("tune", "shake", "--optimizers"), ("takes neither protocols nor filters",)),
        (("sharpen", "photo.png", "--out", "out", "--filter", "unsharpen"), ("unknown filter",)),
        (("sharpen", "photo.png", "--out", "out", "--filter", "unsharp", "--runtime", "onnx"), ("concerns networks",)),
        (("sharpen", "photo.png", "--out", "out", "--filter", "unsharp", "--strength", "9"), ("strength",)),
        (("sharpen", "photo.png", "--out", "photo.png/x", "--filter", "unsharp"), ("choose another folder",)),
        (("sharpen", "photo.png", "--out", ".", "--filter", "unsharp"), ("would be overwritten",)),
    ],
)
def test_misspelt_and_impossible_arguments(kdsharp, photo, arguments, words):
    assert_refused(kdsharp(*arguments), *words)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_that_is_not_writable(kdsharp, tmp_path, photo):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    assert_refused(kdsharp("sharpen", photo, "--out", locked, "--filter", "unsharp"), "cannot write into")


def test_pairs_that_do_not_match(kdsharp, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for folder in ("input", "target"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        Image.fromarray(noise).save(tmp_path / "pairs" / folder / "a.png")
    Image.fromarray(noise[:, :50]).save(tmp_path / "pairs" / "target" / "a.png")
    done = kdsharp("evaluate", "--model", "small", "--pairs", tmp_path / "pairs")
    assert_refused(done, "60x40", "50x40", "same size")
    Image.fromarray(noise).save(tmp_path / "pairs" / "input" / "b.png")
    assert_refused(kdsharp("evaluate", "--model", "small", "--pairs", tmp_path / "pairs"), "no partner", "'b'")


def test_a_large_photo_stays_within_two_gigabytes(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (9000, 7000), (90, 120, 30)).save(path)
    command = [sys.executable, "-m", "kdsharp", "sharpen", str(path), "--out", str(tmp_path / "out")]
    # asked by a small process between: a program that starts another counts for it, and this one may be large by now
    small = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", small, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 200_000 < int(done.stdout) < 2_000_000  # kilobytes
    with Image.open(tmp_path / "out" / "large.jpg") as after:
        assert after.size == (9000, 7000)


def test_real_pairs_and_photos_are_measured(kdsharp, tmp_path, real_data):
    for arguments, count in (
        (("--pairs", real_data / "gopro"), 2),
        (("--pairs", real_data / "reds"), 6),
        (("--photos", real_data / "set14"), None),
    ):
        done = kdsharp("evaluate", "--model", "small", *arguments, "--json", tmp_path / "rows.json")
        assert done.returncode == 0, done.stderr
        rows = json.loads((tmp_path / "rows.json").read_text())
        assert rows[0]["psnr"] > 20
        assert count is None or rows[0]["images"] == count
