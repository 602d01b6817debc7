"""What lab 5 gives: students by their plan, a blur that nobody knows, and the rules with the means to check them."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kdsharp import checkpoints, kernels
from kdsharp.checks import UsageError
from kdsharp.datasets import dead_leaves, photos
from kdsharp.filters.spatial import blur
from kdsharp.images import luma, pad_to_multiple, quantize, to_tensor
from kdsharp.metrics import psnr

MOST_WEIGHTS, MOST_TIME = 20_000, 1.5
"""The rules: fewer weights than this, and at most this many times the time of ``tiny`` in the same run."""


MASK = (1.0, 2.0)
"""Radius in pixels and amount of the unsharp mask that is to be beaten, chosen on the training photos."""


Batch = tuple[Tensor, Tensor]


class Student(nn.Module):
    """A student by its plan: edge maps of the luma, PixelUnshuffle, convolutions, PixelShuffle, plus the input.

    Args:
        plan: ``radii`` of the edge maps in pixels (one to four, each 0.5 to 4), ``factor`` of the PixelUnshuffle (1,
            2 or 4), ``width`` (2 to 64) and ``depth`` (1 to 8) of the 3x3 convolutions with a ReLU; a last one follows.

    Shape: (B, 3, H, W) in [0, 1] to the same, not clamped; all colours get the same correction.

    Raises:
        UsageError: for a plan with other keys or values.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        super().__init__()
        self.radii, self.factor, width, depth = read_plan(plan)
        channels = [len(self.radii) * self.factor**2] + [width] * depth
        layers: list[nn.Module] = []
        for before, after in zip(channels, channels[1:], strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        last = nn.Conv2d(width, self.factor**2, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.body = nn.Sequential(nn.PixelUnshuffle(self.factor), *layers, last, nn.PixelShuffle(self.factor))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        grey = luma(pad_to_multiple(image, self.factor))
        edges = torch.cat([8 * (grey - blur(grey, radius)) for radius in self.radii], 1)
        return image + self.body(edges)[..., :height, :width]


def read_plan(plan: Any) -> tuple[tuple[float, ...], int, int, int]:
    """Radii, factor, width and depth of a plan.

    Raises:
        UsageError: when it is no plan, in one sentence.
    """
    if not isinstance(plan, Mapping) or set(plan) != {"radii", "factor", "width", "depth"}:
        raise UsageError("a plan has the keys radii, factor, width and depth")
    radii, factor, width, depth = (plan[key] for key in ("radii", "factor", "width", "depth"))
    if not isinstance(radii, Sequence) or not 1 <= len(radii) <= 4 or not all(_is_radius(each) for each in radii):
        raise UsageError("radii are one to four numbers from 0.5 to 4 pixels")
    if not all(type(each) is int for each in (factor, width, depth)):
        raise UsageError("factor, width and depth are whole numbers")
    if factor not in (1, 2, 4) or not 2 <= width <= 64 or not 1 <= depth <= 8:
        raise UsageError("factor is 1, 2 or 4, width 2 to 64, depth 1 to 8")
    return tuple(float(each) for each in radii), factor, width, depth


def soften(sharp: Tensor, rng: np.random.Generator) -> Tensor:
    """The blur of this lab: a lens that is off by an unknown amount (sigma 1 to 2 pixels), a little noise, 8 bits."""
    blurred = kernels.convolve(sharp, kernels.gaussian(rng.uniform(1, 2)))
    return quantize(blurred + 0.004 * torch.from_numpy(rng.standard_normal(tuple(sharp.shape), dtype=np.float32)))


def palette() -> np.ndarray:
    """Colours of the training photos, uint8 (N, 3): leaves in these are as colourful as photos are."""
    return np.concatenate([photo.pixels[::16, ::16].reshape(-1, 3) for photo in photos("train")])


def batches(count: int, seed: int, size: int = 48, batch: int = 8) -> list[Batch]:
    """``count`` batches of (blurred, sharp), (batch, 3, size, size) each, cut from leaves and from training photos."""
    rng = np.random.default_rng(seed)
    colours = palette()
    sharp = [to_tensor(dead_leaves(160, rng, colours)) for _ in range(4)]
    sharp += [to_tensor(each.pixels)[..., 40:280, 40:280] for each in photos("train")]
    pairs = [(soften(each, rng), each) for each in sharp for _ in range(2)]
    made = []
    for _ in range(count):
        crops = []
        for k in rng.integers(len(pairs), size=batch):
            soft, truth = pairs[k]
            y, x = (int(rng.integers(side - size + 1)) for side in soft.shape[-2:])
            crops.append([each[..., y : y + size, x : x + size] for each in (soft, truth)])
        made.append((torch.cat([each[0] for each in crops]), torch.cat([each[1] for each in crops])))
    return made


def pictures(rngs: Sequence[np.random.Generator]) -> list[Batch]:
    """One pair (1, 3, 160, 160) of dead leaves for each generator."""
    colours = palette()
    sharp = [to_tensor(dead_leaves(160, rng, colours)) for rng in rngs]
    return [(soften(each, rng), each) for each, rng in zip(sharp, rngs, strict=True)]


def gain(function: Callable[[Tensor], Tensor], pairs: Sequence[Batch]) -> float:
    """The mean over pairs of PSNR of the answer less PSNR of the input, in dB."""
    with torch.inference_mode():
        gains = [psnr(quantize(function(soft)), sharp) - psnr(soft, sharp) for soft, sharp in pairs]
    return torch.cat(gains).mean().item()


def time_ratio(network: nn.Module, rounds: int = 7) -> float:
    """The time of a network against ``tiny``'s on 512x512 pixels, in turns in one run: the ratio of the least times.

    On one thread: of two, one often waits for a processor that another program has, and the ratio of the model
    solution, which is 1.0, then lay between 0.4 and 2.1.
    """
    tiny, image = checkpoints.load("tiny").model, torch.rand(1, 3, 512, 512).to(memory_format=torch.channels_last)
    taken: dict[str, list[float]] = {"own": [], "tiny": []}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for turn in range(rounds + 1):
                for name, each in (("own", network), ("tiny", tiny)):
                    start = time.perf_counter()
                    each(image)
                    if turn:  # the first turn warms up
                        taken[name].append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return min(taken["own"]) / min(taken["tiny"])


def count(network: nn.Module) -> int:
    """Its weights."""
    return sum(each.numel() for each in network.parameters())


def pack(network: nn.Module) -> str:
    """The weights as one line of text, 16 bits each, to be pasted into the notebook that is handed in."""
    flat = torch.cat([each.detach().flatten() for each in network.parameters()])
    return base64.b64encode(flat.half().numpy().tobytes()).decode()


def unpack(network: nn.Module, text: str) -> None:
    """Put weights of :func:`pack` into a network of the same plan.

    Raises:
        UsageError: when the text belongs to another plan.
    """
    flat = torch.from_numpy(np.frombuffer(base64.b64decode(text), np.float16).astype(np.float32))
    if len(flat) != count(network):
        raise UsageError(f"the text holds {len(flat)} weights, the plan has {count(network)}")
    nn.utils.vector_to_parameters(flat, network.parameters())


def _is_radius(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool) and 0.5 <= found <= 4
