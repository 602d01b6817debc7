"""NAFNet: a convolutional network that keeps of a transformer only what pays, without activations (lesson 07).

Written from the papers: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022, arXiv 2204.04676, and for
the local means Chu et al., "Improving Image Restoration by Revisiting Global Information Aggregation" (TLC), ECCV 2022,
arXiv 2112.04491. Layers are named as in the authors' files of weights (megvii-research/NAFNet on GitHub), so that
:func:`kdsharp.checkpoints.load` takes those files as they are.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kdsharp.images import pad_to_multiple
from kdsharp.models.blocks import ChannelNorm, conv3x3, zero_last

TRAINING_CROP = 256
"""Side in pixels of the crops that the published GoPro weights were trained on."""
LOCAL_WINDOW = TRAINING_CROP * 3 // 2
"""Side in pixels of the window of local means: TLC's 1.5 times the training crop."""


def running_mean(x: Tensor, window: int, dim: int) -> Tensor:
    """The means of all runs of ``window`` values along ``dim``: n values give n - window + 1, but at least one.

    The sum of a run is the difference of two running sums, so the cost does not depend on the window.
    """
    shifts = x.shape[dim] - window
    if shifts <= 0:
        return x.mean(dim, keepdim=True)
    sums = x.cumsum(dim)
    later = sums.narrow(dim, window, shifts) - sums.narrow(dim, 0, shifts)
    return torch.cat([sums.narrow(dim, window - 1, 1), later], dim) / window


def local_mean(x: Tensor, window: int) -> Tensor:
    """The mean of a ``window`` x ``window`` square around each position, never reaching outside the picture.

    Near a border it is the mean of the outermost square that fits. A side that the window covers has one mean, of
    size 1 in the result.

    Shape: (B, C, H, W) to (B, C, H or 1, W or 1).
    """
    rows = x.float().contiguous()  # a sum over a thousand positions needs the digits, and neighbours in memory the time
    inside = running_mean(running_mean(rows, window, 3), window, 2)
    height, width = x.shape[-2:]
    sides = [((window - 1) // 2, window // 2) if window < length else (0, 0) for length in (width, height)]
    return F.pad(inside, [*sides[0], *sides[1]], mode="replicate").to(x.dtype)


class Mean(nn.Module):
    """Each channel's mean: over the whole picture, or around each position when a ``window`` is given.

    A network trained on crops has seen means of crops. On a photo many times as large the global mean hides what is
    near, which the network never met; a window about as large as the crops restores it (TLC). On a picture that the
    window covers both are the same.

    Shape: (B, C, H, W) to (B, C, 1, 1), or as :func:`local_mean` says.
    """

    def __init__(self, window: int | None) -> None:
        super().__init__()
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True) if self.window is None else local_mean(x, self.window)


def gate(x: Tensor) -> Tensor:
    """The product of both halves of the channels, (B, 2C, H, W) to (B, C, H, W): all that is not linear in a block."""
    first, second = x.chunk(2, dim=1)
    return first * second


class NAFBlock(nn.Module):
    """``x + beta * mix(norm(x))``, then ``x + gamma * feed_forward(norm(x))``.

    ``mix`` looks at 3x3 neighbours and multiplies each channel with a factor made from the channels' means
    (simplified channel attention, ``sca``); the feed-forward part works at each pixel by itself. ``beta`` and
    ``gamma``, one number a channel, start at zero: a new block is the identity.

    Shape: (B, C, H, W) to the same.
    """

    def __init__(self, channels: int, window: int | None) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels, eps=1e-6)
        self.conv1 = nn.Conv2d(channels, 2 * channels, 1)
        self.conv2 = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.sca = nn.Sequential(Mean(window), nn.Conv2d(channels, channels, 1))
        self.conv3 = nn.Conv2d(channels, channels, 1)
        self.norm2 = ChannelNorm(channels, eps=1e-6)
        self.conv4 = nn.Conv2d(channels, 2 * channels, 1)
        self.conv5 = nn.Conv2d(channels, channels, 1)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        inner = gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(inner * self.sca(inner))
        return x + self.gamma * self.conv5(gate(self.conv4(self.norm2(x))))


class NAFNet(nn.Module):
    """A U-Net of NAF blocks; ``sharp = blurred + net(blurred)``. The default size is the published one for GoPro.

    Each level halves the sides and doubles the channels; what a level saw on the way down is added on the way up.

    Args:
        width: channels of the top level.
        encoder: blocks of the levels on the way down.
        middle: blocks at the lowest level.
        decoder: blocks of the levels on the way up, from the lowest; as many levels as ``encoder``.
        window: side in pixels of the input of the window for channel means; ``None`` takes the whole picture. It has
            no weights: files of either kind fit both. The published 32.87 dB on GoPro needs :data:`LOCAL_WINDOW`.

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped; any H and W.
    """

    whole = 1_000_000
    """Photos up to this many pixels in one piece, as for Restormer."""

    def __init__(
        self,
        width: int = 32,
        encoder: tuple[int, ...] = (1, 1, 1, 28),
        middle: int = 1,
        decoder: tuple[int, ...] = (1, 1, 1, 1),
        window: int | None = None,
    ) -> None:
        super().__init__()
        levels = len(encoder)
        widths = [width * 2**level for level in range(levels + 1)]

        def blocks(level: int, count: int) -> nn.Sequential:
            size = None if window is None else max(window // 2**level, 1)
            return nn.Sequential(*(NAFBlock(widths[level], size) for _ in range(count)))

        self.multiple = 2**levels
        self.intro = conv3x3(3, width)
        self.encoders = nn.ModuleList(blocks(level, count) for level, count in enumerate(encoder))
        self.downs = nn.ModuleList(nn.Conv2d(wide, 2 * wide, 2, stride=2) for wide in widths[:-1])
        self.middle_blks = blocks(levels, middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(low, 2 * low, 1, bias=False), nn.PixelShuffle(2)) for low in widths[:0:-1]
        )
        self.decoders = nn.ModuleList(blocks(levels - 1 - step, count) for step, count in enumerate(decoder))
        self.ending = zero_last(conv3x3(width, 3))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        x = self.intro(pad_to_multiple(image, self.multiple))
        seen = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            seen.append(encoder(x))
            x = down(seen[-1])
        x = self.middle_blks(x)
        for up, decoder, skip in zip(self.ups, self.decoders, reversed(seen), strict=True):
            x = decoder(up(x) + skip)
        return image + self.ending(x)[..., :height, :width]
