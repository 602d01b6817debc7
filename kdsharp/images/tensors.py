"""An image as an array and as a tensor: conversion, light, luma, padding (lessons 03 and 04)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kdsharp.checks import UsageError, check_images


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) or (H, W) to float32 (1, C, H, W) in [0, 1], channels last in memory: networks are faster so."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise UsageError(f"expected uint8 (H, W, 3), found {pixels.dtype} of shape {pixels.shape}")
    stacked = pixels if pixels.ndim == 3 else pixels[..., None]
    return torch.tensor(stacked)[None].permute(0, 3, 1, 2).float().div_(255)


def to_array(batch: Tensor) -> np.ndarray:
    """float (1, 3, H, W) to uint8 (H, W, 3): clamp to [0, 1], round to the nearest of 256 levels."""
    check_images(batch)
    levels = batch.detach()[0].permute(1, 2, 0).clamp(0, 1).mul_(255).round_().byte()
    return levels.contiguous().cpu().numpy()


def quantize(batch: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to 8 bits, still as float: what a file can hold."""
    return batch.detach().clamp(0, 1).mul(255).round().div(255)


def to_linear(srgb: Tensor) -> Tensor:
    """sRGB values to linear light, both in [0, 1] (IEC 61966-2-1). Blur adds light, so it happens here (lesson 03)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055).clamp_min(0) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """Linear light to sRGB values; the inverse of :func:`to_linear`."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def luma(batch: Tensor) -> Tensor:
    """RGB (B, 3, H, W) to luma (B, 1, H, W) with the BT.601 weights 0.299, 0.587, 0.114."""
    check_images(batch, channels=3)
    weights = batch.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (batch * weights).sum(1, keepdim=True)


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """Pad right and bottom by reflection until both sides divide by ``multiple`` (by repetition on tiny images)."""
    height, width = batch.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    mode = "reflect" if bottom < height and right < width else "replicate"
    return F.pad(batch, (0, right, 0, bottom), mode=mode) if bottom or right else batch
