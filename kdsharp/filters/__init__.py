"""Classical sharpening filters (floor 2; lessons 01 and 02). ``FILTERS`` is what ``--filter`` takes."""

from collections.abc import Callable

from torch import Tensor

from kdsharp.filters.frequency import butterworth_emphasis
from kdsharp.filters.spatial import laplacian, unsharp_mask

FILTERS: dict[str, Callable[..., Tensor]] = {
    "unsharp": unsharp_mask,
    "laplacian": laplacian,
    "butterworth": butterworth_emphasis,
}
"""Each takes (B, C, H, W) and an ``amount``, and keeps flat areas as they are."""

__all__ = ["FILTERS", "butterworth_emphasis", "laplacian", "unsharp_mask"]
