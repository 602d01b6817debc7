"""What lab 4 gives: the one-kernel student of lesson 09 on pictures made anew, and a probe of gradients."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kdsharp import checkpoints
from kdsharp.course.given.teacher import soften
from kdsharp.datasets import dead_leaves
from kdsharp.explore.kernel import KERNEL, dot, moved
from kdsharp.images import luma, quantize, to_tensor

SIDE, MOST, EDGE = 26, 32, KERNEL // 2
"""Pixels a side of a training crop, crops, and pixels at a crop's border that have no target."""


def material(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What the student learns from and is measured on, float64 in [0, 1], the luma of dead leaves.

    ``blurred`` (32, 26, 26), ``sharp`` and ``teacher`` (32, 16, 16), ``held_blurred`` (4, 64, 64), ``held_sharp``
    (4, 54, 54). The teacher is the course's network for this blur.
    """
    teacher = checkpoints.load("gaussian-256").model
    sharp = torch.cat([to_tensor(dead_leaves(128, rng)) for _ in range(6)])
    soft = soften(sharp)
    with torch.inference_mode():
        answer = quantize(teacher(soft))
    planes = [luma(each)[:, 0].double().numpy() for each in (soft, sharp, answer)]
    crops: list[list[np.ndarray]] = [[], [], []]
    for _ in range(MOST):
        k, y, x = rng.integers(4), *rng.integers(0, 128 - SIDE, 2)
        for found, plane, edge in zip(crops, planes, (0, EDGE, EDGE), strict=True):
            found.append(plane[k, y + edge : y + SIDE - edge, x + edge : x + SIDE - edge])
    places = [(k, y, x) for k in (4, 5) for y, x in ((0, 0), (64, 64))]
    held = [
        np.stack([plane[k, y + e : y + 64 - e, x + e : x + 64 - e] for k, y, x in places])
        for plane, e in zip(planes[:2], (0, EDGE), strict=True)
    ]
    return dict(zip(("blurred", "sharp", "teacher"), map(np.stack, crops), strict=True)) | {
        "held_blurred": held[0],
        "held_sharp": held[1],
    }


def _windows(pictures: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(pictures, (KERNEL, KERNEL), axis=(-2, -1))


def train_kernel(
    data: Mapping[str, np.ndarray], alpha: float, labels: int, seed: int, steps: int = 200, noise: float = 2.0
) -> np.ndarray:
    """The student, one kernel (11, 11), after ``steps`` of Adam with a rate that falls to 0.

    ``loss = alpha mean (k * x - sharp)^2 + (1 - alpha) mean (k * x - teacher)^2``: the truth of four of the first
    ``labels`` crops a step, the teacher's answers to four of all crops; x with noise of ``noise`` grey levels. As
    lesson 09 trains it.
    """
    rng, kernel = np.random.default_rng(seed), dot()
    mean, square = np.zeros_like(kernel), np.zeros_like(kernel)
    for step in range(steps):
        gradient = np.zeros_like(kernel)
        for name, share, many in (("sharp", alpha, labels), ("teacher", 1 - alpha, len(data["blurred"]))):
            chosen = rng.integers(many, size=4)
            grain = rng.standard_normal((4, SIDE, SIDE)) * (noise / 255)
            if share:
                seen = _windows(data["blurred"][chosen] + grain)
                error = np.tensordot(seen, kernel, 2) - data[name][chosen]
                gradient += 2 * share * np.tensordot(error, seen, ([0, 1, 2], [0, 1, 2])) / error.size
        kernel, mean, square = moved(kernel, gradient, mean, square, step, steps)
    return kernel


def held_out(data: Mapping[str, np.ndarray], kernel: np.ndarray, noise: float = 2.0) -> float:
    """Mean PSNR in dB of a kernel on the held-out crops, with noise that is the same for every kernel."""
    grain = np.random.default_rng(7).standard_normal(data["held_blurred"].shape) * (noise / 255)
    answer = np.tensordot(_windows(data["held_blurred"] + grain), kernel, 2).clip(0, 1)
    return float(np.mean(-10 * np.log10(np.square(answer - data["held_sharp"]).mean((1, 2)))))


def probe(loss: Callable[..., Any], student: Tensor, teacher: Tensor, weight: Tensor) -> dict[str, Any]:
    """A hint loss's value and its gradients: to both maps, (B, C, h, w) and (B, D, h, w), and to the weight (D, C)."""
    adapter = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False)
    with torch.no_grad():
        adapter.weight.copy_(weight[..., None, None])
    maps = student.clone().requires_grad_(True), teacher.clone().requires_grad_(True)
    value = loss(*maps, adapter)
    if isinstance(value, Tensor) and value.requires_grad:
        value.backward()
    given = {"student": maps[0].grad, "teacher": maps[1].grad, "adapter": adapter.weight.grad}
    found = {name: None if each is None else each.detach() for name, each in given.items()}
    return {"value": float(torch.as_tensor(value).detach())} | found
