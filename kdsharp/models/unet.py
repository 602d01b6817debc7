"""Residual U-Nets: the teacher and the course's students (lessons 06 and 08)."""

from torch import Tensor, nn

from kdsharp.images import luma, pad_to_multiple
from kdsharp.models.blocks import blocks, conv3x3, zero_last


class ResidualUNet(nn.Module):
    """A U-Net that predicts what to add to its input: ``sharp = blurred + net(blurred)``.

    PixelUnshuffle shrinks the photo first (nothing is lost, ``factor^2`` times the channels), strided convolutions
    halve it again between the levels, and the way back adds what each level saw. After Ronneberger et al. 2015.

    Args:
        widths: channels of the levels, from the top down.
        depths: residual blocks at each level on the way down; the last number is the lowest level's.
        decoders: residual blocks at each level on the way up, from the top down; as ``depths`` by default.
        factor: how many pixels a side go into one position of the top level. Twice as many cost a quarter of the
            time and see twice as far, but have to pack four times the pixels into each position.
        ends: side of the kernels of the first and the last convolution. With many channels to unpack, 1 trains
            better than 3 (lesson 08).
        grey: look at the luma alone and add the same to all three channels: a third of the first and last layer.
        window: side in pixels of the windows over which the blocks take their means, a multiple of 4 times the
            lowest level's scale; None takes them over the whole picture (:class:`kdsharp.models.blocks.ResidualBlock`).

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped; any H and W from 16.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128),
        depths: tuple[int, ...] = (1, 2, 3),
        decoders: tuple[int, ...] | None = None,
        factor: int = 2,
        ends: int = 3,
        grey: bool = False,
        window: int | None = None,
    ) -> None:
        super().__init__()
        sides = [window and window // (factor * 2**level) for level in range(len(widths))]
        ups = depths[:-1] if decoders is None else decoders
        steps = list(zip(widths, widths[1:], depths, ups, sides, strict=False))
        self.factor, self.grey = factor, grey
        self.multiple = factor * 2 ** (len(widths) - 1)
        pixels = (1 if grey else 3) * factor**2
        first = nn.Conv2d(pixels, widths[0], ends, padding=ends // 2)
        last = zero_last(nn.Conv2d(widths[0], pixels, ends, padding=ends // 2))
        self.stem = nn.Sequential(nn.PixelUnshuffle(factor), first)
        self.encoders = nn.ModuleList(blocks(wide, down, side) for wide, _, down, _, side in steps)
        self.downs = nn.ModuleList(conv3x3(wide, low, stride=2) for wide, low, *_ in steps)
        self.bottom = blocks(widths[-1], depths[-1], sides[-1])
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(low, wide * 4, 1), nn.PixelShuffle(2)) for wide, low, *_ in steps
        )
        self.decoders = nn.ModuleList(blocks(wide, up, side) for wide, _, _, up, side in steps)
        self.head = nn.Sequential(last, nn.PixelShuffle(factor))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        padded = pad_to_multiple(luma(image) if self.grey else image, self.multiple)
        return image + self.residual(self.stem(padded))[..., :height, :width]

    def residual(self, x: Tensor) -> Tensor:
        """What to add, (B, 3 or 1, H, W), from the stem's answer (B, widths[0], H / factor, W / factor)."""
        seen = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            seen.append(encoder(x))
            x = down(seen[-1])
        x = self.bottom(x)
        for level in reversed(range(len(seen))):
            x = self.decoders[level](self.ups[level](x) + seen[level])
        return self.head(x)
