"""The five reports' networks, as their code (or, where there is none, their text) describes them (lessons 08 and 15).

None of them adds its input to its answer: each has to learn to draw the photo that it was given. All take and give
(B, 3, H, W) in [0, 1].
"""

from torch import Tensor, nn

from kdsharp.images import pad_to_multiple
from kdsharp.models.blocks import conv3x3


def encoder_decoder(width: int) -> nn.Sequential:
    """Report A: two convolutions in, two out, ``width`` channels (64 for the teacher, 32 for the student).

    The report gives widths and "encoder-decoder" but no layer list; this is the plainest network of that description.
    """
    return nn.Sequential(
        conv3x3(3, width),
        nn.ReLU(),
        conv3x3(width, width),
        nn.ReLU(),
        conv3x3(width, width),
        nn.ReLU(),
        conv3x3(width, 3),
    )


class PlainBlock(nn.Module):
    """A residual block without a gate: ``x + conv(relu(conv(x)))``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv3x3(channels, channels), nn.ReLU(), conv3x3(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SigmoidUNet(nn.Module):
    """Report B: half resolution, residual blocks, transposed convolution, sigmoid.

    Its text says U-Net with skip connections; its code has none between encoder and decoder. The code is followed.

    Args:
        blocks: residual blocks of 128 channels: 4 for the teacher; the student has "fewer", here 1.

    Shape: (B, 3, H, W) to the same; odd sides are padded by reflection.
    """

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(conv3x3(3, 64), nn.ReLU(), conv3x3(64, 128, stride=2), nn.ReLU())
        self.middle = nn.Sequential(*(PlainBlock(128) for _ in range(blocks)))
        self.decoder = nn.Sequential(nn.ConvTranspose2d(128, 64, 2, stride=2), nn.ReLU(), conv3x3(64, 3))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        features = self.encoder(pad_to_multiple(image, 2))
        return self.decoder(self.middle(features))[..., :height, :width].sigmoid()


class PoolingStudent(nn.Module):
    """Report D: 3-16-32, pool, 32, upsample, 16, 3, sigmoid: twelve layers, counting each ReLU.

    Shape: (B, 3, H, W) to the same; odd sides are padded by reflection.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(conv3x3(3, 16), nn.ReLU(), conv3x3(16, 32), nn.ReLU(), nn.MaxPool2d(2))
        self.middle = nn.Sequential(conv3x3(32, 32), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2), conv3x3(32, 16), nn.ReLU(), conv3x3(16, 3), nn.Sigmoid()
        )

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        return self.decoder(self.middle(self.encoder(pad_to_multiple(image, 2))))[..., :height, :width]


def three_convolutions() -> nn.Sequential:
    """Report E's teacher: 3-64-64-3."""
    return nn.Sequential(conv3x3(3, 64), nn.ReLU(), conv3x3(64, 64), nn.ReLU(), conv3x3(64, 3))


def two_convolutions() -> nn.Sequential:
    """Report E's student: 3-16-3."""
    return nn.Sequential(conv3x3(3, 16), nn.ReLU(), conv3x3(16, 3))
