"""Restormer: a U-Net whose blocks attend over channels instead of over pixels (lesson 07).

Written from the paper, Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
CVPR 2022, arXiv 2111.09881. Layers are named as in the authors' files of weights (swz30/Restormer on GitHub), so that
:func:`kdsharp.checkpoints.load` takes those files as they are.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kdsharp.checks import UsageError
from kdsharp.images import pad_to_multiple
from kdsharp.models.blocks import ChannelNorm, conv3x3, zero_last


def named(**layers: nn.Module) -> nn.Sequential:
    """Layers in a row that are found in the weights under these names instead of 0, 1, 2."""
    return nn.Sequential(OrderedDict(layers))


def conv1x1(inputs: int, outputs: int) -> nn.Conv2d:
    """A matrix product at every pixel, without a bias."""
    return nn.Conv2d(inputs, outputs, 1, bias=False)


def depthwise(channels: int) -> nn.Conv2d:
    """A 3x3 convolution of each channel by itself: where a block looks at neighbouring pixels."""
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)


def channel_attention(queries: Tensor, keys: Tensor, temperature: Tensor) -> Tensor:
    """How much each channel takes from each other one: ``softmax(temperature * cosine(query_i, key_j))`` over j.

    A cosine lies in [-1, 1] whatever the contrast and the number of pixels, so one learned ``temperature`` a head
    decides how sharply it chooses: 0 gives every channel the same share, a large one only the most similar. (In
    distillation a temperature divides; here it multiplies.) Attention over the N pixels would need N x N shares,
    which is why the paper turns it round. Equation 1 of the paper.

    Args:
        queries, keys: (B, heads, C, N), C channels of a head at N pixels.
        temperature: (heads, 1, 1).

    Returns:
        (B, heads, C, C), each row positive and adding up to 1.
    """
    cosines = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).transpose(-2, -1)
    return (cosines * temperature).softmax(-1)


class ChannelAttention(nn.Module):
    """Multi-head attention over channels (the paper's MDTA). Shape: (B, C, H, W) to the same; cost linear in H W."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = conv1x1(channels, 3 * channels)
        self.qkv_dwconv = depthwise(3 * channels)
        self.project_out = conv1x1(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        heads = len(self.temperature)
        maps = self.qkv_dwconv(self.qkv(x)).chunk(3, dim=1)
        queries, keys, values = (each.flatten(2).unflatten(1, (heads, -1)) for each in maps)
        mixed = channel_attention(queries, keys, self.temperature) @ values
        return self.project_out(mixed.reshape(x.shape))


class GatedFeedForward(nn.Module):
    """``project_out(gelu(a) * b)``, a and b two depthwise filterings (the paper's GDFN): b passes where a is active.

    Shape: (B, C, H, W) to the same; ``int(C * expansion)`` channels inside.
    """

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.project_in = conv1x1(channels, 2 * hidden)
        self.dwconv = depthwise(2 * hidden)
        self.project_out = conv1x1(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate, signal = self.dwconv(self.project_in(x)).chunk(2, dim=1)
        return self.project_out(F.gelu(gate) * signal)


class TransformerBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + feed_forward(norm(x))``. Shape: (B, C, H, W) to the same."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.norm1 = named(body=ChannelNorm(channels))
        self.attn = ChannelAttention(channels, heads)
        self.norm2 = named(body=ChannelNorm(channels))
        self.ffn = GatedFeedForward(channels, expansion)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


def halve(channels: int) -> nn.Sequential:
    """(B, C, H, W) to (B, 2C, H/2, W/2): half the channels, then four pixels into one position."""
    return named(body=nn.Sequential(conv3x3(channels, channels // 2, bias=False), nn.PixelUnshuffle(2)))


def double(channels: int) -> nn.Sequential:
    """(B, C, H, W) to (B, C/2, 2H, 2W): twice the channels, then one position into four pixels."""
    return named(body=nn.Sequential(conv3x3(channels, 2 * channels, bias=False), nn.PixelShuffle(2)))


class Restormer(nn.Module):
    """Four levels of transformer blocks; ``sharp = blurred + net(blurred)``. The default size is the paper's.

    Each level halves the sides and doubles the channels. On the way up a level gets what the same level saw on the
    way down; a 1x1 convolution then halves the channels, except at the top, which works on with both halves.

    Args:
        dim: channels of the top level, an even number.
        blocks: transformer blocks at the four levels; the first three numbers count on the way up too.
        refinement: further blocks at the top, after the way up.
        heads: attention heads at the four levels; each must divide the channels of its level.
        expansion: width of the feed-forward layers in multiples of the channels.

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped; any H and W.

    Raises:
        UsageError: for a ``dim`` and ``heads`` that do not go together.
    """

    whole = 1_000_000
    """Photos up to this many pixels in one piece: one megapixel takes about 7 GB at the paper's size."""

    def __init__(
        self,
        dim: int = 48,
        blocks: tuple[int, ...] = (4, 6, 6, 8),
        refinement: int = 4,
        heads: tuple[int, ...] = (1, 2, 4, 8),
        expansion: float = 2.66,
    ) -> None:
        super().__init__()
        widths = [dim, 2 * dim, 4 * dim, 8 * dim]
        if dim % 2 or any(wide % count for wide, count in zip(widths, heads, strict=True)):
            raise UsageError(f"dim is {dim} and heads is {heads}, but dim must be even and heads must divide {widths}")

        def level(width: int, place: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(TransformerBlock(width, heads[place], expansion) for _ in range(count)))

        self.patch_embed = named(proj=conv3x3(3, dim, bias=False))
        self.encoder_level1 = level(widths[0], 0, blocks[0])
        self.down1_2 = halve(widths[0])
        self.encoder_level2 = level(widths[1], 1, blocks[1])
        self.down2_3 = halve(widths[1])
        self.encoder_level3 = level(widths[2], 2, blocks[2])
        self.down3_4 = halve(widths[2])
        self.latent = level(widths[3], 3, blocks[3])
        self.up4_3 = double(widths[3])
        self.reduce_chan_level3 = conv1x1(2 * widths[2], widths[2])
        self.decoder_level3 = level(widths[2], 2, blocks[2])
        self.up3_2 = double(widths[2])
        self.reduce_chan_level2 = conv1x1(2 * widths[1], widths[1])
        self.decoder_level2 = level(widths[1], 1, blocks[1])
        self.up2_1 = double(widths[1])
        self.decoder_level1 = level(2 * widths[0], 0, blocks[0])
        self.refinement = level(2 * widths[0], 0, refinement)
        self.output = zero_last(conv3x3(2 * widths[0], 3, bias=False))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        top = self.encoder_level1(self.patch_embed(pad_to_multiple(image, 8)))
        middle = self.encoder_level2(self.down1_2(top))
        low = self.encoder_level3(self.down2_3(middle))
        x = self.latent(self.down3_4(low))
        x = self.decoder_level3(self.reduce_chan_level3(torch.cat([self.up4_3(x), low], dim=1)))
        x = self.decoder_level2(self.reduce_chan_level2(torch.cat([self.up3_2(x), middle], dim=1)))
        x = self.decoder_level1(torch.cat([self.up2_1(x), top], dim=1))
        return image + self.output(self.refinement(x))[..., :height, :width]
