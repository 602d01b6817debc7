"""Official files: what their authors' form holds comes back bit for bit, and every other file is one sentence."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kdsharp import checkpoints, evaluate, images
from kdsharp.checks import UsageError
from kdsharp.models import build, count_parameters
from kdsharp.models.nafnet import NAFNet
from kdsharp.models.restormer import Restormer

SMALL = {
    "restormer": (Restormer, {"dim": 8, "blocks": (1, 2, 1, 3), "refinement": 2, "heads": (1, 2, 2, 4)}),
    "nafnet-local": (NAFNet, {"width": 4, "encoder": (1, 3), "middle": 2, "decoder": (2, 1)}),
}


def weights_of(model):
    generator = torch.Generator().manual_seed(0)
    return {key: 0.2 * torch.randn(value.shape, generator=generator) for key, value in model.state_dict().items()}


def write(path, weights, group="params"):
    torch.save(weights if group is None else {group: weights}, path)
    return path


def refusal(path):
    with pytest.raises(UsageError) as caught:
        checkpoints.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    assert str(path) in message
    return message


@pytest.fixture
def weights():
    network, sizes = SMALL["restormer"]
    return weights_of(network(**sizes))


@pytest.mark.parametrize("group", ["params", "params_ema", "state_dict", None])
@pytest.mark.parametrize("name", SMALL)
def test_round_trip(tmp_path, name, group):
    network, sizes = SMALL[name]
    weights = weights_of(network(**sizes))
    found = checkpoints.load(write(tmp_path / "net.pth", weights, group))
    assert found.name == "net"
    assert found.model.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[key]) for key, value in found.model.state_dict().items())
    assert found.meta["architecture"] == name
    assert {key: found.meta[key] for key in sizes} == sizes
    plain = network(**sizes).to(memory_format=torch.channels_last)
    plain.load_state_dict(weights)
    image = torch.rand(1, 3, 20, 30)
    torch.testing.assert_close(found.model(image), plain(image).detach(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("name", "parameters"), [("restormer", 26_126_644), ("nafnet", 17_111_907)])
def test_round_trip_of_the_published_sizes(tmp_path, name, parameters):
    weights = build(name, seed=2).state_dict()
    found = checkpoints.load(write(tmp_path / "official.pth", weights))
    assert count_parameters(found.model) == parameters
    assert found.model.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[key]) for key, value in found.model.state_dict().items())


@pytest.mark.parametrize(("dim", "expansion"), [(6, 1.0), (6, 2.0), (6, 2.66), (6, 3.999), (14, 1.03)])
def test_the_expansion_is_told_from_any_width(tmp_path, dim, expansion):
    """At dim 14 the latent level has int(1.03 * 112) = 115 hidden channels, and 115 / 112 * 112 is below 115."""
    model = Restormer(dim=dim, blocks=(1, 1, 1, 1), refinement=1, heads=(1, 1, 1, 1), expansion=expansion)
    assert checkpoints.load(write(tmp_path / "net.pth", model.state_dict())).meta["dim"] == dim


def test_the_average_over_the_training_is_taken_first(tmp_path, weights):
    averaged = {key: value + 1 for key, value in weights.items()}
    path = tmp_path / "net.pth"
    torch.save({"params_ema": averaged, "params": weights}, path)
    found = checkpoints.load(path)
    assert all(torch.equal(value, averaged[key]) for key, value in found.model.state_dict().items())
    assert found.meta["weights"] == "'params_ema' of the file"


def test_the_prefix_of_several_cards_is_taken_off(tmp_path, weights):
    wrapped = {f"module.{key}": value for key, value in weights.items()}
    found = checkpoints.load(write(tmp_path / "net.pth", wrapped, "state_dict"))
    assert all(torch.equal(value, weights[key]) for key, value in found.model.state_dict().items())
    assert found.meta["weights"] == "'state_dict' of the file, without 'module.'"


def test_nafnet_comes_with_local_means(tmp_path):
    network, sizes = SMALL["nafnet-local"]
    found = checkpoints.load(write(tmp_path / "net.pth", network(**sizes).state_dict()))
    assert found.meta["window"] == 384
    assert [found.model.encoders[level][0].sca[0].window for level in (0, 1)] == [384, 192]


def test_a_loaded_network_is_ready_for_use(tmp_path, weights):
    model = checkpoints.load(str(write(tmp_path / "net.pth", weights))).model
    assert not model.training
    assert not any(value.requires_grad or value.is_meta for value in model.parameters())
    assert model.patch_embed.proj.weight.is_contiguous(memory_format=torch.channels_last)


def test_half_precision_is_widened(tmp_path, weights):
    halves = {key: value.half() for key, value in weights.items()}
    found = checkpoints.load(write(tmp_path / "net.pth", halves)).model.state_dict()
    assert all(value.dtype == torch.float32 and torch.equal(value, halves[key].float()) for key, value in found.items())


def test_a_table_takes_official_files(tmp_path, weights):
    path = str(write(tmp_path / "net.pth", weights))
    assert list(evaluate.contestants([path], "shake")) == ["input", "unsharp", path]


def test_the_command_sharpens_with_an_official_file(kdsharp, tmp_path, photo, weights):
    path = write(tmp_path / "motion_deblurring.pth", weights)
    done = kdsharp("sharpen", photo, "--out", tmp_path / "out", "--model", path)
    assert done.returncode == 0, done.stderr
    assert not np.array_equal(images.read(tmp_path / "out" / "photo.png"), images.read(photo))
    path.write_bytes(path.read_bytes()[:-5000])
    done = kdsharp("sharpen", photo, "--out", tmp_path / "out", "--model", path)
    assert done.returncode == 2
    assert "motion_deblurring.pth is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_that_does_not_exist(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.pth")
    assert "does not exist" in refusal("none.pth")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0, 0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_file(tmp_path, weights, share, zipped):
    path = tmp_path / "net.pth"
    torch.save({"params": weights}, path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + bytes(1000), b"<html>404</html>", b"version https://git-lfs"]
)
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    assert "is damaged or no PyTorch file" in refusal(path)


def test_safetensors_under_a_wrong_suffix(tmp_path, weights):
    save_file(weights, tmp_path / "net.pth")
    assert "is damaged or no PyTorch file" in refusal(tmp_path / "net.pth")


class Trap:
    """A pickle that writes a file when it is loaded carelessly."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_an_object_is_refused_by_name_and_not_run(tmp_path, weights):
    path, sprung = tmp_path / "net.pth", tmp_path / "sprung"
    torch.save({"params": weights, "trap": Trap(str(sprung))}, path)
    assert "holds a Python object (" in refusal(path)
    assert "save its state_dict() alone" in refusal(path)
    assert not sprung.exists()


def test_a_whole_pickled_network_is_refused(tmp_path):
    torch.save(build("unshuffle-mini"), tmp_path / "net.pth")
    assert "(kdsharp.models.students.UnshuffleStudent)" in refusal(tmp_path / "net.pth")


@pytest.mark.parametrize("content", [[1, 2], 3.0, {}, {"params": {}}, {"params": 3}, {1: torch.zeros(1)}, {"a": "b"}])
def test_content_that_is_no_table_of_tensors(tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    assert "holds no table of named tensors" in refusal(tmp_path / "net.pth")


def test_weights_of_an_unknown_network(tmp_path):
    message = refusal(write(tmp_path / "net.pth", build("unet-mini").state_dict()))
    assert "tensors of an unknown network (bottom.0.conv1.bias" in message
    assert "give a .pth file of Restormer or NAFNet" in message


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (lambda weights: weights.pop("decoder_level2.1.norm1.body.bias"), "decoder_level2.1.norm1.body.bias"),
        (lambda weights: weights.update(bias=torch.zeros(1)), "bias"),
        (lambda weights: weights.update({"output.weight": torch.zeros(3, 8, 3, 3)}), "output.weight"),
    ],
)
def test_one_tensor_too_few_too_many_or_too_small(tmp_path, weights, change, first):
    change(weights)
    message = refusal(write(tmp_path / "net.pth", weights))
    assert f"than 'restormer': 1 tensors do not fit, first '{first}'" in message
    assert "as its authors published it" in message


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("latent.0.ffn.project_out.weight"),
        lambda weights: weights.update({"patch_embed.proj.weight": torch.zeros(())}),
        lambda weights: weights.update({"latent.0.ffn.project_out.weight": torch.zeros(5)}),
        lambda weights: weights.update({"latent.0.ffn.project_out.weight": torch.zeros(0, 5)}),
        lambda weights: weights.update({"latent.0.attn.temperature": torch.zeros(3, 1, 1)}),
        lambda weights: weights.update({"latent.0.attn.temperature": torch.zeros(0, 1, 1)}),
    ],
)
def test_sizes_that_cannot_be_read(tmp_path, weights, change):
    change(weights)
    assert "looks like 'restormer', but its sizes cannot be read (" in refusal(write(tmp_path / "net.pth", weights))
