"""What an exported network is worth, beside PyTorch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kdsharp import degrade, inference
from kdsharp.datasets import Crops, photos, synthetic_pairs, training_pictures
from kdsharp.export.session import Session
from kdsharp.images import to_array, to_tensor
from kdsharp.metrics import psnr

FULL_HD = (1080, 1920, 3)


@dataclass(frozen=True)
class Facts:
    """Largest absolute difference in [0, 1], milliseconds for a Full HD frame of pixels, PSNR in dB."""

    difference: float
    torch_ms: float
    onnx_ms: float
    torch_psnr: float
    onnx_psnr: float


def calibration_images(protocol: str, count: int = 32) -> Iterator[np.ndarray]:
    """Blurred crops of the bundled training photos, float32 (1, 3, 128, 128)."""
    degradation = degrade.protocol(protocol)
    crops = Crops(training_pictures(degradation, leaves=0), degradation, size=128, batch=1, margin=24)
    return (crops[step][0].numpy() for step in range(count))


def facts(model: nn.Module, path: Path, protocol: str) -> Facts:
    """Run a network and its file on the held-out photos and on one Full HD frame."""
    session = Session(path)
    differences, scores = [], []
    with torch.inference_mode():
        for _, blurred, sharp in synthetic_pairs(degrade.protocol(protocol), photos("test")):
            differences.append((model(blurred) - session(blurred)).abs().max().item())
            pixels = to_array(blurred)
            answers = (inference.sharpen(model, pixels), session.pixels(pixels))
            scores.append([psnr(to_tensor(answer), sharp).item() for answer in answers])
    frame = np.random.default_rng(0).integers(0, 256, FULL_HD, dtype=np.uint8)
    times = [frame_time(lambda frame: inference.sharpen(model, frame), frame), frame_time(session.pixels, frame)]
    means = np.mean(scores, axis=0)
    return Facts(max(differences), times[0], times[1], float(means[0]), float(means[1]))


def frame_time(function: Callable[[np.ndarray], np.ndarray], frame: np.ndarray, repeats: int = 7) -> float:
    """Median milliseconds of ``function`` on one frame, uint8 pixels in to uint8 pixels out, after two warm-ups."""
    return inference.milliseconds(lambda: function(frame), repeats, warm_up=2)
