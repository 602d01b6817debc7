"""A loss in the features of a network that has learned photos: deep features without a download (lesson 11)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kdsharp.checks import check_images
from kdsharp.digits import in_float32
from kdsharp.features import Taps


class DeepLoss(nn.Module):
    """How differently a frozen network sees two batches: ``sum |f(prediction) - f(truth)|^2 / sum |f(truth)|^2``.

    The mean over the tapped layers; the division makes layers of any scale count alike. The same network looks at
    both, so that no adapter is needed: unlike a hint, which compares the inner maps of two networks. Johnson et al.
    2016 do so with VGG16; a restoration network has looked at photos for another purpose, and sees other things.

    Args:
        network: from (B, 3, H, W) to anything, such as the bundled teacher; it is put into evaluation mode and frozen.
        layers: names of the layers that are compared (see :class:`kdsharp.features.Taps`).

    Attributes:
        frozen: the network, which lies where the batches lie; ``fit`` moves it with the step that uses it.

    Shape: two (B, 3, H, W) in [0, 1] to a scalar at or above 0, with a gradient for the first.
    """

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        super().__init__()
        self.frozen = (network.eval().requires_grad_(False),)  # a tuple keeps it out of parameters()
        self.layers = list(layers)

    @in_float32
    def forward(self, prediction: Tensor, truth: Tensor) -> Tensor:
        check_images(prediction, truth)
        with torch.no_grad():
            wanted = self._look(truth)
        terms = [
            (ours - theirs).square().sum() / theirs.square().sum().clamp_min(1e-12)
            for ours, theirs in zip(self._look(prediction), wanted, strict=True)
        ]
        return torch.stack(terms).mean()

    def _look(self, image: Tensor) -> list[Tensor]:
        (network,) = self.frozen
        with Taps(network, self.layers) as taps:
            network(image)
        return [taps[layer] for layer in self.layers]
