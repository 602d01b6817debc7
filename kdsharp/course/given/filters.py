"""What lab 1 gives: a mask of the package's for grey arrays, and the score that chooses."""

import numpy as np
import torch

from kdsharp.filters import unsharp_mask

RADII, AMOUNTS = (4.0, 2.0, 1.0), (0.0, 0.5, 1.0, 2.0, 4.0)
"""What ``choose`` may choose from, in pixels and without a unit."""


def reference_unsharp(image: np.ndarray, radius: float, amount: float) -> np.ndarray:
    """The package's unsharp mask on a grey picture (H, W), so that section 4 does not depend on sections 1 and 2."""
    tensor = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float64))[None, None]
    return unsharp_mask(tensor, radius, amount)[0, 0].numpy()


def mean_psnr(images: np.ndarray, truths: np.ndarray) -> float:
    """The mean over the pictures (N, H, W) of each one's PSNR in dB, after clipping to [0, 1]."""
    errors = np.square(np.clip(images, 0, 1) - truths).mean((1, 2))
    return float(np.mean(-10 * np.log10(errors)))
