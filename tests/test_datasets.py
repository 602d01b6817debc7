"""Where pairs come from: photos split by photo, dead leaves, folders of pairs, crops by step number."""

import hashlib
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import skimage.data
import torch
from PIL import Image

from kdsharp import datasets, images, kernels
from kdsharp.checks import UsageError
from kdsharp.datasets import (
    SPLITS,
    Crops,
    PairCrops,
    PairedFolder,
    Photo,
    dead_leaves,
    folder_photos,
    photos,
    training_pictures,
    woven,
)
from kdsharp.degrade import GaussianBlur, Rescale, Shake

RNG = np.random.default_rng(0)
STILL = Shake(shot=0, read=0, still=1.0)


def picture(*size):
    return RNG.integers(0, 256, (*size, 3), dtype=np.uint8)


def put(path, pixels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    return images.write(path, picture(20, 24) if pixels is None else pixels)


# The bundled photos


def test_every_photo_of_the_table_has_its_checksum_and_licence():
    folder = Path(skimage.data.__file__).parent
    for row in datasets.photo_table().values():
        assert hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"]
        assert row["split"] in SPLITS
        assert row["licence"]


def test_the_splits_share_no_photo_and_hold_them_all():
    names = {split: [photo.name for photo in photos(split)] for split in SPLITS}
    assert all(names.values())
    assert sorted(sum(names.values(), [])) == sorted(datasets.photo_table())
    files = {split: {datasets.photo_table()[name]["sha256"] for name in names[split]} for split in SPLITS}
    assert not files["train"] & (files["validation"] | files["test"])
    assert not files["validation"] & files["test"]


def test_two_views_of_one_scene_stay_in_one_split():
    table = datasets.photo_table()
    assert table["motorcycle_left"]["split"] == table["motorcycle_right"]["split"]


def test_photos_come_in_the_order_of_the_table_as_eight_bit_rgb():
    found = photos("test")
    assert [photo.name for photo in found] == ["camera", "chelsea", "coffee", "rocket"]
    for photo in found:
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape[2:] == (3,)
    assert (found[0].pixels == found[0].pixels[..., :1]).all()  # the cameraman is grey


def test_a_changed_or_missing_photo_is_noticed(tmp_path):
    row = {"file": "a.png", "sha256": hashlib.sha256(b"").hexdigest()}
    with pytest.raises(UsageError, match=r"photo 'a' is missing from scikit-image \(a.png\)"):
        datasets.bundled._bundled(tmp_path, "a", row)
    put(tmp_path / "a.png")
    with pytest.raises(UsageError, match="photo 'a' differs from the one measured"):
        datasets.bundled._bundled(tmp_path, "a", row)


def test_an_unknown_split():
    with pytest.raises(UsageError, match="unknown split 'training'"):
        photos("training")


# The user's own photos


def test_folder_photos_names_what_it_leaves_out(tmp_path):
    pixels = picture(20, 24)
    put(tmp_path / "b.png", pixels)
    put(tmp_path / "a.bmp")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    found, left_out = folder_photos(tmp_path)
    assert [photo.name for photo in found] == ["a", "b"]
    np.testing.assert_array_equal(found[1].pixels, pixels)
    assert left_out == ["grey.png"]


def test_folder_photos_reads_every_format_in_either_case(tmp_path):
    pixels = np.full((20, 24, 3), (90, 120, 150), np.uint8)
    for index, suffix in enumerate(images.SUFFIXES):
        put(tmp_path / f"{index:02}{suffix}", pixels)
        put(tmp_path / f"{index:02}upper{suffix.upper()}", pixels)
    (tmp_path / "notes.txt").touch()
    found, left_out = folder_photos(tmp_path)
    assert (len(found), left_out) == (2 * len(images.SUFFIXES), [])
    for photo in found:
        assert np.abs(photo.pixels.astype(int) - pixels).max() < 6, photo.name


def test_a_folder_without_a_usable_photo(tmp_path):
    Image.new("L", (20, 20)).save(tmp_path / "grey.png")
    with pytest.raises(UsageError, match="holds no 8-bit RGB photo, only grey.png"):
        folder_photos(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_a_damaged_file_in_a_folder_is_one_sentence(tmp_path, content):
    put(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"bad\.png"):
        folder_photos(tmp_path)


def test_the_files_behind_the_photos_that_are_wanted_stay_unopened(tmp_path):
    for name in ("b.png", "c.png"):
        put(tmp_path / name)
    Image.new("L", (20, 20)).save(tmp_path / "a.png")
    (tmp_path / "d.png").write_bytes(b"not an image")
    assert datasets.folder_paths(tmp_path, 2) == ([tmp_path / "b.png", tmp_path / "c.png"], ["a.png"])
    with pytest.raises(UsageError, match=r"d\.png"):
        datasets.folder_paths(tmp_path, 3)


def test_a_sixteen_bit_rgb_photo_is_left_out(tmp_path):
    put(tmp_path / "good.png")
    (tmp_path / "deep.png").write_bytes(sixteen_bit_png())
    assert folder_photos(tmp_path)[1] == ["deep.png"]


def sixteen_bit_png():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(20 * 121))) + chunk(b"IEND", b"")


# Dead leaves


def test_dead_leaves_depend_on_the_generator_alone():
    first, again, other = (dead_leaves(48, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((48, 48, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_dead_leaves_take_their_colours_from_the_palette():
    red = np.array([[120, 0, 0], [121, 0, 0]], np.uint8)
    channels = dead_leaves(64, np.random.default_rng(0), red).reshape(-1, 3).mean(0)
    assert channels[0] > 100
    assert channels[1:].max() < 30  # texture is grey light on top of the colour


def test_woven_pictures_depend_on_the_generator_alone_and_take_colours_from_a_palette():
    first, again, other = (woven(48, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((48, 48, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    red = np.array([[120, 0, 0], [60, 0, 0]], np.uint8)
    channels = woven(64, np.random.default_rng(0), red).reshape(-1, 3).mean(0)
    assert channels[0] > 50
    assert channels[1:].max() < 15  # grain is grey


def test_woven_pictures_repeat_themselves_and_dead_leaves_do_not():
    """How far a tile's strongest pattern, of 2.5 to 30 pixels, stands out from the others."""
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None])
    band = (frequency > 1 / 30) & (frequency < 1 / 2.5)

    def peak(picture):
        shares = []
        for top, left in ((0, 0), (0, 64), (64, 0), (64, 64)):
            grey = picture[top : top + 64, left : left + 64].mean(-1)
            power = np.abs(np.fft.rfft2((grey - grey.mean()) * np.hanning(64) * np.hanning(64)[:, None])) ** 2
            power *= frequency**2  # which makes the spectrum of dead leaves flat
            shares.append(power[band].max() / power[band].mean())
        return np.mean(shares)

    ours, theirs = (
        np.mean([peak(make(128, np.random.default_rng(seed))) for seed in range(8)]) for make in (woven, dead_leaves)
    )
    assert ours > 2 * theirs, (ours, theirs)


def test_weaves_stand_beside_the_photos_and_leave_the_leaves_as_they_were():
    plain = training_pictures(STILL, leaves=1, leaf_size=32)
    more = training_pictures(STILL, leaves=1, leaf_size=32, weaves=2)
    assert len(more) == len(plain) + 2
    for one, other in zip(plain, more, strict=False):
        np.testing.assert_array_equal(one, other)
    assert more[-1].shape == (32, 32, 3)
    assert (more[-1] != more[-2]).any()


def test_dead_leaves_have_the_spectrum_of_photos():
    """Amplitude about 1/f: a power spectrum that falls with a slope near -2 (noise 0, a smooth ramp below -4)."""
    slopes = []
    for seed in range(4):
        grey = dead_leaves(128, np.random.default_rng(seed)).mean(-1)
        window = np.hanning(128)
        power = np.abs(np.fft.rfft2((grey - grey.mean()) * window * window[:, None])) ** 2
        frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.rfftfreq(128)[None])
        band = (frequency > 0.03) & (frequency < 0.3)
        slopes.append(np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0])
    assert -3.2 < np.mean(slopes) < -1.5


def test_radii_follow_the_inverse_cube(monkeypatch):
    """p(r) ~ r^-3 means that r^-2 is uniform between the two ends, 2 * 3 and 48 pixels of the doubled picture."""
    radii = []
    monkeypatch.setattr(datasets.leaves, "_drop_leaf", lambda canvas, free, radius, *rest: radii.append(radius) or 0)
    dead_leaves(48, np.random.default_rng(0))
    shares = (6.0**-2 - np.array(radii) ** -2) / (6.0**-2 - 48.0**-2)
    assert len(radii) == 6000
    assert scipy.stats.kstest(shares, "uniform").pvalue > 0.01


def test_leaves_are_as_small_and_as_large_as_asked():
    def edges(radius_min):
        grey = dead_leaves(96, np.random.default_rng(0), radius_min=radius_min).astype(float).mean(-1)
        return np.abs(np.diff(grey)).mean()

    assert edges(2) > 1.3 * edges(12)


# Folders of pairs


LAYOUTS = {
    "halves alone": ("blur", "sharp", ""),
    "halves below a split": ("valid/blur", "valid/sharp", ""),
    "LQ and GT": ("LQ", "GT", ""),
    "blurry scenes below a split": ("val/scene/blurry", "val/scene/sharp", "scene/"),
    "another spelling of flat": ("Test/Input", "Test/Target", ""),
    "GoPro": ("test/scene/blur", "test/scene/sharp", "scene/"),
    "scenes": ("scene/blur", "scene/sharp", "scene/"),
    "flat": ("input", "target", ""),
    "flat with a split": ("test/input", "test/target", ""),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_its_pairs_in_order(tmp_path, layout):
    blurred, sharp, prefix = LAYOUTS[layout]
    expected = {}
    for name in ("2", "10", "1"):
        expected[prefix + name] = (picture(20, 24), picture(20, 24))
        put(tmp_path / blurred / f"{name}.png", expected[prefix + name][0])
        put(tmp_path / sharp / f"{name}.bmp", expected[prefix + name][1])
    found = PairedFolder(tmp_path)
    assert len(found) == 3
    assert [name for name, *_ in (found[i] for i in range(3))] == sorted(expected)
    for index in range(3):
        name, *pair = found[index]
        np.testing.assert_array_equal(pair, expected[name])


def test_the_split_and_the_blur_folder_are_chosen_by_the_caller(tmp_path):
    for split in ("train", "test"):
        for folder in ("blur", "blur_gamma", "sharp"):
            put(tmp_path / split / "scene" / folder / f"{split}.png")
    found = PairedFolder(tmp_path, "train", "blur_gamma")
    assert [name for name, _, _ in found.pairs] == ["scene/train"]
    assert found.pairs[0][1] == tmp_path / "train" / "scene" / "blur_gamma" / "train.png"
    with pytest.raises(UsageError, match="unknown blur folder 'gamma'"):
        PairedFolder(tmp_path, blur="gamma")


def test_headers_are_read_first_and_pixels_when_they_are_asked_for(tmp_path, monkeypatch):
    for folder in ("input", "target"):
        put(tmp_path / folder / "a.png")
        put(tmp_path / folder / "b.png")
    found = PairedFolder(tmp_path)
    read = []
    monkeypatch.setattr(images, "read", lambda path: read.append(path.name) or picture(4, 4))
    found[0]
    assert read == ["a.png", "a.png"]
    (tmp_path / "target" / "b.png").write_bytes(b"junk")
    with pytest.raises(UsageError, match="b.png is not an image"):
        PairedFolder(tmp_path)


def test_what_headers_say_of_a_whole_set_is_found_before_the_work(tmp_path):
    for name in "abc":
        put(tmp_path / "input" / f"{name}.png")
        put(tmp_path / "target" / f"{name}.png")
    assert len(PairedFolder(tmp_path)) == 3
    for stray in (".DS_Store", "Thumbs.db", "._a.png"):
        (tmp_path / "input" / stray).write_bytes(b"junk")
    put(tmp_path / "__MACOSX" / "input" / "a.png")
    assert len(PairedFolder(tmp_path)) == 3
    Image.fromarray(picture(20, 24)).convert("RGBA").save(tmp_path / "input" / "b.png")
    with pytest.raises(UsageError, match=r"1 of 6 files are not 8-bit RGB, first .*b.png \(RGBA \(with alpha\)\); con"):
        PairedFolder(tmp_path)
    shutil.copy(tmp_path / "target" / "b.png", tmp_path / "input" / "b.png")
    with pytest.raises(UsageError, match="1 of 3 pairs are one and the same file twice, first 'b'"):
        PairedFolder(tmp_path)
    put(tmp_path / "input" / "b.png")
    put(tmp_path / "input" / "b.bmp")
    with pytest.raises(UsageError, match="b.png and b.bmp have one name"):
        PairedFolder(tmp_path)


def test_a_split_that_is_not_there_is_told_with_those_that_are(tmp_path):
    for folder in ("blur", "sharp"):
        put(tmp_path / "train" / "scene" / folder / "a.png")
    assert len(PairedFolder(tmp_path, "train")) == 1
    with pytest.raises(UsageError, match="it has train/, but no test/"):
        PairedFolder(tmp_path)


def test_folders_that_hold_no_pairs(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        PairedFolder(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"holds no pairs; allowed are SPLIT/SCENE/\{blur,sharp\}/"):
        PairedFolder(tmp_path)


def test_a_scene_without_its_blur_folder(tmp_path):
    put(tmp_path / "scene" / "sharp" / "a.png")
    with pytest.raises(UsageError, match="blur is missing beside .*sharp"):
        PairedFolder(tmp_path)


@pytest.mark.parametrize(("extra", "other"), [("input", "target"), ("target", "input")])
def test_an_image_without_a_partner_is_named_with_both_folders(tmp_path, extra, other):
    put(tmp_path / "input" / "a.png")
    put(tmp_path / "target" / "a.png")
    put(tmp_path / extra / "b.png")
    with pytest.raises(UsageError, match=f"1 images have no partner, first 'b': in .*{extra}, not in .*{other}"):
        PairedFolder(tmp_path)


def test_a_pair_of_two_sizes(tmp_path):
    put(tmp_path / "input" / "a.png", picture(20, 24))
    put(tmp_path / "target" / "a.png", picture(24, 20))
    with pytest.raises(UsageError, match="pair a: .* has 24x20 pixels, .* has 20x24"):
        PairedFolder(tmp_path)


# Crops


def test_a_batch_depends_on_the_seed_and_the_step_alone():
    pictures = [picture(60, 70), picture(50, 64)]
    batches = Crops(pictures, Shake(), 16, 3, seed=4)
    expected = [torch.stack(batches[step]) for step in range(5)]
    for step in (3, 0, 4, 3):
        assert torch.equal(torch.stack(Crops(pictures, Shake(), 16, 3, seed=4)[step]), expected[step])
    assert not torch.equal(expected[0], expected[1])
    assert not torch.equal(torch.stack(Crops(pictures, Shake(), 16, 3, seed=5)[0]), expected[0])


def test_a_batch_has_its_shape_and_range():
    blurred, sharp = Crops([picture(60, 70)], Shake(), 24, 5)[0]
    for batch in (blurred, sharp):
        assert (batch.shape, batch.dtype) == ((5, 3, 24, 24), torch.float32)
        assert 0 <= batch.min() <= batch.max() <= 1
    assert not torch.equal(blurred, sharp)


def test_crops_are_pieces_of_the_picture_turned_and_mirrored():
    """A picture that holds its own coordinates says where a crop was taken and how it lies."""
    rows, columns = np.mgrid[:40, :40].astype(np.uint8)
    source = np.dstack([rows, columns, np.zeros_like(rows)])
    ways = set()
    for step in range(40):
        blurred, sharp = Crops([source], STILL, 8, 1, margin=4)[step]
        assert torch.equal(blurred, sharp)
        crop = (sharp[0] * 255).round().permute(1, 2, 0).numpy().astype(int)
        down, right = crop[1, 0] - crop[0, 0], crop[0, 1] - crop[0, 0]
        ways.add((*down[:2], *right[:2]))
        expected = crop[0, 0] + np.arange(8)[:, None, None] * down + np.arange(8)[None, :, None] * right
        np.testing.assert_array_equal(crop, expected)
        assert crop[..., :2].min() >= 4
        assert crop[..., :2].max() < 36
    assert len(ways) == 8


def test_the_reflected_border_of_the_blur_is_never_seen():
    source = picture(80, 80)
    blurred, sharp = Crops([source], GaussianBlur(2.0), 40, 1, margin=20)[0]
    whole = torch.nn.functional.pad(sharp, (20,) * 4, mode="reflect")
    with_reflection = GaussianBlur(2.0)(whole, RNG)[..., 20:-20, 20:-20]
    torch.testing.assert_close(blurred[..., 10:-10, 10:-10], with_reflection[..., 10:-10, 10:-10])
    assert not torch.equal(blurred, with_reflection)


def test_pictures_that_are_too_small_are_left_out():
    assert len(Crops([picture(40, 90), picture(39, 90)], STILL, 16, 1).pictures) == 1
    with pytest.raises(UsageError, match=r"no picture is as large as a crop with its margin \(41 pixels\)"):
        Crops([picture(40, 90)], STILL, 17, 1)


def test_training_pictures_are_photos_in_three_sizes_and_leaves():
    found = datasets.training_pictures(STILL, leaves=1, leaf_size=32)
    train = photos("train")
    assert len(found) == 3 * len(train) + 1
    np.testing.assert_array_equal(found[0], train[0].pixels)
    assert found[2 * len(train)].shape[:2] == tuple(round(side * 0.5) for side in train[0].pixels.shape[:2])
    assert found[-1].shape == (32, 32, 3)


def own_photos(folder):
    """Two photos of a user's, on disk."""
    put(folder / "a.png", picture(40, 60))
    put(folder / "b.png", np.full((50, 30, 3), 200, np.uint8))
    return datasets.folder_paths(folder)[0]


def test_training_pictures_of_the_users_own_photos(tmp_path):
    own = own_photos(tmp_path)
    found = datasets.training_pictures(STILL, leaves=1, leaf_size=32, own=own)
    assert len(found) == 7
    np.testing.assert_array_equal(found[0], images.read(own[0]))
    assert found[6].shape == (32, 32, 3)
    assert [found[index].shape[:2] for index in range(2, 6)] == [(28, 42), (35, 21), (20, 30), (25, 15)]


def test_photos_on_disk_are_decoded_when_asked_and_kept_within_a_budget(tmp_path, monkeypatch):
    read, decode = [], images.read
    monkeypatch.setattr(images, "read", lambda path: read.append(path.stem) or decode(path))
    found = datasets.DiskPictures(own_photos(tmp_path), STILL.prepare, budget=40 * 60 * 3)
    assert read == []
    for index in (0, 0, 1, 0):  # both do not fit
        assert len(found[index])
    assert read == ["a", "b", "a"]
    assert sum(each.nbytes for each in found._kept.values()) <= 40 * 60 * 3


def test_photos_on_disk_that_are_too_small_are_known_by_their_headers(tmp_path, monkeypatch):
    paths = own_photos(tmp_path)
    monkeypatch.setattr(images, "read", lambda path: pytest.fail("decoded"))
    found = datasets.DiskPictures(paths, STILL.prepare, [picture(30, 30), picture(20, 20)])
    assert [(path.stem, scale) for path, scale in found.at_least(28).photos] == [("a", 1.0), ("b", 1.0), ("a", 0.7)]
    assert len(found.at_least(28)) == 4
    with pytest.raises(UsageError, match="no picture is as large"):
        Crops(found, STILL, 60, 1)


def test_crops_of_a_folder_are_those_of_the_same_pictures_in_memory(tmp_path):
    on_disk = datasets.training_pictures(STILL, leaves=1, leaf_size=32, own=own_photos(tmp_path))
    crops = [Crops(pictures, STILL, 12, 4, margin=2)[3] for pictures in (on_disk, list(on_disk))]
    assert all(torch.equal(*pair) for pair in zip(*crops, strict=True))


def test_synthetic_pairs_blur_photo_i_by_seed_and_i():
    pictures = [Photo("a", picture(32, 40)), Photo("b", picture(36, 20))]
    first = list(datasets.synthetic_pairs(Shake(), pictures, seed=2))
    second = list(datasets.synthetic_pairs(Shake(), pictures[::-1], seed=2))
    assert [name for name, _, _ in first] == ["a", "b"]
    for (_, blurred, sharp), photo in zip(first, pictures, strict=True):
        torch.testing.assert_close(sharp, images.to_tensor(photo.pixels))
        assert blurred.shape == sharp.shape
    expected = Shake()(images.to_tensor(pictures[1].pixels), np.random.default_rng([2, 1]))
    assert torch.equal(first[1][1], expected)
    assert not torch.equal(second[0][1], expected)


@pytest.fixture
def graded(tmp_path):
    """Two pairs whose pixels know their place: red the column, green the row, blue the pair; blurred is sharp + 100."""
    for index in range(2):
        sharp = np.zeros((40, 60, 3), np.uint8)
        sharp[..., 0], sharp[..., 1], sharp[..., 2] = np.arange(60), np.arange(40)[:, None], index
        for folder, pixels in (("input", sharp + 100), ("target", sharp)):
            put(tmp_path / folder / f"{index}.png", pixels)
    return PairedFolder(tmp_path)


def test_pair_crops_show_the_same_place_of_both_pictures(graded):
    blurred, sharp = (np.rint(255 * part.numpy()).astype(int) for part in PairCrops(graded, 16, 6, seed=1)[3])
    assert blurred.shape == sharp.shape == (6, 3, 16, 16)
    np.testing.assert_array_equal(blurred, sharp + 100)
    assert len({tuple(crop[:, 0, 0]) for crop in sharp}) > 3  # several places
    assert set(np.unique(sharp[:, 2])) == {0, 1}  # of both pairs
    steps = {(abs(np.diff(crop[0], axis=1)).max(), abs(np.diff(crop[0], axis=0)).max()) for crop in sharp}
    assert steps == {(1, 0), (0, 1)}  # some were turned


def test_pair_crops_depend_on_the_seed_and_the_step_alone(graded):
    crops = PairCrops(graded, 16, 2, seed=1)
    first, other_step = crops[5][0], crops[6][0]
    assert torch.equal(first, PairCrops(graded, 16, 2, seed=1)[5][0])
    assert not torch.equal(first, other_step)
    assert not torch.equal(first, PairCrops(graded, 16, 2, seed=2)[5][0])


def test_pair_crops_can_begin_on_a_grid(graded):
    crops = PairCrops(graded, 16, 60, seed=1, grid=8)[0][1]
    corners = {(int(crop[0].min() * 255 + 0.5), int(crop[1].min() * 255 + 0.5)) for crop in crops}
    assert corners <= {(left, top) for left in range(0, 45, 8) for top in range(0, 25, 8)}
    assert len(corners) > 12  # of 24


def test_crops_of_one_pair_share_its_files_and_differ(graded, monkeypatch):
    opened, real = [], PairedFolder.__getitem__
    monkeypatch.setattr(PairedFolder, "__getitem__", lambda self, index: opened.append(index) or real(self, index))
    crops, _ = PairCrops(graded, 16, 5, seed=3, each=2)[0]
    assert (len(opened), crops.shape) == (3, (5, 3, 16, 16))
    assert not torch.equal(crops[0], crops[1])


def test_pairs_can_be_reduced_first_and_must_hold_the_crop(graded):
    blurred, sharp = PairCrops(graded, 20, 1, resize=20)[0]
    assert sharp.shape == (1, 3, 20, 20)
    assert sharp[:, 0].max() > 55 / 255  # the whole width is in it
    with pytest.raises(UsageError, match="pair 0 has 60x40 pixels, too few for a crop of 41|pair 1 has 60x40"):
        PairCrops(graded, 41, 1)[0]


def test_own_photos_take_the_place_of_the_bundled_ones(tmp_path):
    put(tmp_path / "mine.png", np.full((100, 120, 3), 7, np.uint8))
    found = list(training_pictures(Shake(), 0, own=[tmp_path / "mine.png"]))
    assert [picture.shape for picture in found] == [(100, 120, 3), (70, 84, 3), (50, 60, 3)]
    assert {int(picture.max()) for picture in found} == {7}


def test_true_psfs_are_those_of_the_synthetic_pairs():
    shake = Shake(shot=0, read=0)
    pictures = [Photo("a", picture(32, 40)), Photo("b", picture(36, 30))]
    psfs = datasets.true_psfs(shake, 2, seed=3)
    for (_, blurred, sharp), psf in zip(datasets.synthetic_pairs(shake, pictures, seed=3), psfs, strict=True):
        told = images.to_srgb(kernels.convolve(images.to_linear(sharp), psf))
        assert torch.equal(images.quantize(told), blurred)


def test_a_degradation_without_one_psf_says_so():
    with pytest.raises(UsageError, match="Rescale is no blur by one known PSF"):
        datasets.true_psfs(Rescale(), 2)


def test_a_choice_of_crops_takes_those_with_detail_and_one_choice_takes_them_as_they_come():
    """Half of the picture is flat; a crop of it is taken only where both draws fall there."""
    picture = np.zeros((64, 400, 3), np.uint8)
    picture[:, 200:] = np.random.default_rng(0).integers(0, 256, (64, 200, 3))

    def flat(choices):
        crops = Crops([picture], GaussianBlur(0.5), 16, 200, margin=4, choices=choices)
        return (crops[0][1].std((1, 2, 3)) < 0.01).float().mean().item()

    assert flat(1) == pytest.approx(0.5, abs=0.1)
    assert flat(2) == pytest.approx(0.25, abs=0.08)


def test_a_folders_photos_are_read_one_at_a_time(tmp_path, monkeypatch):
    for name in "abc":
        put(tmp_path / f"{name}.png")
    opened, real = [], images.read
    monkeypatch.setattr(images, "read", lambda path: opened.append(path.name) or real(path))
    chosen, _ = datasets.folder_photos(tmp_path)
    assert (len(chosen), len(chosen[1:]), opened) == (3, 2, [])
    for count, (name, _, _) in enumerate(datasets.synthetic_pairs(Shake(), chosen), start=1):
        assert opened == [f"{each}.png" for each in "abc"[:count]]
        assert name == "abc"[count - 1]
