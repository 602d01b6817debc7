"""What lab 2 gives: an independent SSIM, splits with a leak, and a wrong filter with a test that it can pass."""

import numpy as np
from scipy import ndimage
from skimage.metrics import structural_similarity

from kdsharp.datasets import dead_leaves

SIDE = 48
"""Pixels a side of the pictures of a split."""


def oracle_ssim(image: np.ndarray, truth: np.ndarray, data_range: float) -> float:
    """scikit-image's number for the SSIM of Wang and others 2004, grey (H, W): independent of anything here."""
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(image, truth, data_range=data_range, **options))


def split(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A split with a leak: training pictures (8, 48, 48), held-out ones (10, 48, 48), uint8, and what each of those is.

    ``copy`` (two), ``changed`` (turned or mirrored, contrast and brightness moved: two), ``shifted`` (a crop of the
    same photo,
    up to 8 pixels beside it: two) and ``honest`` (four).
    """
    photos = [dead_leaves(2 * SIDE, rng)[..., 1] for _ in range(12)]
    cut = [photo[16 : 16 + SIDE, 16 : 16 + SIDE] for photo in photos]
    train, held = cut[:8], []
    chosen = rng.permutation(8)[:6]
    for place in chosen[:2]:
        held.append(("copy", cut[place]))
    for place in chosen[2:4]:
        turned = np.rot90(cut[place], int(rng.integers(1, 4)))
        turned = turned[:, ::-1] if rng.random() < 0.5 else turned
        held.append(("changed", (turned * rng.uniform(0.6, 0.85) + rng.uniform(5, 35)).astype(np.uint8)))
    for place in chosen[4:6]:
        down, right = rng.integers(4, 9, 2)
        held.append(("shifted", photos[place][16 + down : 16 + down + SIDE, 16 + right : 16 + right + SIDE]))
    held += [("honest", each) for each in cut[8:]]
    order = rng.permutation(len(held))
    return np.stack(train), np.stack([held[k][1] for k in order]), [held[k][0] for k in order]


def wrapped_unsharp(image: np.ndarray, radius: float, amount: float = 1.0) -> np.ndarray:
    """The wrong filter of exercise 5: an unsharp mask whose picture (H, W) goes on periodically."""
    return image + amount * (image - ndimage.gaussian_filter(image, radius, mode="wrap"))


def disagreement(image: np.ndarray, radius: float) -> float:
    """What the test of exercise 5 looks at: the largest difference to the mask that reflects at the border."""
    right = image + (image - ndimage.gaussian_filter(image, radius, mode="mirror"))
    return float(np.abs(wrapped_unsharp(image, radius) - right).max())
