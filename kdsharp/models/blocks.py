"""Pieces that several networks share (lesson 06)."""

from torch import Tensor, nn
from torch.nn import functional as F


def conv3x3(inputs: int, outputs: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (or halves it with stride 2)."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)


def zero_last(conv: nn.Conv2d) -> nn.Conv2d:
    """Start a layer at zero: a residual network then starts as the identity, which is the baseline to beat."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


class ResidualBlock(nn.Module):
    """``x + conv2(gate * relu(conv1(x)))`` on (B, C, H, W), with one factor a channel from the whole picture.

    A blur is (nearly) the same everywhere in a photo but differs from photo to photo. The mean of each channel over
    all positions, divided by the mean of all channels, tells which blur it is whatever the contrast; a 1x1
    convolution and ``1 + tanh`` turn these ratios into factors in (0, 2), which pick the channels that undo this
    blur. All start at 1, as in a plain residual block. He et al. 2016; gates from means after the channel attention
    of NAFNet (Chen et al., arXiv 2204.04676). Without the division or without a bound, twelve blocks in a row
    multiply their features with each other and training diverges. No batch norm: it ties the colours of a photo to
    its batch.

    Where the blur differs from place to place, as in videos, a mean over the whole picture mixes what belongs apart.
    With a ``window`` the means are taken over windows of that many positions a side, one at every half window, and
    the factors are interpolated between them (after the local converter of Chu et al., "Improving image restoration
    by revisiting global information aggregation", ECCV 2022, who do so at test time only; lesson 07).

    Args:
        channels: C.
        window: side of a window in positions, a multiple of 4; None takes the whole picture.
    """

    def __init__(self, channels: int, window: int | None = None) -> None:
        super().__init__()
        self.window = window
        self.conv1 = conv3x3(channels, channels)
        self.activation = nn.ReLU()
        self.gate = nn.Conv2d(channels, channels, 1)
        zero_last(self.gate)
        self.conv2 = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.activation(self.conv1(x))
        means = inner.mean((2, 3), keepdim=True) if self.window is None else window_means(inner, self.window)
        ratios = means / (means.mean(1, keepdim=True) + 1e-4) - 1
        factors = 1 + self.gate(ratios).tanh()
        if self.window is not None:
            factors = interpolated(factors, self.window // 2, inner)
        return x + self.conv2(inner * factors)


def window_means(x: Tensor, window: int) -> Tensor:
    """Means of (B, C, H, W) over windows of ``window`` positions a side, centred ``window / 2`` apart.

    At a border they are of the part of the window that lies inside. :func:`kdsharp.models.nafnet.local_mean` has one
    window for each position, as the published weights need it; this grid costs a fraction of that.
    """
    spacing = window // 2
    return F.avg_pool2d(x, window, spacing, spacing // 2, ceil_mode=True, count_include_pad=False)


def interpolated(x: Tensor, spacing: int, like: Tensor) -> Tensor:
    """Values that stand ``spacing`` positions apart, with linear steps between them, cut to the size of ``like``."""
    height, width = like.shape[-2:]
    return F.interpolate(x, scale_factor=spacing, mode="bilinear", align_corners=False)[..., :height, :width]


def blocks(channels: int, count: int, window: int | None = None) -> nn.Sequential:
    """``count`` residual blocks in a row."""
    return nn.Sequential(*(ResidualBlock(channels, window) for _ in range(count)))


class ChannelNorm(nn.LayerNorm):
    """Layer norm of each pixel over its channels, ``weight * (x - mean) / sqrt(variance + eps) + bias``.

    Shape: (B, C, H, W) to the same shape. Unlike batch norm it mixes neither pixels nor photos: it takes the contrast
    of a pixel's features away and keeps their pattern. Ba et al., arXiv 1607.06450; lesson 07.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
