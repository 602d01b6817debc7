"""A lecturer's own folder of photos: it changes what networks are scored on, and a bad one is named in a sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.course.given.teacher import EdgeNet
from kdsharp.datasets import dead_leaves
from kdsharp.labs import find_lab, hidden, lab3, lab5
from kdsharp.labs.folder import ClassFolder
from kdsharp.labs.spec import Secret


@pytest.fixture
def photos(tmp_path):
    """A folder of four photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        tiles = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(tiles.repeat(8, 0).repeat(8, 1)).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("lab", [lab3, lab5])
def test_its_photos_are_what_a_network_is_scored_on(photos, lab):
    _, sharp = lab.hidden_pairs(Secret(b"key", photos))[0]
    assert sharp.shape == (1, 3, 96, 96)
    assert np.array_equal((sharp[0] * 255).round().byte().permute(1, 2, 0), Image.open(photos / "0.png"))
    _, other = lab.hidden_pairs(Secret(b"key"))[0]
    assert other.shape != sharp.shape or not torch.equal(other, sharp)


def test_the_score_is_another(photos):
    exercise = next(each for each in find_lab("lab3").exercises if each.name == "teacher")
    torch.manual_seed(0)
    network = EdgeNet()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    answers = {"weights": {name: value.numpy() for name, value in network.state_dict().items()}}
    said = [exercise.mark(answers, exercise.ask(Secret(b"key", folder))).message for folder in (None, photos)]
    assert all("dB" in each for each in said)
    assert said[0] != said[1]


def test_what_was_marked_with_other_photos_is_marked_anew(home, tiny, handed_in, photos):
    student = handed_in("zoe")
    none = home.digest(tiny, student)
    home.hide(photos)
    first = home.digest(tiny, student)
    Image.fromarray(dead_leaves(96, np.random.default_rng(9))).save(photos / "0.png")
    assert len({none, first, home.digest(tiny, student)}) == 3


def test_photos_are_read_once_for_a_whole_class_and_only_those_that_count(home, tiny, handed_in, photos, monkeypatch):
    (photos / "9.png").write_bytes(b"never opened")
    opened, read, content = [], images.read, Path.read_bytes
    monkeypatch.setattr(images, "read", lambda path, **how: opened.append(path.name) or read(path, **how))
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or content(path))
    home.hide(photos)
    for student in ("ann", "bob"):
        handed_in(student)
        assert home.digest(tiny, student)
        for lab in (lab3, lab5):
            assert lab.hidden_pairs(home.secret)
    of_photos = sorted(name for name in opened if name.endswith(".png"))
    assert of_photos == sorted(2 * [f"{number}.png" for number in range(hidden.COUNT)])  # pixels once, bytes once
    Image.fromarray(dead_leaves(96, np.random.default_rng(9))).save(photos / "0.png")
    _, sharp = lab3.hidden_pairs(home.secret)[0]
    assert np.array_equal((sharp[0] * 255).round().byte().permute(1, 2, 0), Image.open(photos / "0.png"))


def text_alone(folder):
    (folder / "notes.txt").write_text("soon")


def grey_alone(folder):
    Image.new("L", (80, 80)).save(folder / "grey.png")


def one_too_few(folder):
    for number in range(hidden.COUNT - 1):
        Image.new("RGB", (80, 80)).save(folder / f"{number}.png")


def one_too_small(folder):
    for number in range(hidden.COUNT):
        Image.new("RGB", (80, 80 if number else 20)).save(folder / f"{number}.png")


def one_cut_off(folder):
    one_too_few(folder)
    Image.fromarray(dead_leaves(96, np.random.default_rng(0))).save(folder / "whole.png")
    content = (folder / "whole.png").read_bytes()
    (folder / "whole.png").unlink()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])


BAD = [lambda folder: None, text_alone, grey_alone, one_too_few, one_too_small, one_cut_off, None]


@pytest.mark.parametrize("make", BAD)
def test_a_bad_folder_gets_a_sentence(home, tmp_path, make):
    folder = tmp_path / "bad"
    if make is not None:
        folder.mkdir()
        make(folder)
    with pytest.raises(UsageError) as found:
        home.hide(folder)
    assert "\n" not in str(found.value)
    assert "bad" in str(found.value) or "cut.png" in str(found.value)
    assert home.hidden is None


@pytest.mark.long
def test_the_command_says_it_too(kdsharp, tmp_path, bwrap):
    (tmp_path / "empty").mkdir()
    ClassFolder(tmp_path / "my-class")
    done = kdsharp("labs", "mark", "lab3", "--hidden", "empty")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr + done.stdout
    assert "empty" in done.stderr + done.stdout
