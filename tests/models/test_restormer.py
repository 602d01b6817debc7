"""Restormer: the published size, attention over channels, and blocks by their formulas."""

import pytest
import torch
from torch.nn import functional as F

from kdsharp.checks import UsageError
from kdsharp.models import count_macs, count_parameters
from kdsharp.models.restormer import ChannelAttention, GatedFeedForward, Restormer, TransformerBlock, channel_attention

SMALL = {"dim": 8, "blocks": (1, 1, 1, 1), "refinement": 1, "heads": (1, 1, 1, 1)}


def on_meta(**sizes):
    with torch.device("meta"):
        return Restormer(**sizes)


@pytest.mark.parametrize(("sizes", "parameters", "keys"), [({}, 26_126_644, 494), (SMALL, 208_210, 98)])
def test_the_published_sizes(sizes, parameters, keys):
    model = on_meta(**sizes)
    assert (count_parameters(model), len(model.state_dict())) == (parameters, keys)


def test_the_names_of_the_official_file():
    """Written out from the list of the design, not from the network."""
    in_a_block = [f"norm{n}.body.{what}" for n in (1, 2) for what in ("weight", "bias")]
    in_a_block += ["attn.temperature", "attn.qkv.weight", "attn.qkv_dwconv.weight", "attn.project_out.weight"]
    in_a_block += [f"ffn.{layer}.weight" for layer in ("project_in", "dwconv", "project_out")]
    levels = {"encoder_level1": 4, "encoder_level2": 6, "encoder_level3": 6, "latent": 8}
    levels |= {"decoder_level3": 6, "decoder_level2": 6, "decoder_level1": 4, "refinement": 4}
    expected = {f"{level}.{i}.{key}" for level, count in levels.items() for i in range(count) for key in in_a_block}
    expected |= {f"{way}.body.0.weight" for way in ("down1_2", "down2_3", "down3_4", "up4_3", "up3_2", "up2_1")}
    expected |= {"patch_embed.proj.weight", "output.weight"}
    expected |= {"reduce_chan_level3.weight", "reduce_chan_level2.weight"}
    assert on_meta().state_dict().keys() == expected


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("encoder_level1.0.ffn.project_in.weight", (254, 48, 1, 1)),
        ("latent.7.ffn.dwconv.weight", (2042, 1, 3, 3)),
        ("latent.0.attn.temperature", (8, 1, 1)),
        ("decoder_level1.0.attn.qkv.weight", (288, 96, 1, 1)),
        ("refinement.3.attn.temperature", (1, 1, 1)),
        ("down3_4.body.0.weight", (96, 192, 3, 3)),
        ("up4_3.body.0.weight", (768, 384, 3, 3)),
        ("reduce_chan_level3.weight", (192, 384, 1, 1)),
        ("output.weight", (3, 96, 3, 3)),
    ],
)
def test_shapes_by_hand(key, shape):
    assert on_meta().state_dict()[key].shape == shape


@pytest.mark.parametrize("size", [(16, 16), (8, 40), (31, 19)])
def test_attention_is_channels_by_channels_whatever_the_resolution(size):
    queries, keys = torch.randn(2, 2, 3, 4, size[0] * size[1]).unbind()
    shares = channel_attention(queries, keys, torch.tensor([[[1.0]], [[5.0]], [[0.0]]]))
    assert shares.shape == (2, 3, 4, 4)
    assert (shares > 0).all()
    torch.testing.assert_close(shares.sum(-1), torch.ones(2, 3, 4))
    torch.testing.assert_close(shares[:, 2], torch.full((2, 4, 4), 0.25))  # temperature 0: equal shares


def test_attention_sees_neither_contrast_nor_the_order_of_the_pixels():
    queries, keys = torch.randn(2, 1, 2, 5, 60, dtype=torch.float64).unbind()
    temperature = torch.tensor([[[3.0]], [[0.5]]], dtype=torch.float64)
    shares = channel_attention(queries, keys, temperature)
    order, factors = torch.randperm(60), torch.rand(1, 2, 5, 1, dtype=torch.float64) + 0.1
    torch.testing.assert_close(channel_attention(queries * factors, keys / factors, temperature), shares)
    torch.testing.assert_close(channel_attention(queries[..., order], keys[..., order], temperature), shares)
    assert not torch.allclose(channel_attention(queries[..., order], keys, temperature), shares)


def test_attention_by_hand():
    """Two channels at two pixels: cosines 1, 0 and 0.6, 0.8; the first query is the first key, five times as large."""
    queries = torch.tensor([[[[5.0, 0.0], [0.6, 0.8]]]])
    keys = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
    shares = channel_attention(queries, keys, torch.tensor([[[2.0]]]))[0, 0]
    expected = torch.tensor([[2.0, 0.0], [1.2, 1.6]]).exp()
    torch.testing.assert_close(shares, expected / expected.sum(1, keepdim=True))


def test_heads_do_not_mix():
    """With the identity after the values, what the second head takes in does not move what the first gives out."""
    layer = ChannelAttention(4, heads=2)
    with torch.no_grad():
        layer.project_out.weight.copy_(torch.eye(4)[..., None, None])
        x = torch.rand(1, 4, 6, 6)
        before = layer(x)
        for start in (2, 6, 10):  # the second head's queries, keys and values
            layer.qkv.weight[start : start + 2] += 1
        after = layer(x)
    torch.testing.assert_close(after[:, :2], before[:, :2])
    assert not torch.allclose(after[:, 2:], before[:, 2:])


def test_attention_of_a_module_by_plain_loops():
    layer, x = ChannelAttention(6, heads=2).double(), torch.randn(1, 6, 3, 5, dtype=torch.float64)
    with torch.no_grad():
        layer.temperature.copy_(torch.tensor([0.7, 4.0]).view(2, 1, 1))
        queries, keys, values = layer.qkv_dwconv(layer.qkv(x))[0].reshape(3, 6, 15)
        mixed = torch.zeros(6, 15, dtype=torch.float64)
        for i in range(6):
            head = range(i // 3 * 3, i // 3 * 3 + 3)
            cosines = [F.cosine_similarity(queries[i], keys[j], dim=0) for j in head]
            shares = (torch.stack(cosines) * layer.temperature[i // 3].item()).softmax(0)
            mixed[i] = sum(share * values[j] for share, j in zip(shares, head, strict=True))
        expected = torch.einsum("oc,cn->on", layer.project_out.weight[..., 0, 0], mixed)
        torch.testing.assert_close(layer(x)[0].flatten(1), expected)


def test_feed_forward_passes_the_second_half_where_the_first_is_active():
    layer = GatedFeedForward(2, expansion=1.0)
    with torch.no_grad():
        layer.project_in.weight.copy_(torch.cat([torch.eye(2)] * 2)[..., None, None])
        layer.project_out.weight.copy_(torch.eye(2)[..., None, None])
        layer.dwconv.weight.zero_()[:, :, 1, 1] = torch.tensor([1.0, 1.0, 3.0, 3.0])[:, None]
        x = torch.randn(1, 2, 4, 4)
        torch.testing.assert_close(layer(x), 0.5 * x * (1 + torch.erf(x / 2**0.5)) * 3 * x)


def test_a_block_is_residual_twice_and_normalises_over_channels():
    block, x = TransformerBlock(4, 1, 2.0), 3 + 5 * torch.rand(2, 4, 6, 6)
    with torch.no_grad():
        block.norm1.body.weight.copy_(torch.rand(4))
        block.norm1.body.bias.copy_(torch.rand(4))
        weight, bias = (value.view(1, 4, 1, 1) for value in (block.norm1.body.weight, block.norm1.body.bias))
        centred = x - x.mean(1, keepdim=True)
        expected = weight * centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() + bias
        torch.testing.assert_close(block.norm1(x), expected)
        middle = x + block.attn(block.norm1(x))
        torch.testing.assert_close(block(x), middle + block.ffn(block.norm2(middle)))
        block.attn.project_out.weight.zero_()
        block.ffn.project_out.weight.zero_()
        torch.testing.assert_close(block(x), x)


def test_the_way_up_takes_its_own_level_first_and_the_way_down_second():
    """The order within the concatenations decides what the official weights mean."""
    model = Restormer(**SMALL)
    seen = {}
    for name in ("up4_3", "encoder_level3", "up3_2", "encoder_level2", "up2_1", "encoder_level1"):
        model.get_submodule(name).register_forward_hook(lambda m, i, out, name=name: seen.update({name: out}))
    for name in ("reduce_chan_level3", "reduce_chan_level2", "decoder_level1"):
        model.get_submodule(name).register_forward_hook(lambda m, i, out, name=name: seen.update({name: i[0]}))
    with torch.no_grad():
        model(torch.rand(1, 3, 16, 24))
    for joined, up, down in (
        ("reduce_chan_level3", "up4_3", "encoder_level3"),
        ("reduce_chan_level2", "up3_2", "encoder_level2"),
        ("decoder_level1", "up2_1", "encoder_level1"),
    ):
        assert torch.equal(seen[joined], torch.cat([seen[up], seen[down]], 1))


def test_matrix_products_are_counted():
    """qkv 4x12, its depthwise 12x9, the way out 4x4; then two products of two 2x2 heads at each pixel."""
    layer = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), ChannelAttention(4, heads=2))
    assert count_macs(layer, 16, 8) == pytest.approx(12 + 4 * 12 + 12 * 9 + 4 * 4 + 2 * 2 * 2 * 2)


@pytest.mark.parametrize(("dim", "heads"), [(7, (1, 1, 1, 1)), (8, (1, 3, 1, 1))])
def test_sizes_that_do_not_go_together(dim, heads):
    with pytest.raises(UsageError, match=f"dim is {dim} and heads is .*must be even and heads must divide"):
        on_meta(dim=dim, heads=heads)
