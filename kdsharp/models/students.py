"""Students: small, fast, PixelUnshuffle stems (lesson 08)."""

from torch import Tensor, nn

from kdsharp.images import pad_to_multiple
from kdsharp.models.blocks import blocks, conv3x3, zero_last


class UnshuffleStudent(nn.Module):
    """PixelUnshuffle, a few residual blocks at low resolution, PixelShuffle, plus the input.

    Unshuffling by 4 turns 16 pixels into 16 times the channels: each convolution then costs a sixteenth and
    reaches four times as far. ``body`` is the layer that hints look at. After Shi et al. 2016 (sub-pixel
    convolution) and He et al. 2016 (residual blocks).

    Args:
        width: channels of the hidden layers.
        depth: number of residual blocks, two 3x3 convolutions each.
        factor: how many pixels a side go into one position.

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped; any H and W.
    """

    def __init__(self, width: int = 24, depth: int = 4, factor: int = 4) -> None:
        super().__init__()
        self.factor = factor
        self.unshuffle = nn.PixelUnshuffle(factor)
        self.body = nn.Sequential(conv3x3(3 * factor**2, width), blocks(width, depth))
        self.head = nn.Sequential(zero_last(conv3x3(width, 3 * factor**2)), nn.PixelShuffle(factor))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, self.factor)
        return image + self.head(self.body(self.unshuffle(padded)))[..., :height, :width]
