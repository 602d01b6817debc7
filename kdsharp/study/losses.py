"""What does each loss term buy? One network, trained on from the same weights with one loss or another (lesson 11)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from kdsharp import checkpoints
from kdsharp.checks import check_name
from kdsharp.distill import DeepLoss
from kdsharp.evaluate import Pair, mean_interval
from kdsharp.images import quantize
from kdsharp.losses import FLOORS, LOSSES, vgg_file
from kdsharp.metrics import gradient_energy, psnr, ssim
from kdsharp.tables import Row
from kdsharp.train import TrainConfig, fit

Loss = Callable[[Tensor, Tensor], Tensor]


def losses(layers: Sequence[str] = ("encoders.0", "encoders.1")) -> dict[str, Loss]:
    """The losses of lesson 11 by name: pixels, structure, edges, the teacher's features, and VGG16's where they are.

    Args:
        layers: of the bundled teacher, for ``deep``.
    """
    found = {name: LOSSES[name] for name in ("mse", "l1", "charbonnier", "ssim", "edge")}
    found["deep"] = DeepLoss(checkpoints.load("teacher").model, layers)
    if vgg_file().is_file():
        found["vgg"] = LOSSES["vgg"]
    return found


class Mixed(nn.Module):
    """The training step of a network under several losses, each as large as the first on one batch.

    Units of losses have nothing to do with each other: the weights bring the terms to one size, and the loss is their
    mean. Which terms are worth more is another question; a sweep of the weights answers it.

    Args:
        student: the network.
        terms: name to loss.
        batch: (blurred, sharp) on which the terms are brought to one size.
    """

    def __init__(self, student: nn.Module, terms: dict[str, Loss], batch: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        self.student, self._terms = student, terms  # a dict, so that what a term looks with is not trained
        self.frozen = tuple(each for term in terms.values() for each in getattr(term, "frozen", ()))
        self.lowest = {name: FLOORS.get(name, 0.0) for name in terms}
        with torch.no_grad():
            answer = student(batch[0])
            sizes = {name: term(answer, batch[1]).item() for name, term in terms.items()}
        first = next(iter(sizes.values()))
        self.weights = {name: first / max(size, 1e-12) / len(terms) for name, size in sizes.items()}

    def forward(self, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        answer = self.student(blurred)
        found = {name: term(answer, sharp) for name, term in self._terms.items()}
        return {"loss": torch.stack([self.weights[name] * value for name, value in found.items()]).sum()} | found


def train_with(
    names: Sequence[str], known: dict[str, Loss], batches: Dataset, steps: int, rate: float = 1e-3
) -> nn.Module:
    """The bundled student, trained on for some steps under the named losses; the same first weights every time.

    The rate falls to nearly zero along a cosine. The batches are the seed: the same ones for every arm.
    """
    student = checkpoints.load("small").model
    for value in student.parameters():
        value.requires_grad_(True)
    step = Mixed(student, {name: known[check_name(name, known, "loss")] for name in names}, batches[0])
    config = TrainConfig(
        steps=steps, learning_rate=rate, warmup=min(10, steps // 4), average=0.0, clip=0.5, log_every=steps
    )
    fit(step, batches, config, progress=False)
    return student.eval()


def score(network: nn.Module, pairs: Sequence[Pair]) -> dict[str, float]:
    """Means over photos: ``psnr`` (dB), ``ssim``, and ``sharpness``, the gradient energy over that of the truth."""
    found = []
    for _, blurred, sharp in pairs:
        with torch.inference_mode():
            answer = quantize(network(blurred))
        share = gradient_energy(answer) / gradient_energy(sharp)
        found.append([psnr(answer, sharp).item(), ssim(answer, sharp).item(), share.item()])
    return dict(zip(("psnr", "ssim", "sharpness"), np.mean(found, 0).tolist(), strict=True))


@dataclass(frozen=True)
class Bought:
    """What an arm changed against another, paired by seed: mean and half-width of a 95 % interval."""

    measure: str
    mean: float
    half_width: float

    @property
    def seen(self) -> bool:
        """Whether the interval leaves 0 out."""
        return abs(self.mean) > self.half_width

    def __str__(self) -> str:
        """Markdown; bold where a difference was seen."""
        digits = 2 if self.measure == "psnr" else 4 if self.measure == "ssim" else 3
        text = f"{self.mean:+.{digits}f} ± {self.half_width:.{digits}f}"
        return f"**{text}**" if self.seen else text


def bought(rows: Sequence[Row], arm: str, against: str) -> list[Bought]:
    """PSNR, SSIM and sharpness of an arm minus those of another, seed by seed."""
    by = {name: {row["seed"]: row for row in rows if row["arm"] == name} for name in (arm, against)}
    return [
        Bought(measure, *mean_interval([by[arm][seed][measure] - by[against][seed][measure] for seed in by[arm]]))
        for measure in ("psnr", "ssim", "sharpness")
    ]


def lead(rows: Sequence[Row], measure: str) -> str:
    """Which arm is highest in ``psnr``, ``ssim`` or ``sharpness``, and whether by more than chance; one sentence."""
    place = ("psnr", "ssim", "sharpness").index(check_name(measure, ("psnr", "ssim", "sharpness"), "measure"))
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    means = {arm: float(np.mean([row[measure] for row in rows if row["arm"] == arm])) for arm in arms}
    first, second = sorted(arms, key=lambda arm: -means[arm])[:2]
    ahead = bought(rows, first, second)[place]
    what = {"psnr": "PSNR", "ssim": "SSIM", "sharpness": "Sharpness"}[measure]
    if ahead.seen:
        return f"{what}: **{first}** leads, {ahead} ahead of {second}."
    return f"{what}: {first} is highest, {ahead} ahead of {second}: **no lead shown**."


def own_measure(rows: Sequence[Row], arm: str, measure: str) -> str:
    """Whether the loss that asks for a measure itself leads in it, and where not, by how much it is behind."""
    place = ("psnr", "ssim", "sharpness").index(check_name(measure, ("psnr", "ssim", "sharpness"), "measure"))
    arms = dict.fromkeys(row["arm"] for row in rows)
    means = {each: float(np.mean([row[measure] for row in rows if row["arm"] == each])) for each in arms}
    top, second = sorted(arms, key=lambda each: -means[each])[:2]
    if top == arm:
        seen = bought(rows, arm, second)[place].seen
        return (
            f"`{arm}` leads in its own measure."
            if seen
            else f"`{arm}` is highest in its own measure, by no more than chance can do."
        )
    behind = bought(rows, top, arm)[place]
    word = "so it is behind" if behind.seen else "which chance can do"
    return f"`{arm}` does not lead in its own measure: `{top}` is {behind} ahead, {word}."
