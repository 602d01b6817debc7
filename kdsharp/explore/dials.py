"""Six dials instead of one learning rate: six optimizers in one valley (floor 7; lesson 12).

The page walks the paths; :func:`kdsharp.explore.descent.path` walks them with torch's own optimizers, for the still
and as what the page is tested against.
"""

import html
from typing import Any, ClassVar

from torch import Tensor

from kdsharp.explore import Slider, descent
from kdsharp.island import Island, note
from kdsharp.train import OPTIMIZERS

STEPS, VIEW = 40, 1.1
"""Steps of a path, and how far a picture reaches from the lowest point."""
REACH, DOWN = 2.0, 0.01
"""A path that goes further than ``REACH`` has left; one that ends below this share of the first height is down."""
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0, 30.0)


class Dials(Island):
    """Six paths through one valley; one slider moves all rates, and each path has a dial of its own.

    Args:
        title: what stands above.
        rate: the learning rate of all at the start.
        steepness: curvature across the valley where its slider starts; along it, 1.
        valleys: the steepnesses of the slider.
    """

    module: ClassVar[str] = "dials"

    def __init__(
        self,
        title: str = "Six optimizers in one valley",
        rate: float = 0.01,
        steepness: float = 5.0,
        valleys: tuple[float, ...] = (1.0, 5.0, 20.0, 80.0),
    ) -> None:
        self.title = title
        self.rate = Slider("one learning rate for all", RATES, rate)
        self.steepness = Slider("steepness of the valley", valleys, steepness)

    def facts(self, live: bool) -> dict[str, Any]:
        return {
            "title": self.title,
            "names": list(OPTIMIZERS),
            "start": descent.START,
            "steps": STEPS,
            "view": VIEW,
            "reach": REACH,
            "down": DOWN,
            "rate": self.rate.facts(),
            "steepness": self.steepness.facts(),
        }

    def still(self) -> str:
        rate, steepness = RATES[self.rate.index()], self.steepness.values[self.steepness.index()]
        picture = descent.render_descent(rate, steepness, STEPS)
        together = sum(is_down(descent.path(name, rate, steepness, STEPS), steepness) for name in OPTIMIZERS)
        hint = f"One rate, {rate:g}, for all: {together} of {len(OPTIMIZERS)} are down after {STEPS} steps. "
        hint += "One rate moves all of them, or a dial each, in JupyterLab and on the published page."
        return f"<p><b>{html.escape(self.title)}</b></p>{picture.tag()}{note(hint)}"


def is_down(places: Tensor, steepness: float) -> bool:
    """Whether a path, (steps + 1, 2), ends low enough and has never left the picture."""
    first, last = (descent.height(places[k, 0], places[k, 1], steepness) for k in (0, -1))
    return bool(places.abs().max() <= REACH and last <= DOWN * first)
