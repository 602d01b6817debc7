"""A folder of pairs, checked file by file: each mistake is found, alone, and nothing is found where none is."""

import shutil

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.datasets import PairedFolder, layouts
from kdsharp.sets import pairs

RNG = np.random.default_rng(0)
SHARP = RNG.integers(0, 256, (20, 24, 3), dtype=np.uint8)
BLURRED = ndimage.gaussian_filter(SHARP, (1, 1, 0))
LAYOUTS = {
    "GoPro": ("test/scene/blur", "test/scene/sharp"),
    "scenes": ("scene/blur", "scene/sharp"),
    "flat": ("input", "target"),
    "flat with a split": ("test/input", "test/target"),
}


@pytest.fixture(params=LAYOUTS)
def folder(request, tmp_path):
    """Two sound pairs in one of the layouts; gives the folder and its blurred and sharp halves."""
    left, right = (tmp_path / half for half in LAYOUTS[request.param])
    for name in ("a", "b"):
        put(left / f"{name}.png", BLURRED)
        put(right / f"{name}.png", SHARP)
    return tmp_path, left, right


def put(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    return images.write(path, pixels)


def check(root, **options):
    count, findings = pairs.check(root, progress=False, **options)
    return count, [(finding.path, finding.sentence, finding.serious) for finding in findings]


def only(root, **options):
    _, findings = check(root, **options)
    assert len(findings) == 1, findings
    return findings[0]


def test_sound_pairs_have_no_findings_and_load(folder):
    assert check(folder[0]) == (2, [])
    assert len(PairedFolder(folder[0])) == 2


@pytest.mark.parametrize("half", [1, 2])
def test_a_missing_partner(folder, half):
    root, other = folder[0], folder[3 - half]
    (other / "b.png").unlink()
    path, sentence, serious = only(root)
    assert (path, sentence, serious) == (folder[half] / "b.png", f"has no partner in {other}", True)


@pytest.mark.parametrize("half", [1, 2])
@pytest.mark.parametrize(("damage", "words"), [(0, "is empty"), (400, "is damaged"), (5, "is not an image")])
def test_a_file_that_cannot_be_read(folder, half, damage, words):
    path = folder[half] / "b.png"
    path.write_bytes(path.read_bytes()[:damage])
    found, sentence, serious = only(folder[0])
    assert (found, serious) == (path, True)
    assert sentence.startswith(words)


def test_two_sizes(folder):
    put(folder[1] / "b.png", BLURRED[:18])
    path, sentence, serious = only(folder[0])
    assert (path, serious) == (folder[1] / "b.png", True)
    assert sentence == f"has 24x18 pixels, its partner in {folder[2].name}/ 24x20"


@pytest.mark.parametrize(("mode", "word"), [("L", "greyscale"), ("RGBA", "RGBA (with alpha)"), ("P", "palette")])
def test_what_is_not_eight_bit_rgb(folder, mode, word):
    Image.fromarray(SHARP).convert(mode).save(folder[2] / "b.png")
    assert only(folder[0]) == (folder[2] / "b.png", f"is a {word} image; save it as 8-bit RGB", True)


def test_two_files_of_one_name(folder):
    put(folder[2] / "b.bmp", SHARP)
    path, sentence, serious = only(folder[0])
    assert (path, serious) == (folder[2] / "b.png", True)
    assert "the same name as b.bmp" in sentence


def test_an_empty_half_is_one_finding(folder):
    for name in ("a", "b"):
        (folder[2] / f"{name}.png").unlink()
    assert only(folder[0]) == (folder[2], "holds no image", True)


def test_a_missing_half(folder):
    shutil.rmtree(folder[2])
    assert only(folder[0]) == (folder[2], f"is missing beside {folder[1].name}/", True)


def test_stray_files_are_warnings(folder):
    base = folder[1].parent if folder[1].name == "input" else folder[1].parents[1]
    strays = [base / "cover.png", folder[1] / "notes.txt", base / "other" / "c.png"]
    for path in strays:
        put(path, SHARP) if path.suffix == ".png" else path.write_text("x")
    found = check(folder[0])[1]
    assert {path for path, _, _ in found} == {strays[0], strays[1], strays[2].parent}
    assert not any(serious for _, _, serious in found)


def test_the_same_picture_twice(folder):
    put(folder[1] / "b.png", SHARP)
    path, sentence, serious = only(folder[0])
    assert (path, serious) == (folder[1] / "b.png", True)  # as PairedFolder refuses it
    assert "the same pixels" in sentence


def test_halves_that_were_swapped(folder):
    put(folder[1] / "b.png", SHARP)
    put(folder[2] / "b.png", BLURRED)
    path, sentence, serious = only(folder[0])
    assert (path, serious) == (folder[1] / "b.png", False)
    assert "is sharper than its partner" in sentence


def test_every_pair_is_opened(folder):
    for name in ("a", "b"):
        (folder[1] / f"{name}.png").write_bytes(b"junk")
    assert len(check(folder[0])[1]) == 2


def test_splits_and_blur_folders(tmp_path):
    for split in ("train", "test"):
        put(tmp_path / split / "scene" / "sharp" / "a.png", SHARP)
        for blur in layouts.BLURS:
            put(tmp_path / split / "scene" / blur / "a.png", BLURRED)
    damaged = tmp_path / "train" / "scene" / "blur_gamma" / "a.png"
    damaged.write_bytes(b"junk")
    assert check(tmp_path) == (2, [])
    assert check(tmp_path, blur="blur_gamma", split="test") == (1, [])
    assert only(tmp_path, blur="blur_gamma")[0] == damaged
    for options, words in (({"split": "val"}, "no split 'val'"), ({"blur": "gamma"}, "unknown blur folder 'gamma'")):
        with pytest.raises(UsageError, match=words):
            pairs.check(tmp_path, progress=False, **options)


def test_a_folder_without_pairs(tmp_path):
    assert "holds no pairs; allowed are SPLIT/SCENE/{blur,sharp}/" in only(tmp_path)[1]
    with pytest.raises(UsageError, match="is not a folder"):
        pairs.check(tmp_path / "nowhere")


def test_sharpness_falls_with_blur_and_is_the_variance_of_the_laplacian():
    assert pairs.sharpness(SHARP) > 5 * pairs.sharpness(BLURRED)
    step = np.zeros((32, 32, 3), np.uint8)
    step[:, 16:] = 100
    expected = np.var([0] * 30 + [100, -100])  # the two columns at the edge answer with +100 and -100
    assert pairs.sharpness(step) == pytest.approx(expected, rel=1e-5)
