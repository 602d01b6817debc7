"""A photo in tiles with hard edges, so that one sees what tiles do (floor 7; lessons 07 and 14)."""

from collections.abc import Callable

import torch
from torch import Tensor

from kdsharp.checks import check_images, check_positive, check_range


def tiled(function: Callable[[Tensor], Tensor], image: Tensor, tile: int, overlap: int) -> Tensor:
    """Apply ``function`` tile by tile, each seen with ``overlap`` more pixels around it, which are cut off afterwards.

    Without a fade, so that the seams show; :func:`kdsharp.inference.sharpen` fades them out.

    Args:
        function: (1, 3, h, w) to the same shape.
        image: (1, 3, H, W).
        tile: side of a tile in pixels.
        overlap: pixels seen beyond each side, as far as the photo goes; 0 or more.
    """
    check_images(image)
    check_positive(tile, "tile")
    check_range(overlap, 0, max(image.shape[-2:]), "overlap")
    out = torch.empty_like(image)
    height, width = image.shape[-2:]
    with torch.inference_mode():
        for top in range(0, height, tile):
            for left in range(0, width, tile):
                up, before = max(0, top - overlap), max(0, left - overlap)
                seen = image[..., up : top + tile + overlap, before : left + tile + overlap]
                kept = (..., slice(top - up, top - up + tile), slice(left - before, left - before + tile))
                out[..., top : top + tile, left : left + tile] = function(seen)[kept]
    return out


def work_factor(tile: int, overlap: int) -> float:
    """How many times the pixels of a large photo are computed: ``((tile + 2 overlap) / tile)^2``."""
    return ((tile + 2 * overlap) / check_positive(tile, "tile")) ** 2
