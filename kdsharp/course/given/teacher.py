"""What lab 3 gives: a small network, batches, a gain, and a probe that proves a training loop on one kernel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kdsharp import checkpoints, degrade, kernels
from kdsharp.datasets import dead_leaves
from kdsharp.filters.spatial import blur
from kdsharp.images import quantize, to_tensor
from kdsharp.metrics import psnr

SIGMA = 1.5
"""Of the Gaussian that blurs, in pixels."""


Batch = tuple[Tensor, Tensor]


class EdgeNet(nn.Module):
    """A small network whose inputs are edge maps, so that a few seconds of training show: each colour by itself.

    Two edge maps, ``8 (x - blur(x, r))`` with r = 1 and 2 pixels, then two 3x3 convolutions; the answer is added to
    the input. The
    last layer starts at 0. 225 weights at a width of 8.

    Shape: (B, C, H, W) in [0, 1] to the same, not clamped.
    """

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, width, 3, padding=1, padding_mode="reflect")
        self.last = nn.Conv2d(width, 1, 3, padding=1, padding_mode="reflect")
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        plane = image.flatten(0, 1)[:, None]
        edges = torch.cat([8 * (plane - blur(plane, radius)) for radius in (1.0, 2.0)], 1)
        return image + self.last(torch.relu(self.first(edges))).view_as(image)


class OneKernel(nn.Module):
    """The network that :func:`probe` trains: one kernel (5, 5), which notes whether it was in training mode."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights.clone())
        self.modes: list[bool] = []

    def forward(self, image: Tensor) -> Tensor:
        self.modes.append(self.training)
        return nn.functional.conv2d(image, self.weights[None, None], padding=2)


def soften(sharp: Tensor, noise: float = 0.0, rng: np.random.Generator | None = None) -> Tensor:
    """The blur of this lab: a Gaussian of ``SIGMA`` pixels, noise of that standard deviation, 8 bits."""
    blurred = kernels.convolve(sharp, kernels.gaussian(SIGMA))
    if noise and rng is not None:
        blurred = blurred + noise * torch.from_numpy(rng.standard_normal(tuple(sharp.shape), dtype=np.float32))
    return quantize(blurred)


def batches(count: int, seed: int, noise: float = 0.0, size: int = 32, batch: int = 8) -> list[Batch]:
    """``count`` batches of (blurred, sharp) crops of dead leaves, (batch, 3, size, size) each."""
    rng = np.random.default_rng(seed)
    sharp = [to_tensor(dead_leaves(128, rng)) for _ in range(3)]
    pairs = [(soften(each, noise, rng), each) for each in sharp]
    made = []
    for _ in range(count):
        places = [(int(rng.integers(3)), *rng.integers(128 - size, size=2)) for _ in range(batch)]
        crops = [[half[..., y : y + size, x : x + size] for half in pairs[k]] for k, y, x in places]
        made.append((torch.cat([each[0] for each in crops]), torch.cat([each[1] for each in crops])))
    return made


def gain(network: Callable[[Tensor], Tensor], pairs: list[Batch]) -> float:
    """The mean over pairs of PSNR of the network's answer less PSNR of its input, in dB."""
    with torch.inference_mode():
        gains = [psnr(quantize(network(soft)), sharp) - psnr(soft, sharp) for soft, sharp in pairs]
    return torch.cat(gains).mean().item()


def probe(fit: Callable[..., Any], weights: Tensor, blurred: Tensor, sharp: Tensor, rate: float) -> dict[str, Any]:
    """What a training loop does to one kernel with plain gradient descent: its losses, the weights, the modes.

    Args:
        fit: takes a network, a list of (blurred, sharp) and an optimizer, and answers the losses.
        weights: (5, 5), where it starts.
        blurred, sharp: (steps, B, 1, H, W), one batch a step.
        rate: of ``torch.optim.SGD``.
    """
    network = OneKernel(weights).eval()
    losses = fit(network, list(zip(blurred, sharp, strict=True)), torch.optim.SGD(network.parameters(), lr=rate))
    return {"losses": list(losses), "weights": network.weights.detach(), "training": all(network.modes[: len(blurred)])}


def losses_of_tiny(photo: np.ndarray, rng: np.random.Generator, shakes: int = 3) -> float:
    """By how many dB the bundled student ``tiny`` is worse than doing nothing on a photo, over a few camera shakes."""
    student, sharp = checkpoints.load("tiny").model, to_tensor(photo)
    shake = degrade.protocol("shake")
    pairs = [(shake(sharp, rng), sharp) for _ in range(shakes)]
    return -gain(student, pairs)
