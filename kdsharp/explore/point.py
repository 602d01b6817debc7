"""One more student of a measured grid, at the reader's own point and with the grid's settings (lesson 10, floor 7)."""

import math
from dataclasses import replace

import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.utils.data import Dataset

from kdsharp import checkpoints, plots
from kdsharp.datasets import photos, synthetic_pairs
from kdsharp.degrade import protocol
from kdsharp.evaluate import mean_interval, verdict
from kdsharp.explore.button import Watch
from kdsharp.explore.mixes import SIDE, chart_and_crop, gains_of
from kdsharp.explore.training import train_until
from kdsharp.images import quantize
from kdsharp.metrics import psnr
from kdsharp.models import build
from kdsharp.plots import COLOURS
from kdsharp.recipes import RECIPES, Stage
from kdsharp.recipes.batches import synthetic_batches
from kdsharp.recipes.training import mean_psnr, training_step
from kdsharp.sweep import Grid


class OwnPoint:
    """Trains as ``kdsharp sweep`` trained a grid, at any alpha, temperature and pull, and draws it beside the grid.

    The student alone with the same seed is in the grid, so that one training gives a paired gain.

    Args:
        recipe: a name in ``RECIPES``: what the grid is a sweep of. Its teacher is taken as it is.
        grid: over alpha, temperature and pull.
        seed: of weights and batches; one that the grid lacks begins again at its first.
        profile: ``full`` is what the grid was trained with; ``smoke`` trains a few steps, to try the button.
        photo: which of the test photos is shown, counted from 0.
        at: (top, left) of the crop that is shown.
    """

    def __init__(
        self, recipe: str, grid: Grid, seed: int, profile: str = "full", photo: int = 0, at: tuple[int, int] = (0, 0)
    ) -> None:
        self.recipe, self.grid, self.at = RECIPES[recipe], grid, at
        plan = self.recipe.student.at(profile)
        self.seed = seed % len(grid.alone())
        self.plan = replace(plan, config=replace(plan.config, seed=self.seed))
        self.pairs = list(synthetic_pairs(protocol(self.recipe.protocol), photos("test")))
        _, self.blurred, self.sharp = self.pairs[photo]
        self.measured = max(alpha for alpha in grid.values("alpha") if alpha < 1)
        self.batches: Dataset | None = None

    @property
    def steps(self) -> int:
        """Of a whole training."""
        return self.plan.config.steps

    def before(self, alpha: float, temperature: float, pull: float) -> plots.Picture:
        """The grid, and the untouched crop: what is known without a training."""
        near = self._nearest(temperature, pull)
        mean, half = mean_interval(self.grid.gains(alpha=self.measured, **near).tolist())
        where = f"alpha {self.measured:g}, temperature {near['temperature']:g}, pull {near['pull']:g}"
        return self._drawn(
            f"measured at {where}: {verdict(mean, half)}, {mean:+.2f} ± {half:.2f} dB", temperature, pull
        )

    def train(self, watch: Watch, alpha: float, temperature: float, pull: float) -> plots.Picture:
        """Train there, until the end or until ``watch`` raises :class:`kdsharp.explore.button.Stopped`, and draw."""
        student, done = self.student(watch, alpha, temperature, pull)
        gain = mean_psnr(student, self.pairs) - float(self.grid.alone()[self.seed])
        short = "" if done == self.steps else f" after {done} of {self.steps} steps"
        said = (
            f"alpha {alpha:g}, temperature {temperature:g}, pull {pull:g}: {gain:+.2f} dB over alone, one seed{short}"
        )
        with torch.inference_mode():
            return self._drawn(said, temperature, pull, gain, quantize(student(self.blurred)))

    def student(self, watch: Watch, alpha: float, temperature: float, pull: float) -> tuple[torch.nn.Module, int]:
        """The student that is trained there, and how many steps it had."""
        plan: Stage = replace(self.plan, alpha=alpha, temperature=temperature, pull=pull)
        student = build(plan.architecture, self.seed)
        teacher = None if alpha == 1 else checkpoints.load(str(self.recipe.teacher)).model
        if self.batches is None:  # the same ones at every point
            self.batches = synthetic_batches(self.recipe, plan)
        done = train_until(training_step(plan, student, teacher), self.batches, plan.config, watch)
        return student.eval(), len(done)

    def _nearest(self, temperature: float, pull: float) -> dict[str, float]:
        """The measured point that is nearest by ratio."""
        wanted = {"temperature": temperature, "pull": pull}
        return {
            axis: min(self.grid.values(axis), key=lambda each: abs(math.log(each / value)))
            for axis, value in wanted.items()
        }

    def _drawn(
        self, said: str, temperature: float, pull: float, gain: float | None = None, restored: Tensor | None = None
    ) -> plots.Picture:
        near, seen = self._nearest(temperature, pull), self.blurred if restored is None else restored

        def chart(axes: Axes) -> None:
            temperatures = self.grid.values("temperature")
            pull = near["pull"]  # the others would answer a question that the lesson asks
            runs = {t: self.grid.gains(alpha=self.measured, temperature=t, pull=pull) for t in temperatures}
            label = f"alpha {self.measured:g}, pull {pull:g}, {len(self.grid.alone())} seeds"
            axes.errorbar(*gains_of(runs), color=COLOURS[0], marker="o", ms=4, capsize=3, label=label)
            if gain is not None:
                axes.plot([temperature], [gain], "D", color=COLOURS[1], ms=9, zorder=3, label="your student")
            axes.axhline(0, color="black", linewidth=1)
            axes.text(temperatures[0], 0.01, "alone", fontsize=8.5, va="bottom")
            axes.set_xscale("log", base=2)
            axes.set_xticks([0.125, *temperatures, 8], ["1/8", *(_as_fraction(t) for t in temperatures), "8"])
            axes.set(xlabel="temperature (spreads)", ylabel="gain over alone (dB)")
            low, high = axes.get_ylim()
            axes.set_ylim(low, high + 0.4 * (high - low))
            axes.legend(loc="upper left", fontsize=8.5, frameon=False, borderaxespad=0.2)
            axes.grid(alpha=0.3)

        scores = [psnr(each, self.sharp).item() for each in (seen, self.blurred)]
        title = f"this photo, untouched: {scores[1]:.2f} dB"
        title = title if restored is None else f"this photo, yours: {scores[0]:.2f} dB\n{title}"
        made = chart_and_crop(said, chart, plots.crop(seen, *self.at, SIDE), title)
        return plots.Picture(made, f"{said}. {title.replace(chr(10), '; ')}.")


def _as_fraction(value: float) -> str:
    return f"1/{1 / value:g}" if value < 1 else f"{value:g}"
