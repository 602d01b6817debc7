"""Weights, networks, notebooks, records and videos with bytes changed by a seeded hand: each is read, or refused in one
sentence. Photos have their own file, ``tests/images/test_fuzz.py``; with it 10,000 and more in ``make test-all``."""

import json
import warnings

import nbformat
import numpy as np
import pytest
import torch
from shared import mutated

from kdsharp import checkpoints, export, video
from kdsharp.checks import UsageError
from kdsharp.course import editions
from kdsharp.datasets import photos
from kdsharp.models.nafnet import NAFNet
from kdsharp.sweep import records
from kdsharp.video import frames

PHOTO = photos("train")[0].pixels[:96, :128]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A whole file of each kind, by suffix."""
    folder = tmp_path_factory.mktemp("whole")
    tiny = checkpoints.load("tiny")
    checkpoints.save(folder / "a.safetensors", tiny.model, **tiny.meta)
    torch.save({"params": NAFNet(width=4, encoder=(1, 1), middle=1, decoder=(1, 1)).state_dict()}, folder / "a.pth")
    export.export(tiny.model, folder / "a.onnx", pixels=True)
    for suffix in (".mp4", ".mkv", ".mov"):
        frames.write(frames.pan(PHOTO, (48, 64), 6), folder / f"a{suffix}")
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


def weights(path):
    checkpoints.load(path).model(torch.zeros(1, 3, 32, 32))


def network(path):
    export.load(path).pixels(PHOTO[:32, :32])


def film(path):
    video.sharpen_video(lambda pixels: pixels, path, path.with_name(f"back{path.suffix}"))


DOORS = {".safetensors": weights, ".pth": weights, ".onnx": network, ".mp4": film, ".mkv": film, ".mov": film}


def raw_errors(content, path, door, count, seed=0):
    """What came out that was neither a result nor one sentence with the file's name."""
    rng, found = np.random.default_rng(seed), []
    for number in range(count):
        path.write_bytes(mutated(content, rng))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                door(path)
        except UsageError as error:
            if "\n" in str(error) or path.name not in str(error):
                found.append((number, str(error)))
        except Exception as error:  # noqa: BLE001
            found.append((number, f"{type(error).__name__}: {error}"[:200]))
    return found


@pytest.mark.parametrize("suffix", DOORS)
def test_some_mutations_of_each_kind(originals, suffix, tmp_path):
    assert raw_errors(originals[suffix], tmp_path / f"a{suffix}", DOORS[suffix], 20) == []


@pytest.mark.long
@pytest.mark.parametrize("suffix", DOORS)
def test_hundreds_of_mutations_of_each_kind(originals, suffix, tmp_path):
    assert raw_errors(originals[suffix], tmp_path / f"a{suffix}", DOORS[suffix], 400, seed=1) == []


def test_a_course_copy_with_a_damaged_lesson_is_trouble_by_name_and_never_a_traceback(tmp_path, monkeypatch):
    name, path = next(iter(editions.lessons().items()))
    monkeypatch.setattr(editions, "lessons", lambda: {name: path})
    editions.start(tmp_path / "mine")
    copy = tmp_path / "mine" / f"{name}.ipynb"
    whole, rng = copy.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        copy.write_bytes(mutated(whole, rng))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = editions.update(tmp_path / "mine")
        assert all("\n" not in change.trouble for change in found)
    copy.write_bytes(whole)
    assert nbformat.read(copy, as_version=4).cells


def test_a_damaged_record_of_a_sweep_is_one_sentence(tmp_path):
    record = json.dumps({"id": "0" * 16, "ok": True, "parameters": {}, "finished": "2026", "seconds": 1.0})
    rng = np.random.default_rng(0)
    (tmp_path / "points").mkdir()
    for _ in range(200):
        (tmp_path / "points" / "0000.json").write_bytes(mutated(record.encode(), rng))
        said = "0000.json is not the record of a point"
        try:
            records.read_records(tmp_path)
        except UsageError as error:
            said = str(error)
        assert "0000.json is not the record of a point" in said
