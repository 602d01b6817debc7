"""Images at the file boundary and inside: read, keep, write, convert (floor 1; lessons 00 and 03).

At the boundary an image is a uint8 array (H, W, 3), RGB. Inside it is a float32 tensor (B, C, H, W) in [0, 1].

The promise to a photo: *same size, same format, same quality, same facts*. The floor plan: what a file is
(:mod:`~kdsharp.images.formats`), its pixels (:mod:`~kdsharp.images.reading`), what must be kept of it beside them
(:mod:`~kdsharp.images.facts`), writing it back (:mod:`~kdsharp.images.writing`), and tensors
(:mod:`~kdsharp.images.tensors`).
"""

from kdsharp.images.formats import MAX_PIXELS, MIN_SIDE, SUFFIXES, header, is_photo, kind, list_images
from kdsharp.images.reading import Kept, open_photo, read
from kdsharp.images.tensors import luma, pad_to_multiple, quantize, to_array, to_linear, to_srgb, to_tensor
from kdsharp.images.writing import write

__all__ = [
    "MAX_PIXELS",
    "MIN_SIDE",
    "SUFFIXES",
    "Kept",
    "header",
    "is_photo",
    "kind",
    "list_images",
    "luma",
    "open_photo",
    "pad_to_multiple",
    "quantize",
    "read",
    "to_array",
    "to_linear",
    "to_srgb",
    "to_tensor",
    "write",
]
