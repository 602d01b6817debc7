"""Where the temperature was invented: a small classifier learns handwritten digits from a larger one (lesson 10).

What the page computes is computed here once more, by NumPy: :func:`learn` is what a saved notebook shows, and what the
page is tested against.
"""

import base64
import html
from functools import cache
from typing import Any, ClassVar

import numpy as np
from scipy import stats

from kdsharp.evaluate import mean_interval
from kdsharp.explore import Slider
from kdsharp.explore.kernel import generator, noise
from kdsharp.island import Island, note
from kdsharp.places import place
from kdsharp.plots import COLOURS, WIDTH, Picture, figure

INPUTS, HIDDEN, CLASSES = 64, 16, 10
STEPS, RATE = 300, 0.03
TAUGHT, POOL = slice(0, 900), slice(900, 1300)
"""Digits that the teacher learned from, and those that students draw theirs from; the rest are for testing."""
TEMPERATURES = (1, 1.5, 2, 3, 4, 6, 8, 12, 20)
Weights = list[np.ndarray]


class Digits(Island):
    """Ten small students of handwritten digits and their teacher: sliders for alpha, temperature and labels.

    Args:
        title: what stands above.
        alpha, temperature, labels: where the sliders start; ``labels`` are labelled digits of each class.
        seeds: students of one setting.
    """

    module: ClassVar[str] = "digits"

    def __init__(
        self, title: str, alpha: float = 0.1, temperature: float = 1, labels: int = 3, seeds: int = 10
    ) -> None:
        self.title, self.seeds = title, seeds
        self.sliders = {
            "alpha": Slider("alpha, the labels' share", (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), alpha),
            "temperature": Slider("temperature T", TEMPERATURES, temperature),
            "labels": Slider("labelled digits of each class", (1, 3, 10), labels),
        }

    def facts(self, live: bool) -> dict[str, Any]:
        images, labels = digits()
        scores = teacher_scores()
        test = slice(POOL.stop, None)
        sliders = [slider.facts() for slider in self.sliders.values()]
        kinds = {"label": "the teacher's wrong classes", "values": ["as they are", "shuffled"], "start": 0}
        return {
            "title": self.title,
            "sliders": [*sliders, kinds],
            "inputs": INPUTS,
            "hidden": HIDDEN,
            "classes": CLASSES,
            "steps": STEPS,
            "rate": RATE,
            "seeds": self.seeds,
            "t": float(stats.t.ppf(0.975, self.seeds - 1)),
            "example": 7,
            "hottest": TEMPERATURES[-1],
            "teacher": round(100 * float((scores[test].argmax(-1) == labels[test]).mean()), 2),
            "digits": _packed(images[POOL]),
            "labels": _packed(labels[POOL]),
            "scores": _packed(scores[POOL].astype(np.float32)),
            "test": _packed(images[test]),
            "testLabels": _packed(labels[test]),
        }

    def still(self) -> str:
        alone = 100 * learn(1.0, 1, 3, seeds=3)
        taught = {tau: 100 * learn(0.1, tau, 3, seeds=3) for tau in (1, 2, 4, 8, 20)}
        made = figure(WIDTH // 2, 240)
        axes = made.add_subplot()
        bars = [mean_interval(each.tolist()) for each in taught.values()]
        means, halves = zip(*bars, strict=True)
        axes.errorbar(list(taught), means, halves, marker="o", color=COLOURS[0], label="with a teacher, alpha 0.1")
        axes.axhline(alone.mean(), color=COLOURS[1], linestyle="--", label="alone")
        axes.set(xlabel="temperature T", ylabel="test digits read right (%)", xscale="log", ylim=(40, 100))
        axes.set_xticks(list(taught), [f"{tau:g}" for tau in taught])
        axes.legend()
        made.tight_layout()
        told = ", ".join(f"{each.mean():.0f} % at T = {tau:g}" for tau, each in taught.items())
        picture = Picture(made, f"Three students of 30 labelled digits: alone {alone.mean():.0f} %, taught {told}.")
        hint = "Mean of three students with its interval. They train in JupyterLab and on the published page."
        return f"<p><b>{html.escape(self.title)}</b></p>{picture.tag()}{note(hint)}"


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits: (1797, 64) uint8 from 0 to 16, and their classes (1797,) uint8.

    Source: Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI repository, CC BY 4.0.
    """
    with np.load(place("data") / "digits.npz") as stored:
        return stored["images"].reshape(-1, INPUTS), stored["labels"]


@cache
def teacher_scores() -> np.ndarray:
    """The teacher's class scores (logits) of all digits, (1797, 10): 64 hidden units, trained on 900 of them."""
    images, labels = digits()
    weights = fresh([np.random.default_rng(0).standard_normal], 64)
    every = images[None] / 16
    train(weights, every[:, TAUGHT], np.eye(CLASSES)[labels[TAUGHT]][None], None, 1.0, 1.0, 0.01)
    return scores_of(weights, every)[0]


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of class scores (..., 10) divided by a temperature, above 0."""
    raised = np.exp((scores - scores.max(-1, keepdims=True)) / temperature)
    return raised / raised.sum(-1, keepdims=True)


def learn(
    alpha: float, temperature: float, labels: int, shuffled: bool = False, seeds: int = 10, steps: int = STEPS
) -> np.ndarray:
    """Share of the test digits that students read right, one number a seed.

    ``loss = alpha CE(label, student) + (1 - alpha) T^2 KL(teacher || student)``, both softened by T in the second part
    (Hinton et al., 2015), mean over the labelled digits: no student sees any other digit.

    Args:
        alpha: the labels' share, in [0, 1].
        temperature: T, above 0.
        labels: labelled digits of each class, 1 to 25.
        shuffled: the control: the teacher's best class stays, its other scores change places, so that its answers are
            as soft as before and no longer say which classes a digit resembles.
        seeds: students, each with digits and first weights of its own.
    """
    images, classes = digits()
    known, scores = images[POOL] / 16, teacher_scores()[POOL]
    randoms = [generator(seed) for seed in range(1, seeds + 1)]
    picked = np.array(
        [[i for c in range(CLASSES) for i in draw(np.flatnonzero(classes[POOL] == c), labels, r)] for r in randoms]
    )
    taught = scores[picked]
    if shuffled:
        taught = np.array([_shuffled(each, seed) for seed, each in enumerate(taught, 1)])
    weights = fresh([lambda size, r=r: noise(r, int(np.prod(size))).reshape(size) for r in randoms], HIDDEN)
    truth = np.eye(CLASSES)[classes[POOL]][picked]
    train(weights, known[picked], truth, softmax(taught, temperature), alpha, temperature, RATE, steps)
    test = slice(POOL.stop, None)
    return (scores_of(weights, images[None, test] / 16).argmax(-1) == classes[test]).mean(-1)


def draw(members: np.ndarray, count: int, random: Any) -> list[int]:
    """``count`` of the members without repetition, as the page draws them: the beginning of a shuffle."""
    left = members.tolist()
    for i in range(count):
        j = i + int(next(random) * (len(left) - i))
        left[i], left[j] = left[j], left[i]
    return left[:count]


def _shuffled(scores: np.ndarray, seed: int) -> np.ndarray:
    random, changed = generator(1000 + seed), scores.copy()
    for row in changed:
        others = np.flatnonzero(np.arange(CLASSES) != row.argmax())
        row[others] = row[draw(others, len(others), random)][::-1]
    return changed


def fresh(normals: list, hidden: int) -> Weights:
    """First weights of one student for each source of normal numbers: (S, 64, hidden), bias, (S, hidden, 10), bias."""
    into, out = zip(*((normal((INPUTS, hidden)), normal((hidden, CLASSES))) for normal in normals), strict=True)
    count = len(normals)
    return [
        np.stack(into) * np.sqrt(2 / INPUTS),
        np.zeros((count, 1, hidden)),
        np.stack(out) * np.sqrt(1 / hidden),
        np.zeros((count, 1, CLASSES)),
    ]


def scores_of(weights: Weights, images: np.ndarray) -> np.ndarray:
    """Class scores (S, N, 10) of images (S or 1, N, 64)."""
    return np.maximum(images @ weights[0] + weights[1], 0) @ weights[2] + weights[3]


def train(
    weights: Weights,
    images: np.ndarray,
    truth: np.ndarray,
    soft: np.ndarray | None,
    alpha: float,
    temperature: float,
    rate: float,
    steps: int = STEPS,
) -> None:
    """Adam over all images at each step, the rate falling to 0 in a line after STEPS; changes ``weights`` in place."""
    mean, square = [0 * each for each in weights], [0 * each for each in weights]
    for step in range(steps):
        active = np.maximum(images @ weights[0] + weights[1], 0)
        scores = active @ weights[2] + weights[3]
        error = alpha * (softmax(scores) - truth)
        if soft is not None:
            error = error + (1 - alpha) * temperature * (softmax(scores, temperature) - soft)
        error = error / images.shape[1]
        back = (error @ weights[2].swapaxes(1, 2)) * (active > 0)
        pulls = (
            images.swapaxes(1, 2) @ back,
            back.sum(1, keepdims=True),
            active.swapaxes(1, 2) @ error,
            error.sum(1, keepdims=True),
        )
        for i, pull in enumerate(pulls):
            mean[i] = 0.9 * mean[i] + 0.1 * pull
            square[i] = 0.999 * square[i] + 0.001 * pull**2
            size = np.sqrt(square[i] / (1 - 0.999 ** (step + 1))) + 1e-8
            weights[i] -= rate * (1 - step / STEPS) * (mean[i] / (1 - 0.9 ** (step + 1))) / size
