"""Sharpening by wavelets: raise the detail of each scale (lesson 02)."""

import torch
from torch import Tensor

from kdsharp.checks import check_images, check_name, check_range


def wavelet_sharpen(
    image: Tensor, amount: float = 0.4, levels: int = 2, finest: int = 1, wavelet: str = "sym4"
) -> Tensor:
    """Multiply the detail bands of a 2-D wavelet transform by ``1 + amount`` and transform back.

    Level 1 holds the finest detail (structures of about 2 pixels), each further level structures twice as large; what
    remains after the last level, the coarse picture, stays as it is. The transform divides the picture into
    blocks, so that a shifted picture is not sharpened quite alike: look for stair steps on slanted edges.

    Args:
        image: (B, C, H, W) in [0, 1]; edges are continued by half-sample reflection. Any H and W: where the picture
            is too small for the coarsest level, it is left out; below about one length of the wavelet all are.
        amount: strength; 0 changes nothing.
        levels: how many levels are raised, 1 to 8.
        finest: the finest of them, 1 to 8; 2 leaves the finest detail, where noise is strongest, alone.
        wavelet: name of a discrete wavelet of PyWavelets; ``sym4`` is nearly symmetric and shifts no edge.

    Returns:
        the sharpened image, same shape, not clamped.

    Raises:
        UsageError: for an unknown wavelet, or levels out of range.

    Source: Mallat, "A theory for multiresolution signal decomposition", 1989; computed by PyWavelets. Lesson 02.
    """
    import pywt  # here, because no other filter needs it

    check_images(image)
    check_range(levels, 1, 8, "levels")
    check_range(finest, 1, 8, "finest")
    check_name(wavelet, pywt.wavelist(kind="discrete"), "wavelet")
    height, width = image.shape[-2:]
    possible = pywt.dwt_max_level(min(height, width), pywt.Wavelet(wavelet).dec_len)
    coarse, *details = pywt.wavedec2(
        image.detach().cpu().numpy(), wavelet, mode="symmetric", level=min(finest + levels - 1, possible), axes=(-2, -1)
    )
    raised = [
        tuple(band * (1 + amount) if level >= finest else band for band in bands)
        for level, bands in zip(range(len(details), 0, -1), details, strict=True)
    ]
    restored = pywt.waverec2([coarse, *raised], wavelet, mode="symmetric", axes=(-2, -1))
    return torch.from_numpy(restored[..., :height, :width]).to(image)
