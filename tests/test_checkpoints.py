"""Checkpoints: what is written comes back, and every wrong file is one sentence."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file

from kdsharp import checkpoints
from kdsharp.checks import UsageError
from kdsharp.models import build


def refusal(name):
    with pytest.raises(UsageError) as caught:
        checkpoints.load(name)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.fixture
def saved(tmp_path):
    return checkpoints.save(tmp_path / "net.safetensors", build("unshuffle-mini", 5), "unshuffle-mini", steps=7)


def foreign(path, text):
    metadata = None if text is None else {"kdsharp": text}
    save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    return path


def test_round_trip(saved):
    found = checkpoints.load(saved)
    assert found.name == "net"
    assert found.meta == {"architecture": "unshuffle-mini", "steps": 7} == checkpoints.read_meta(saved)
    expected = build("unshuffle-mini", 5).state_dict()
    assert found.model.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in found.model.state_dict().items())


def test_a_loaded_network_is_ready_for_use(saved):
    model = checkpoints.load(str(saved)).model
    assert not model.training
    assert not any(value.requires_grad for value in model.parameters())


def test_the_bundled_checkpoints_load_by_name():
    assert {"small", "teacher"} <= checkpoints.bundled().keys()
    for name, path in checkpoints.bundled().items():
        found = checkpoints.load(name)
        assert (found.name, path.stem) == (name, name)
        image = torch.rand(1, 3, 32, 32)
        assert found.model(image).shape == image.shape
        assert not torch.equal(found.model(image), image)  # it was trained: a new network is the identity


def test_an_unknown_name_lists_the_bundled_ones():
    assert "unknown model 'smal' (did you mean 'small'?)" in refusal("smal")


def test_a_path_that_does_not_exist(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.safetensors")
    assert "does not exist" in refusal("none.safetensors")
    assert "does not exist" in refusal(tmp_path)


@pytest.mark.parametrize("share", [0, 0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_file(saved, share):
    saved.write_bytes(saved.read_bytes()[: int(share * saved.stat().st_size)])
    assert "is damaged" in refusal(saved)


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    assert "is damaged" in refusal(path)


def test_safetensors_of_another_program(tmp_path):
    assert "was not written by kdsharp" in refusal(foreign(tmp_path / "net.safetensors", None))


def test_weights_of_another_network(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoints.save(path, build("unshuffle-mini"), "unshuffle")
    message = refusal(path)
    assert "weights of another network than 'unshuffle'" in message
    assert "first 'body.0.bias'" in message


@pytest.mark.parametrize(
    "change", [lambda weights: weights.pop("body.0.bias"), lambda weights: weights.update(x=torch.zeros(1))]
)
def test_one_tensor_too_few_or_too_many(tmp_path, change):
    weights = {key: value.contiguous() for key, value in build("unshuffle-mini").state_dict().items()}
    change(weights)
    save_file(
        weights, tmp_path / "net.safetensors", metadata={"kdsharp": json.dumps({"architecture": "unshuffle-mini"})}
    )
    assert ": 1 tensors do not fit" in refusal(tmp_path / "net.safetensors")


def test_an_architecture_of_a_later_version(tmp_path):
    assert "unknown architecture 'mamba'" in refusal(foreign(tmp_path / "net.safetensors", '{"architecture": "mamba"}'))


@pytest.mark.parametrize("text", ["{}", "{", "[]"])
def test_metadata_that_is_not_ours(tmp_path, text):
    refusal(foreign(tmp_path / "net.safetensors", text))


def test_save_refuses_an_unknown_architecture_and_leaves_nothing(tmp_path):
    with pytest.raises(UsageError, match="unknown architecture"):
        checkpoints.save(tmp_path / "net.safetensors", build("unshuffle-mini"), "unshufle")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    def half(weights, path, metadata):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoints, "save_file", half)
    with pytest.raises(OSError, match="no space"):
        checkpoints.save(tmp_path / "net.safetensors", build("unshuffle-mini"), "unshuffle-mini")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_your_own_may_carry_a_bundled_name(saved, tmp_path):
    own = shutil.copy(saved, tmp_path / "small.safetensors")
    assert checkpoints.load(own).meta["architecture"] == "unshuffle-mini"
    assert checkpoints.load("small").meta["architecture"] == "unet-small"


def test_the_data_folder_holds_the_photo_table():
    assert (checkpoints.data_folder() / "photos.toml").is_file()
