"""Two pictures of one thing behind a border that moves (floor 7; the book's front page)."""

import html
from typing import Any, ClassVar

import numpy as np

from kdsharp.checks import UsageError
from kdsharp.island import Island
from kdsharp.island.files import webp


class Wipe(Island):
    """A picture before and after.

    Args:
        left, right: what each shows, in words, and its pixels, uint8 (H, W, 3) of one size.

    Raises:
        UsageError: when the sizes differ.
    """

    module: ClassVar[str] = "wipe"

    def __init__(self, left: tuple[str, np.ndarray], right: tuple[str, np.ndarray]) -> None:
        if left[1].shape != right[1].shape:
            raise UsageError(f"a wipe needs two pictures of one size, not {left[1].shape} and {right[1].shape}")
        self.left, self.right = ((webp(pixels), words) for words, pixels in (left, right))

    def facts(self, live: bool) -> dict[str, Any]:
        return {"left": self.left, "right": self.right, "label": "border between the two pictures"}

    def still(self) -> str:
        pictures = (f'<img src="{source}" alt="{html.escape(words)}">' for source, words in (self.left, self.right))
        return "".join(pictures)
