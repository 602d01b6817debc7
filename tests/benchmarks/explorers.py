"""How long a reader waits at a slider: from its change to the new picture's bytes, in the kernel that draws them.

    python tests/benchmarks/explorers.py

The live explorers of the filters, as lessons 01, 02 and 05 set them up, at every position of their sliders once. Aim:
150 ms. What JupyterLab and the browser take to carry and show the bytes comes on top.
"""

import argparse
import itertools
import statistics
import time
from functools import partial

from rich.console import Console
from rich.table import Table

from kdsharp import datasets, kernels, plots
from kdsharp.explore import Explorer, Slider
from kdsharp.explore.frequency import render_emphasis
from kdsharp.explore.known_blur import render_wiener
from kdsharp.explore.strength import render_unsharp
from kdsharp.filters.spatial import blur
from kdsharp.images import quantize, to_tensor

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--quick", action="store_true", help="three positions each: does it run?")
options = parser.parse_args()

coffee = next(each for each in datasets.photos("test") if each.name == "coffee")
sharp = plots.crop(to_tensor(coffee.pixels), 0, 260, 208)
soft = quantize(blur(sharp, 1.5))
EXPLORERS = {
    "01, unsharp mask": Explorer(
        partial(render_unsharp, soft, sharp, at=(20, 70)),
        "Unsharp mask",
        radius=Slider("radius in pixels", (0.7, 1.0, 1.5, 2.0, 3.0, 5.0), 1.5),
        amount=Slider("amount, no unit", (0.5, 1.0, 2.0, 4.0, 8.0), 1.0),
    ),
    "02, Butterworth emphasis": Explorer(
        partial(render_emphasis, soft, sharp, amount=2.0, at=(20, 70)),
        "Butterworth emphasis",
        cutoff=Slider("cutoff in cycles per pixel", (0.03, 0.06, 0.1, 0.15, 0.2, 0.3), 0.1),
        order=Slider("order, no unit", (1, 2, 4, 16), 2),
    ),
    "05, Wiener filter": Explorer(
        partial(render_wiener, sharp, kernels.gaussian(1.5), at=(20, 70)),
        "Wiener filter",
        noise=Slider("noise in grey levels", (0.0, 0.3, 1.0, 3.0, 10.0), 1.0),
        ratio=Slider("noise-to-signal ratio", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1), 1e-3),
    ),
}


class Page:
    """The other end of an explorer: takes its answers as the front end would."""

    def on_msg(self, hear):
        self.hear = hear

    def move(self, position):
        """Milliseconds from a message with the sliders' positions to the answer with the picture."""
        start = time.perf_counter()
        self.hear(self, {"position": position, "number": 1}, [])
        milliseconds = 1000 * (time.perf_counter() - start)
        assert self.answer["picture"], self.answer
        return milliseconds


table = Table("explorer of lesson", "positions", "median, ms", "slowest, ms", title="from a slider to its new picture")
for name, explorer in EXPLORERS.items():
    page = Page()
    explorer.listen(page)
    first = [slider.index() for slider in explorer.sliders.values()]
    page.move(first)  # the first figure of a kernel loads fonts, and a picture that was drawn is kept
    others = itertools.product(*(range(len(slider.values)) for slider in explorer.sliders.values()))
    moves = [list(each) for each in others if list(each) != first]
    taken = [page.move(each) for each in (moves[:3] if options.quick else moves)]
    table.add_row(name, str(len(taken)), f"{statistics.median(taken):.0f}", f"{max(taken):.0f}")
Console(width=110).print(table)
