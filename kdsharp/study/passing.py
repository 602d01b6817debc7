"""After how many steps does a report's student pass its own input? As described, and with the skip it lacks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm.auto import tqdm

from kdsharp import claims
from kdsharp.checks import check_name, make_folder
from kdsharp.models import build
from kdsharp.plots import COLOURS, WIDTH
from kdsharp.plots import figure as empty
from kdsharp.plots.charts import DASHES
from kdsharp.plots.narrow import NARROW, wide_and_narrow
from kdsharp.recipes import REPORTS, Stage, mean_psnr
from kdsharp.recipes.batches import synthetic_batches
from kdsharp.recipes.training import training_step, without_missing_vgg
from kdsharp.study.distillation import Record, kept
from kdsharp.tables import Row
from kdsharp.train import fit

SYSTEMS = ("report-a", "report-b", "report-c", "report-d", "report-e-repaired")
"""One for each report; of E the repaired one, because as written it never meets a sharp photo."""
ARMS = {"as described": False, "with a skip": True}
ENDS_IN_A_SIGMOID = ("report-b-student", "report-d-student")
POINTS = 20
SHOWN = (-6.0, 4.0)
"""Of the figure, in dB over the input: what lies further below has learned no more than rough colours."""


class WithSkip(nn.Module):
    """``x + network(x)``; a network that ends in a sigmoid adds ``2 network(x) - 1``, which may take away as well.

    Shape: (B, 3, H, W) in [0, 1] to the same shape, not clamped. Lesson 15.
    """

    def __init__(self, network: nn.Module, sigmoid: bool = False) -> None:
        super().__init__()
        self.network, self.sigmoid = network, sigmoid

    def forward(self, image: Tensor) -> Tensor:
        answer = self.network(image)
        return image + (2 * answer - 1 if self.sigmoid else answer)


def run(out: str | Path, names: Iterable[str] = (), steps: int = 1000, progress: bool = True) -> list[Row]:
    """Train each system's student alone, as described and with a skip, and score it on the held-out photos on the way.

    Alone, because a teacher of a few minutes would be asked as well; loss, optimizer, rate and batch are the report's,
    the crops those of its lab profile. Both arms have the same first weights and meet the same crops. Finished runs are
    kept in ``out``.

    Returns:
        rows with system, arm, step and psnr (dB, mean over the held-out photos under the report's protocol).
    """
    chosen = [check_name(name, SYSTEMS, "system") for name in names] or list(SYSTEMS)
    folder = make_folder(out)
    rows: list[Row] = []
    runs = [(name, arm) for name in chosen for arm in ARMS]
    for name, arm in tqdm(runs, desc="runs", unit="run", disable=not progress):
        record = kept(folder / f"{name}, {arm}, {steps} steps.json", partial(_train, name, arm, steps))
        rows += [{"system": name, "arm": arm, **row} for row in record["rows"]]
    return rows


def _train(name: str, arm: str, steps: int) -> Record:
    """One run, and its score at ``POINTS`` places."""
    stage = REPORTS[name].student
    assert isinstance(stage, Stage)
    plan, left_out = without_missing_vgg(replace(stage.at("lab"), alpha=1.0, terms=()))
    plan = replace(plan, config=replace(plan.config, steps=steps, save_every=max(1, steps // POINTS)))
    network = build(plan.architecture, plan.config.seed)
    if ARMS[arm]:
        network = WithSkip(network, plan.architecture in ENDS_IN_A_SIGMOID)
    pairs, scores = claims.held_out(name), list[float]()

    def look(student: nn.Module) -> float:
        scores.append(mean_psnr(student, pairs))
        return scores[-1]

    batches = synthetic_batches(REPORTS[name], plan)
    fit(training_step(plan, network, None), batches, plan.config, validate=look, progress=False)
    every = plan.config.save_every
    return {
        "rows": [{"step": min(steps, every * (k + 1)), "psnr": score} for k, score in enumerate(scores)],
        "left_out": left_out,
    }


@dataclass(frozen=True)
class Course:
    """One system and arm on its way: ``steps``, ``gains`` in dB over its own input, and the step that ``passed`` it."""

    system: str
    arm: str
    steps: tuple[int, ...]
    gains: tuple[float, ...]

    @property
    def letter(self) -> str:
        """The report, as the book names it: *A*, *E repaired*."""
        letter, *rest = self.system.removeprefix("report-").split("-")
        return " ".join([letter.upper(), *rest])

    @property
    def passed(self) -> int | None:
        """The first looked-at step from which on it stays above its input; None where it does not."""
        after = None
        for step, gain in zip(self.steps, self.gains, strict=True):
            after = (after or step) if gain > 0 else None
        return after

    @property
    def said(self) -> str:
        """That in words: *from 150 on*, or *not in 1,000*."""
        return f"not in {self.steps[-1]:,}" if self.passed is None else f"from {self.passed:,} on"


def courses(rows: Iterable[Row]) -> list[Course]:
    """Rows of :func:`run` or of the stored table ``passing``, as the way of each system and arm over its own input."""
    ways: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        ways.setdefault((row["system"], row["arm"]), []).append(row)
    inputs = {name: claims.kept(name)["input"].psnr for name, _ in ways}
    return [
        Course(name, arm, tuple(row["step"] for row in way), tuple(row["psnr"] - inputs[name] for row in way))
        for (name, arm), way in ways.items()
    ]


def table(found: Iterable[Course]) -> str:
    """A Markdown row a system: gain over the input at the end, and the step that passed it, for each arm."""
    lines = ["| student, alone |" + "".join(f" {arm}, dB | above its input, steps |" for arm in ARMS)]
    lines.append("|---|" + "---:|---|" * len(ARMS))
    for name, ways in _by_system(found).items():
        lines.append(f"| {name} |" + "".join(f" {way.gains[-1]:+.2f} | {way.said} |" for way in ways))
    return "\n".join(lines)


def figure(found: Iterable[Course]) -> Figure:
    """Gain over the own input against steps, one panel an arm on one scale; on a phone one below the other."""
    by_system = _by_system(found)

    def drawn(wide: bool) -> Figure:
        width, panel = (WIDTH, 300) if wide else (NARROW, 270)
        height = panel if wide else panel * len(ARMS)
        made = empty(width, height)
        for index, arm in enumerate(ARMS):
            left = 62 + index * 340 if wide else 62
            bottom = 48 if wide else height - (index + 1) * panel + 48
            across = 300 if wide else NARROW - 78
            axes = made.add_axes((left / width, bottom / height, across / width, (panel - 80) / height))
            for place, (name, ways) in enumerate(by_system.items()):
                way = ways[index]
                axes.plot(way.steps, way.gains, color=COLOURS[place], linestyle=DASHES[place], label=name)
            axes.axhline(0, color="#222222", linewidth=0.8)
            axes.set(xlabel="steps", ylim=SHOWN, title=arm)
            if index == 0 or not wide:
                axes.set_ylabel("PSNR over the input in dB")
            axes.grid(alpha=0.3)
            if index == 1:  # where no line is below
                axes.legend(loc="lower right", fontsize=9, ncols=3)
        return made

    return wide_and_narrow(drawn)


def _by_system(found: Iterable[Course]) -> dict[str, list[Course]]:
    """The arms of each system, by the report's letter."""
    ways: dict[str, list[Course]] = {}
    for each in found:
        ways.setdefault(each.letter, []).append(each)
    return ways
