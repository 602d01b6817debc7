"""A network or filter on a photo of any size, memory bounded (floor 3; lesson 00)."""

import ctypes
import sys
import time
import weakref
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from tqdm.auto import tqdm

from kdsharp.images import to_array, to_tensor

WHOLE = 4_000_000
"""Photos up to this many pixels are done in one piece, which is fastest; larger ones in tiles. A network that needs
more memory than most says so by a smaller number in its attribute ``whole``."""
TILE, OVERLAP = 1024, 64
"""Side of a tile and what it sees beyond each border, both multiples of 16 so that every network sees one phase."""


def sharpen(
    function: Callable[[Tensor], Tensor], pixels: np.ndarray, strength: float = 1.0, progress: bool = False
) -> np.ndarray:
    """Apply ``function`` to a photo: ``output = input + strength * (function(input) - input)``.

    Args:
        function: (1, 3, H, W) in [0, 1] to the same shape, a network or a filter. One that also has a method
            ``pixels`` from uint8 (H, W, 3) to the same is called by it, as exported networks are.
        pixels: uint8 (H, W, 3).
        strength: 0 gives the input back, 1 the function's own answer; above 1 exaggerates it.
        progress: show a bar over the tiles of a large photo.

    Returns:
        uint8 (H, W, 3) of the same size. Beyond input and output, memory holds one tile.
    """
    keep_freed_memory()
    height, width = pixels.shape[:2]
    if height * width <= getattr(function, "whole", WHOLE):
        return _piece(function, pixels, strength)
    out = np.empty_like(pixels)
    corners = [(top, left) for top in range(0, height, TILE) for left in range(0, width, TILE)]
    for top, left in tqdm(corners, desc="tiles", unit="tile", disable=not progress, leave=False):
        up, before = min(top, OVERLAP), min(left, OVERLAP)
        if left == 0:
            row = np.empty_like(pixels[top - up : top + TILE + OVERLAP])
        seen = pixels[top - up : top + TILE + OVERLAP, left - before : left + TILE + OVERLAP]
        _lay(row[:, left - before :].swapaxes(0, 1), _piece(function, seen, strength).swapaxes(0, 1), before)
        if left + TILE >= width:
            _lay(out[top - up :], row, up)
    return out


@cache
def keep_freed_memory() -> bool:
    """Ask glibc to keep freed blocks of up to 1 GiB for the next layer; True where it agreed.

    By default it hands each large block back to the system, and fetching fresh pages again cost a third of a Full HD
    photo's time (0.26 s against 0.19 s on two cores). :func:`sharpen` calls this; it holds for the whole process.
    """
    if sys.platform != "linux" or not hasattr(library := ctypes.CDLL(None), "mallopt"):
        return False
    trim_threshold, mmap_threshold = -1, -3  # the names of these numbers stand in malloc.h
    return bool(library.mallopt(mmap_threshold, 1 << 30) and library.mallopt(trim_threshold, (1 << 31) - 1))


def milliseconds(call: Callable[[], object], repeats: int, warm_up: int = 1) -> float:
    """Median time of ``call`` over ``repeats`` calls, after ``warm_up`` more that do not count."""
    times = []
    for _ in range(warm_up + repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times[warm_up:]))


def peak_megabytes(call: Callable[[], object]) -> float:
    """The most that the tensors made by ``call`` take at one moment, in MB of a million bytes (lesson 14).

    Counted and not measured, so it is the same on every machine and in every process. Tensors that were there before do
    not count, nor does what one operation needs inside itself, nor NumPy arrays.
    """
    with _Ledger() as ledger:
        call()
    return ledger.peak / 1e6


class _Ledger(TorchDispatchMode):
    """Adds up the memory of each new tensor, and takes it off again when nobody holds the memory any more."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for given in self._storages((args, kwargs)):
            if id(given) not in self.known:
                self._note(given, 0)  # it was there before
        answer = func(*args, **(kwargs or {}))
        for made in self._storages(answer):
            if id(made) not in self.known:
                self._note(made, made.nbytes())
        self.peak = max(self.peak, self.now)
        return answer

    @staticmethod
    def _storages(tree: object) -> list[torch.UntypedStorage]:
        return [each.untyped_storage() for each in tree_iter(tree) if isinstance(each, Tensor)]

    def _note(self, storage: torch.UntypedStorage, size: int) -> None:
        self.known.add(id(storage))
        self.now += size
        weakref.finalize(storage, self._forget, id(storage), size)

    def _forget(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


def _lay(canvas: np.ndarray, piece: np.ndarray, overlap: int) -> None:
    """Lay a piece on a canvas along its first axis, fading into what lies there over the middle half of the overlap.

    A network whose gates look at the whole tile answers a little differently in each; the fade hides the seam. The
    outer quarters, where a tile knows least about its surroundings, are left out.
    """
    shared = min(2 * overlap, len(piece))
    if shared:
        fade = np.clip((np.arange(shared) + 0.5 - overlap / 2) / overlap, 0, 1)[:, None, None]
        canvas[:shared] = np.rint(canvas[:shared] * (1 - fade) + piece[:shared] * fade)
    canvas[shared : len(piece)] = piece[shared:]


def _piece(function: Callable[[Tensor], Tensor], pixels: np.ndarray, strength: float) -> np.ndarray:
    if strength == 1 and hasattr(function, "pixels"):
        return function.pixels(pixels)
    with torch.inference_mode():
        image = to_tensor(pixels)
        sharpened = function(image)
        if strength != 1:
            sharpened = torch.lerp(image, sharpened, strength)
        return to_array(sharpened)
