"""A photo in tiles with hard edges, so that one sees what tiles do (floor 7; lessons 07 and 14)."""

from collections.abc import Callable

import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor

from kdsharp import plots
from kdsharp.checks import check_images, check_positive, check_range
from kdsharp.images import to_array
from kdsharp.plots.narrow import NARROW, on_a_phone


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


def seams(blurred: Tensor, whole: Tensor, pieces: Tensor, tile: int, gain: float = 10.0) -> Figure:
    """A whole photo at half its size: blurred, sharpened in one piece, and what tiles change with their borders drawn.

    Args:
        blurred, whole, pieces: (1, 3, H, W) in [0, 1]; the photo, its answer in one piece and in tiles.
        tile: side of the tiles in pixels.
        gain: the change is shown times this.
    """
    change = (gain * (pieces - whole).abs().mean(1, keepdim=True)).clamp(0, 1)
    heat = torch.from_numpy(colormaps["cividis"](change[0, 0].numpy())[..., :3]).permute(2, 0, 1)[None].float()
    shown = {"blurred": blurred, "sharpened in one piece": whole, f"tiles of {tile}: change x {gain:g}": heat}

    def drawn(beside: int, width: int) -> Figure:
        step = width // beside
        side = step - 8
        tall = round(side * blurred.shape[-2] / blurred.shape[-1])
        height = (tall + 34) * (len(shown) // beside)
        made = plots.figure(width, height)
        for index, (title, image) in enumerate(shown.items()):
            row, column = divmod(index, beside)
            left, bottom = 4 + column * step, height - (row + 1) * (tall + 34) + 4
            axes = made.add_axes((left / width, bottom / height, side / width, tall / height))
            axes.imshow(to_array(image), interpolation="antialiased")
            if image is heat:
                for place in range(tile, blurred.shape[-1], tile):
                    axes.axvline(place - 0.5, color="w", linewidth=0.4, alpha=0.6)
                for place in range(tile, blurred.shape[-2], tile):
                    axes.axhline(place - 0.5, color="w", linewidth=0.4, alpha=0.6)
            axes.set_axis_off()
            axes.set_title(title, fontsize=10)
        return made

    return on_a_phone(drawn(3, plots.WIDTH), lambda _: drawn(1, NARROW))
