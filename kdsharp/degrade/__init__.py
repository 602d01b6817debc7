"""From a sharp photo to a blurred one: frozen dataclasses and the named protocols (floor 2; lesson 03).

A degradation has two steps. ``prepare`` turns a photo into the sharp target (a resize, or nothing); ``__call__``
blurs that target. Keeping them apart keeps one pitfall out: the target is never the degraded image.
"""

from kdsharp.checks import UsageError, check_name
from kdsharp.degrade.base import Degradation
from kdsharp.degrade.compressed import Compressed, jpeg
from kdsharp.degrade.linear import ClipMotion, LinearMotion
from kdsharp.degrade.mix import Mix
from kdsharp.degrade.motion import Motion, Shake, average_frames
from kdsharp.degrade.resampling import GaussianBlur, Rescale
from kdsharp.degrade.rolling import Rolling, roll
from kdsharp.degrade.soft import Soft

__all__ = [
    "PROTOCOLS",
    "ClipMotion",
    "Compressed",
    "Degradation",
    "GaussianBlur",
    "LinearMotion",
    "Mix",
    "Motion",
    "Rescale",
    "Rolling",
    "Shake",
    "Soft",
    "average_frames",
    "jpeg",
    "protocol",
    "roll",
]

PROTOCOLS: dict[str, Degradation | None] = {
    "shake": Shake(),
    "gaussian-256": GaussianBlur(),
    "gaussian-256-down": GaussianBlur(factor=2),
    "bilinear-60": Rescale(),
    "bicubic-4x": Rescale(scale=0.25, size=None, filter="bicubic"),
    "motion": Motion(),
    "gopro": None,  # real pairs: nothing is synthesised, so a folder of pairs is needed
}
"""The protocols by name. A table never mixes two (lesson 13)."""


def protocol(name: str) -> Degradation:
    """The degradation of a named protocol.

    Raises:
        UsageError: for an unknown name, and for ``gopro``, which needs real pairs.
    """
    found = PROTOCOLS[check_name(name, PROTOCOLS, "protocol")]
    if found is None:
        raise UsageError(f"protocol {name!r} measures real pairs; give a folder of pairs with --pairs")
    return found
