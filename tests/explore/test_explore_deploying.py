"""The explorers of lesson 14 at the corners of their grids, and the arithmetic that they draw."""

import pytest
import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.explore.deploying import in_bits, price_sentence, reach, render_bits, render_tiles, rounded, tiled
from kdsharp.filters.spatial import blur
from kdsharp.models.branches import add_branches

SHARP = torch.rand(1, 3, 96, 112, generator=torch.Generator().manual_seed(0))
SOFT = blur(SHARP, 1.0)


def network():
    generator = torch.Generator().manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))
    for value in net.parameters():
        nn.init.normal_(value, std=0.2, generator=generator)
    return net.eval().requires_grad_(False)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_rounding_agrees_with_torchs_own(bits):
    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(2))
    low, high = values.min(), values.max()
    scale = (high - low).item() / (2**bits - 1)
    expected = torch.fake_quantize_per_tensor_affine(values, scale, round(-low.item() / scale), 0, 2**bits - 1)
    torch.testing.assert_close(rounded(values, bits, low, high), expected)
    assert len(rounded(values, bits, low, high).unique()) <= 2**bits


def test_zero_stays_zero_whatever_the_range():
    assert rounded(torch.zeros(3), 4, torch.tensor(0.3), torch.tensor(0.9)).abs().max() == 0
    assert rounded(torch.zeros(3), 4, torch.tensor(-0.31), torch.tensor(0.9)).abs().max() == 0


def test_more_bits_come_nearer_and_the_network_itself_stays():
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    full = net(SOFT)
    errors = [(in_bits(net, bits)(SOFT) - full).abs().mean().item() for bits in (3, 5, 8, 16)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3
    torch.testing.assert_close(net.state_dict(), before)
    torch.testing.assert_close(net(SOFT), full, rtol=0, atol=0)


def test_a_range_for_each_channel_helps_a_quiet_channel():
    net = network()
    net[0].weight[0] *= 50  # one loud channel takes the levels of all others
    full = net(SOFT)
    errors = [(in_bits(net, 6, each)(SOFT) - full).abs().mean() for each in (True, False)]
    assert errors[0] < errors[1]


def test_branches_are_refused():
    with pytest.raises(UsageError, match="fold"):
        in_bits(add_branches(network()), 8)


@pytest.mark.parametrize("bits", [3, 8])
@pytest.mark.parametrize("per_channel", [0, 1])
def test_corners_of_the_bits(bits, per_channel):
    picture = render_bits(network(), SOFT, SHARP, bits, per_channel)
    assert picture.width <= 720
    assert f"in {bits} bits" in picture.alt
    assert render_bits(network(), SOFT, SHARP, bits, per_channel).content == picture.content


def test_the_network_sees_the_whole_photo_and_a_part_is_scored():
    seen = []

    class Gate(nn.Module):
        def forward(self, image):
            seen.append(image.shape)
            return image * image.mean()

    render_bits(Gate(), SOFT, SHARP, 8, 1, (8, 16, 48))
    assert set(seen) == {SOFT.shape}


def test_two_convolutions_reach_two_pixels():
    assert reach(network(), 32, 0) == 2
    assert reach(nn.Sequential(nn.Conv2d(3, 3, 1)), 32, 0) == 0


def test_tiles_with_enough_overlap_are_the_whole():
    net = network()  # sees two pixels around each
    whole = net(SOFT)
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(tiled(net, SOFT, 32, 2)[inner], whole[inner], rtol=0, atol=1e-6)
    assert (tiled(net, SOFT, 32, 1) - whole).abs().max() > 1e-3


@pytest.mark.parametrize("side", [32, 128])
@pytest.mark.parametrize("overlap", [0, 32])
def test_corners_of_the_tiles(side, overlap):
    picture = render_tiles(network(), SOFT, side, overlap)
    assert picture.width <= 720
    assert f"overlap of {overlap} " in picture.alt
    seamless = "at most 0 grey" in picture.alt or "at most 1 grey" in picture.alt  # float sums round differently
    assert seamless == (overlap == 32 or side == 128)


@pytest.mark.parametrize(
    ("price", "gain", "says"),
    [
        (0.12, 0.39, "Eight bits cost 0.120 dB; the student gained 0.39 dB over its input."),
        (-0.01, 0.39, "Eight bits cost nothing here: 0.010 dB better, by the luck of rounding; the student gained"),
        (0.001, 0.39, "Eight bits cost less than 0.005 dB; the student gained 0.39 dB"),
        (0.12, -0.2, "Eight bits cost 0.120 dB; the student itself gained nothing over its input (-0.20 dB)."),
    ],
)
def test_the_price_of_eight_bits_is_said_truly_whatever_its_sign(price, gain, says):
    assert price_sentence(price, gain).startswith(says)
