"""NAFNet: the published size, blocks that start as the identity, and local means."""

import pytest
import torch
from torch.nn import functional as F

from kdsharp.models import count_parameters
from kdsharp.models.nafnet import LOCAL_WINDOW, Mean, NAFBlock, NAFNet, gate, local_mean


def on_meta(**sizes):
    with torch.device("meta"):
        return NAFNet(**sizes)


def shaken(model):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=generator))
    return model.eval()


@pytest.mark.parametrize("window", [None, LOCAL_WINDOW])
def test_the_published_size(window):
    model = on_meta(window=window)
    assert (count_parameters(model), len(model.state_dict())) == (17_111_907, 664)


def test_the_names_of_the_official_file():
    """Written out from the list of the design, not from the network."""
    layers = [f"conv{n}" for n in range(1, 6)] + ["sca.1", "norm1", "norm2"]
    in_a_block = [f"{layer}.{what}" for layer in layers for what in ("weight", "bias")] + ["beta", "gamma"]
    rows = {"encoders.0": 1, "encoders.1": 1, "encoders.2": 1, "encoders.3": 28, "middle_blks": 1}
    rows |= {f"decoders.{level}": 1 for level in range(4)}
    expected = {f"{row}.{i}.{key}" for row, count in rows.items() for i in range(count) for key in in_a_block}
    expected |= {f"{layer}.{what}" for layer in ("intro", "ending") for what in ("weight", "bias")}
    expected |= {f"downs.{level}.{what}" for level in range(4) for what in ("weight", "bias")}
    expected |= {f"ups.{level}.0.weight" for level in range(4)}
    assert on_meta().state_dict().keys() == expected == on_meta(window=LOCAL_WINDOW).state_dict().keys()


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("encoders.3.27.conv2.weight", (512, 1, 3, 3)),
        ("middle_blks.0.sca.1.weight", (512, 512, 1, 1)),
        ("decoders.0.0.conv4.weight", (512, 256, 1, 1)),
        ("decoders.3.0.beta", (1, 32, 1, 1)),
        ("downs.0.weight", (64, 32, 2, 2)),
        ("ups.0.0.weight", (1024, 512, 1, 1)),
        ("ending.weight", (3, 32, 3, 3)),
    ],
)
def test_shapes_by_hand(key, shape):
    assert on_meta().state_dict()[key].shape == shape


def test_a_new_block_is_the_identity_and_beta_and_gamma_switch_its_halves_on():
    block, x = NAFBlock(4, None), torch.rand(2, 4, 8, 8)
    with torch.no_grad():
        assert torch.equal(block(x), x)
        block.beta.fill_(1.0)
        mixed = block(x)
        block.beta.zero_()
        block.gamma.fill_(1.0)
        fed = block(x)
    assert not torch.allclose(mixed, x)
    assert not torch.allclose(fed, x)


def test_a_block_by_its_formula():
    block, x = shaken(NAFBlock(3, None)), torch.randn(1, 3, 5, 7)

    def norm(x, layer):
        centred = x - x.mean(1, keepdim=True)
        scaled = centred / (centred.square().mean(1, keepdim=True) + 1e-6).sqrt()
        return layer.weight.view(1, 3, 1, 1) * scaled + layer.bias.view(1, 3, 1, 1)

    with torch.no_grad():
        inner = block.conv2(block.conv1(norm(x, block.norm1)))
        inner = inner[:, :3] * inner[:, 3:]
        factors = block.sca[1].weight[..., 0, 0] @ inner[0].mean((1, 2)) + block.sca[1].bias
        y = x + block.beta * block.conv3(inner * factors.view(1, 3, 1, 1))
        inner = block.conv4(norm(y, block.norm2))
        expected = y + block.gamma * block.conv5(inner[:, :3] * inner[:, 3:])
        torch.testing.assert_close(block(x), expected)


def test_a_body_of_new_blocks_adds_nothing():
    """With beta and gamma at zero the middle of the network does not depend on what the blocks hold."""
    first, second = (NAFNet(width=4, encoder=(1, 2), decoder=(1, 1)) for _ in range(2))
    shaken(first)
    with torch.no_grad():
        for key, value in first.named_parameters():
            if key.endswith(("beta", "gamma")):
                value.zero_()
    weights = first.state_dict()
    shells = {key: value for key, value in weights.items() if key.startswith(("intro", "ending", "downs", "ups"))}
    second.load_state_dict(second.state_dict() | shells)
    image = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert not torch.allclose(first(image), image)
        torch.testing.assert_close(first(image), second(image))


def test_the_gate_multiplies_halves():
    assert gate(torch.tensor([2.0, 3.0, 5.0, 7.0]).view(1, 4, 1, 1)).flatten().tolist() == [10.0, 21.0]


@pytest.mark.parametrize("window", [1, 2, 3, 6, 9])
def test_local_means_against_pooling(window):
    x = torch.randn(2, 3, 10, 13, dtype=torch.float64)
    before, after = (window - 1) // 2, window // 2
    expected = F.pad(F.avg_pool2d(x, window, stride=1), (before, after, before, after), mode="replicate")
    torch.testing.assert_close(local_mean(x.float(), window).double(), expected, rtol=1e-5, atol=1e-5)


def test_a_window_that_covers_one_side_only():
    x = torch.rand(1, 2, 4, 20)
    found = local_mean(x, 6)
    assert found.shape == (1, 2, 1, 20)
    torch.testing.assert_close(found[0, :, 0, 10], x[..., 8:14].mean((0, 2, 3)))


@pytest.mark.parametrize("window", [8, 12, 1000])
def test_a_window_that_covers_the_picture_is_the_global_mean(window):
    x = torch.rand(2, 3, 8, 6)
    torch.testing.assert_close(Mean(window)(x), Mean(None)(x))
    assert Mean(window)(x).shape == (2, 3, 1, 1)


def test_local_means_are_local():
    x = torch.zeros(1, 1, 40, 40)
    x[..., :10] = 1.0
    found = Mean(8)(x)
    assert found[..., 30].abs().max() < 1e-6 < found[..., 10].min()
    assert Mean(None)(x).item() == 0.25


def test_half_precision_keeps_its_digits():
    """A running sum in bfloat16 stops growing at 256: the mean of ones would vanish."""
    found = local_mean(torch.ones(1, 1, 2000, 3, dtype=torch.bfloat16), 100)
    assert found.dtype == torch.bfloat16
    assert (found == 1).all()


def test_the_window_is_measured_in_pixels_of_the_input():
    model = on_meta(window=LOCAL_WINDOW)
    rows = [model.encoders[level] for level in range(4)] + [model.middle_blks] + list(model.decoders)
    assert [row[0].sca[0].window for row in rows] == [384, 192, 96, 48, 24, 48, 96, 192, 384]


def test_the_local_variant_differs_only_beyond_its_window():
    sizes = {"width": 4, "encoder": (1, 1), "decoder": (1, 1)}
    plain, local = NAFNet(**sizes), NAFNet(**sizes, window=32)
    local.load_state_dict(shaken(plain).state_dict())
    small, large = torch.rand(1, 3, 29, 32), torch.rand(1, 3, 48, 64)
    with torch.no_grad():
        torch.testing.assert_close(local(small), plain(small))
        assert (local(large) - plain(large)).abs().max() > 1e-5
        assert local(large).shape == large.shape


def test_gradients_pass_through_local_means():
    x = torch.rand(1, 2, 7, 9, requires_grad=True)
    local_mean(x, 4).sum().backward()
    assert (x.grad > 0).all()


def test_sides_are_padded_to_sixteen():
    model, seen = NAFNet(), []
    model.intro.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[-2:]))
    with torch.no_grad():
        assert model(torch.rand(1, 3, 17, 40)).shape == (1, 3, 17, 40)
    assert seen == [(32, 48)]
