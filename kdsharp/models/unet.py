"""Residual U-Nets: the teacher, and the student that looks at two scales (lessons 06 and 08)."""

from torch import Tensor, nn

from kdsharp.images import pad_to_multiple
from kdsharp.models.blocks import blocks, conv3x3, zero_last


class ResidualUNet(nn.Module):
    """A U-Net that predicts what to add to its input: ``sharp = blurred + net(blurred)``.

    PixelUnshuffle halves the photo first (nothing is lost, four times the channels), strided convolutions halve it
    again between the levels, and the way back adds what each level saw. At the lowest of three levels one step
    covers eight pixels. After Ronneberger et al. 2015.

    Args:
        widths: channels of the levels, from the top down.
        depths: residual blocks at each level; all but the lowest level's are repeated on the way up.

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped; any H and W from 16.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128), depths: tuple[int, ...] = (1, 2, 3)) -> None:
        super().__init__()
        steps = list(zip(widths, widths[1:], depths, strict=False))
        self.multiple = 2 ** len(widths)
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), conv3x3(12, widths[0]))
        self.encoders = nn.ModuleList(blocks(wide, depth) for wide, _, depth in steps)
        self.downs = nn.ModuleList(conv3x3(wide, low, stride=2) for wide, low, _ in steps)
        self.bottom = blocks(widths[-1], depths[-1])
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(low, wide * 4, 1), nn.PixelShuffle(2)) for wide, low, _ in steps
        )
        self.decoders = nn.ModuleList(blocks(wide, depth) for wide, _, depth in steps)
        self.head = nn.Sequential(zero_last(conv3x3(widths[0], 12)), nn.PixelShuffle(2))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        x = self.stem(pad_to_multiple(image, self.multiple))
        seen = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            seen.append(encoder(x))
            x = down(seen[-1])
        x = self.bottom(x)
        for level in reversed(range(len(seen))):
            x = self.decoders[level](self.ups[level](x) + seen[level])
        return image + self.head(x)[..., :height, :width]
