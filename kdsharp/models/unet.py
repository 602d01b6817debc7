"""The teacher: a residual U-Net (lesson 06)."""

from torch import Tensor, nn

from kdsharp.images import pad_to_multiple
from kdsharp.models.blocks import blocks, conv3x3, zero_last


class ResidualUNet(nn.Module):
    """A U-Net that predicts what to add to its input: ``sharp = blurred + net(blurred)``.

    PixelUnshuffle halves the photo first (nothing is lost, four times the channels), two strided convolutions
    halve it again, and the way back adds what each level saw. At the lowest level one step covers eight pixels,
    so that the receptive field is far wider than any blur of the course. After Ronneberger et al. 2015.

    Args:
        widths: channels of the three levels.
        depths: residual blocks at the three levels, on the way down; the top two are repeated on the way up.

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped; any H and W from 16.
    """

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 128), depths: tuple[int, int, int] = (1, 2, 3)) -> None:
        super().__init__()
        top, middle, low = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), conv3x3(12, top))
        self.encoder1 = blocks(top, depths[0])
        self.down1 = conv3x3(top, middle, stride=2)
        self.encoder2 = blocks(middle, depths[1])
        self.down2 = conv3x3(middle, low, stride=2)
        self.bottom = blocks(low, depths[2])
        self.up2 = nn.Sequential(nn.Conv2d(low, middle * 4, 1), nn.PixelShuffle(2))
        self.decoder2 = blocks(middle, depths[1])
        self.up1 = nn.Sequential(nn.Conv2d(middle, top * 4, 1), nn.PixelShuffle(2))
        self.decoder1 = blocks(top, depths[0])
        self.head = nn.Sequential(zero_last(conv3x3(top, 12)), nn.PixelShuffle(2))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, 8)
        level1 = self.encoder1(self.stem(padded))
        level2 = self.encoder2(self.down1(level1))
        up2 = self.decoder2(self.up2(self.bottom(self.down2(level2))) + level2)
        up1 = self.decoder1(self.up1(up2) + level1)
        return image + self.head(up1)[..., :height, :width]
