"""Networks: shapes, start as the identity, seeds, and what they cost."""

import pytest
import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.models import MODELS, build, count_macs, count_parameters
from kdsharp.models.blocks import ChannelNorm, ResidualBlock, blocks, conv3x3, interpolated, window_means, zero_last
from kdsharp.models.students import UnshuffleStudent
from kdsharp.models.unet import ResidualUNet

PUBLISHED = {"restormer": 2_400_000, "nafnet": 260_000, "nafnet-local": 260_000}
"""Upper bounds in MACs per pixel of the networks that are loaded, not trained here."""

OWN = [name for name in MODELS if not name.startswith("report-")]
"""Networks that start as the identity; the reports' do not, and have a test of their own."""


def shaken(name):
    """A network whose zero head was moved, so that its answer depends on all of its layers."""
    model = build(name)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.02 * torch.randn(value.shape, generator=torch.Generator().manual_seed(value.numel())))
    return model.eval()


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("size", [(16, 16), (17, 23), (40, 33)])
def test_any_size_comes_back_and_a_new_network_is_the_identity(name, size):
    image = torch.rand(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(build(name)(image), image)
        assert shaken(name)(image).shape == image.shape


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_gets_a_gradient(name):
    model = shaken(name)
    model(torch.rand(1, 3, 24, 24)).square().mean().backward()
    assert [key for key, value in model.named_parameters() if value.grad is None or not value.grad.any()] == []


@pytest.mark.parametrize("name", MODELS)
def test_the_images_of_a_batch_do_not_see_each_other(name):
    model, images = shaken(name), torch.rand(2, 3, 16, 24)
    with torch.no_grad():
        torch.testing.assert_close(model(images)[:1], model(images[:1]), rtol=1e-4, atol=1e-5)


def test_the_seed_decides_and_the_callers_generator_is_left_alone():
    torch.manual_seed(1)
    first = build("unshuffle-mini", seed=3).state_dict()
    drawn = torch.rand(1)
    torch.manual_seed(1)
    torch.testing.assert_close(torch.rand(1), drawn)
    again, other = build("unshuffle-mini", seed=3).state_dict(), build("unshuffle-mini", seed=4).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_an_unknown_architecture_lists_all():
    with pytest.raises(UsageError, match=f"unknown architecture 'unett' .*did you mean 'unet'.*{', '.join(MODELS)}$"):
        build("unett")


def test_unshuffle_student_by_hand():
    """3*16 inputs to 24, four blocks of two 24 to 24 and a 1x1 gate at one position, 24 to 3*16; all with a bias."""
    expected = (48 * 9 * 24 + 24) + 8 * (24 * 9 * 24 + 24) + 4 * (24 * 24 + 24) + (24 * 9 * 48 + 48)
    assert count_parameters(UnshuffleStudent()) == expected
    everywhere = (48 * 9 * 24 + 8 * 24 * 9 * 24 + 24 * 9 * 48) / 16
    assert count_macs(UnshuffleStudent(), 64, 64) == pytest.approx(everywhere + 4 * 24 * 24 / 64**2)


def test_macs_count_strides_groups_transposition_and_repeated_use():
    shared = nn.Conv2d(4, 4, 3, padding=1, groups=4)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), shared, shared, nn.ConvTranspose2d(4, 3, 2, 2))
    expected = 108 / 4 + 2 * 36 / 4 + 48 / 4
    assert count_macs(model, 32, 16) == pytest.approx(expected)


def test_counting_leaves_nothing_behind():
    model, image = build("unshuffle-mini"), torch.rand(1, 3, 16, 16)
    before = count_macs(model, 16, 16)
    model(image)
    assert count_macs(model, 16, 16) == before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("name", OWN)
def test_a_mini_network_is_much_cheaper(name):
    assert count_macs(build(name), 32, 32) < PUBLISHED.get(name, 60_000)
    if name.endswith("-mini"):
        assert count_macs(build(name), 32, 32) < 0.5 * count_macs(build(name.removesuffix("-mini")), 32, 32)


def test_blocks_are_residual_and_keep_the_size():
    layers, features = blocks(4, 3), torch.rand(1, 4, 9, 7)
    assert [type(layer) for layer in layers] == [ResidualBlock] * 3
    for layer in layers:
        zero_last(layer.conv2)
    torch.testing.assert_close(layers(features), features)


def test_a_fresh_block_is_a_plain_residual_block_and_learns_its_gate():
    layer, features = ResidualBlock(4), torch.rand(2, 4, 9, 7)
    plain = features + layer.conv2(layer.conv1(features).relu())
    torch.testing.assert_close(layer(features), plain)
    layer(features).square().sum().backward()
    assert layer.gate.weight.grad.abs().max() > 0


def test_gates_look_at_each_picture_as_a_whole_and_not_at_its_contrast():
    layer, features = ResidualBlock(4), torch.randn(2, 4, 12, 12, generator=torch.Generator().manual_seed(1))
    nn.init.normal_(layer.gate.weight, generator=torch.Generator().manual_seed(2))
    far = features.clone()
    far[0, :, 9:] *= 3
    here, there = layer(features), layer(far)
    assert (here[0, :, :4] - there[0, :, :4]).abs().max() > 1e-3  # the far rows changed the gate of the whole picture
    torch.testing.assert_close(here[1], there[1])
    nn.init.zeros_(layer.conv1.bias)
    seen = []
    layer.gate.register_forward_hook(lambda module, inputs, output: seen.append(output))
    layer(features), layer(5 * features)
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size", [(16, 16), (21, 34), (5, 7)])
def test_window_means_by_hand(size):
    """Windows of 8, 4 apart, the first centred on position 2: rows -2 to 5, 2 to 9, and so on, cut at the border."""
    x = torch.rand(1, 2, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    starts = [range(-2, length - 2, 4) for length in size]
    expected = [[x[..., max(0, r) : r + 8, max(0, c) : c + 8].mean((2, 3)) for c in starts[1]] for r in starts[0]]
    found = window_means(x, 8)
    for row, means in enumerate(expected):
        for column, mean in enumerate(means):
            torch.testing.assert_close(found[..., row, column], mean)
    assert found.shape[2:] == (len(starts[0]), len(starts[1]))


def test_interpolation_puts_each_value_at_the_centre_of_its_window():
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    back = interpolated(window_means(ramp, 8), 4, ramp)
    torch.testing.assert_close(back[..., 8:-8], ramp[..., 8:-8])  # an even ramp is its own mean


def test_gates_with_a_window_do_not_see_what_is_far():
    layer, features = ResidualBlock(4, window=8), torch.rand(1, 4, 40, 12)
    nn.init.normal_(layer.gate.weight, generator=torch.Generator().manual_seed(2))
    far = features.clone()
    far[:, :, 30:] *= torch.tensor([1, 5, 0.2, 3]).view(4, 1, 1)
    change = (layer(far) - layer(features)).abs().amax((0, 1, 3))
    assert change[30:].max() > 1e-2
    assert change[:20].max() == 0


def test_the_window_is_measured_in_pixels_of_the_photo():
    network = ResidualUNet((4, 8), (1, 1), factor=4, window=128)
    assert [part[0].window for part in (network.encoders[0], network.bottom, network.decoders[0])] == [32, 16, 32]


def test_unet_levels_widths_and_depths_by_hand():
    """12 to 16; one block of 16 down and up; 16 to 32 with stride 2; two blocks of 32; 1x1 back to 4*16; 16 to 12."""

    def conv(inputs, outputs, side=3):
        return inputs * outputs * side**2 + outputs

    def block(width):
        return 2 * conv(width, width) + conv(width, width, 1)

    expected = conv(12, 16) + 2 * block(16) + conv(16, 32) + 2 * block(32) + conv(32, 64, 1) + conv(16, 12)
    assert count_parameters(build("unet-small")) == expected < 70_000


def test_conv3x3_halves_with_stride_two():
    assert conv3x3(2, 5, stride=2)(torch.rand(1, 2, 8, 10)).shape == (1, 5, 4, 5)


def test_channel_norm_leaves_pixels_and_photos_alone():
    norm, x = ChannelNorm(6), 4 + 3 * torch.randn(2, 6, 3, 5)
    found = norm(x)
    torch.testing.assert_close(found.mean(1), torch.zeros(2, 3, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.var(1, correction=0), torch.ones(2, 3, 5), atol=1e-3, rtol=0)
    torch.testing.assert_close(norm(x[:1, :, 1:2, 2:3]), found[:1, :, 1:2, 2:3])
    torch.testing.assert_close(norm(7 * x + 1), found, atol=1e-3, rtol=1e-3)


def test_zero_last_works_without_a_bias():
    assert not zero_last(nn.Conv2d(2, 2, 3, bias=False)).weight.any()
