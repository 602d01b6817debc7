"""Lab 5, a report: an open problem, what is asked of a submission, and what its answers are worth (lessons 08 to 15).

The network is handed in as *data*, a plan and weights, and is rebuilt and measured here: nobody has to be believed.
"""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kdsharp import checkpoints, kernels
from kdsharp.checks import UsageError
from kdsharp.datasets import dead_leaves, folder_photos, photos
from kdsharp.filters import unsharp_mask
from kdsharp.filters.spatial import blur
from kdsharp.images import luma, pad_to_multiple, quantize, to_tensor
from kdsharp.labs.judging import array, number
from kdsharp.labs.spec import Answers, Exercise, Lab, Manual, Secret, Task, Value, Verdict, prediction, tally
from kdsharp.metrics import psnr

MOST_WEIGHTS, MOST_TIME = 20_000, 1.5
"""The rules: fewer weights than this, and at most this many times the time of ``tiny`` in the same run."""
STATED = 0.2
"""The gain in dB over the unsharp mask that gives all points."""
MASK = (1.0, 2.0)
"""Radius in pixels and amount of the unsharp mask that is to be beaten, chosen on the training photos."""
Batch = tuple[Tensor, Tensor]


class Student(nn.Module):
    """A student by its plan: edge maps of the luma, PixelUnshuffle, convolutions, PixelShuffle, plus the input.

    Args:
        plan: ``radii`` of the edge maps in pixels (one to four, each 0.5 to 4), ``factor`` of the PixelUnshuffle (1, 2 or 4),
            ``width`` (2 to 64) and ``depth`` (1 to 8) of the 3x3 convolutions with a ReLU; a last one follows.

    Shape: (B, 3, H, W) in [0, 1] to the same, not clamped; all colours get the same correction.

    Raises:
        UsageError: for a plan with other keys or values.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        super().__init__()
        self.radii, self.factor, width, depth = read_plan(plan)
        channels = [len(self.radii) * self.factor**2] + [width] * depth
        layers: list[nn.Module] = []
        for before, after in zip(channels, channels[1:], strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        last = nn.Conv2d(width, self.factor**2, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.body = nn.Sequential(nn.PixelUnshuffle(self.factor), *layers, last, nn.PixelShuffle(self.factor))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        grey = luma(pad_to_multiple(image, self.factor))
        edges = torch.cat([8 * (grey - blur(grey, radius)) for radius in self.radii], 1)
        return image + self.body(edges)[..., :height, :width]


def read_plan(plan: Any) -> tuple[tuple[float, ...], int, int, int]:
    """Radii, factor, width and depth of a plan.

    Raises:
        UsageError: when it is no plan, in one sentence.
    """
    if not isinstance(plan, Mapping) or set(plan) != {"radii", "factor", "width", "depth"}:
        raise UsageError("a plan has the keys radii, factor, width and depth")
    radii, factor, width, depth = (plan[key] for key in ("radii", "factor", "width", "depth"))
    if (
        not isinstance(radii, Sequence)
        or not 1 <= len(radii) <= 4
        or not all(0.5 <= number(each) <= 4 for each in radii)
    ):
        raise UsageError("radii are one to four numbers from 0.5 to 4 pixels")
    if not all(type(each) is int for each in (factor, width, depth)):
        raise UsageError("factor, width and depth are whole numbers")
    if factor not in (1, 2, 4) or not 2 <= width <= 64 or not 1 <= depth <= 8:
        raise UsageError("factor is 1, 2 or 4, width 2 to 64, depth 1 to 8")
    return tuple(float(each) for each in radii), factor, width, depth


def soften(sharp: Tensor, rng: np.random.Generator) -> Tensor:
    """The blur of this lab: a lens of which nobody knows how far it is off (sigma 1 to 2 pixels), a little noise, 8 bits."""
    blurred = kernels.convolve(sharp, kernels.gaussian(rng.uniform(1, 2)))
    return quantize(blurred + 0.004 * torch.from_numpy(rng.standard_normal(tuple(sharp.shape), dtype=np.float32)))


def palette() -> np.ndarray:
    """Colours of the training photos, uint8 (N, 3): leaves in these are as colourful as photos are."""
    return np.concatenate([photo.pixels[::16, ::16].reshape(-1, 3) for photo in photos("train")])


def batches(count: int, seed: int, size: int = 48, batch: int = 8) -> list[Batch]:
    """``count`` batches of (blurred, sharp) crops, (batch, 3, size, size) each, of leaves and of the training photos."""
    rng = np.random.default_rng(seed)
    colours = palette()
    sharp = [to_tensor(dead_leaves(160, rng, colours)) for _ in range(4)]
    sharp += [to_tensor(each.pixels)[..., 40:280, 40:280] for each in photos("train")]
    pairs = [(soften(each, rng), each) for each in sharp for _ in range(2)]
    made = []
    for _ in range(count):
        crops = []
        for k in rng.integers(len(pairs), size=batch):
            soft, truth = pairs[k]
            y, x = (int(rng.integers(side - size + 1)) for side in soft.shape[-2:])
            crops.append([each[..., y : y + size, x : x + size] for each in (soft, truth)])
        made.append((torch.cat([each[0] for each in crops]), torch.cat([each[1] for each in crops])))
    return made


def pictures(rngs: Sequence[np.random.Generator]) -> list[Batch]:
    """One pair (1, 3, 160, 160) of dead leaves for each generator."""
    colours = palette()
    sharp = [to_tensor(dead_leaves(160, rng, colours)) for rng in rngs]
    return [(soften(each, rng), each) for each, rng in zip(sharp, rngs, strict=True)]


def gain(function: Callable[[Tensor], Tensor], pairs: Sequence[Batch]) -> float:
    """The mean over pairs of PSNR of the answer less PSNR of the input, in dB."""
    with torch.inference_mode():
        gains = [psnr(quantize(function(soft)), sharp) - psnr(soft, sharp) for soft, sharp in pairs]
    return torch.cat(gains).mean().item()


def time_ratio(network: nn.Module, rounds: int = 7) -> float:
    """The time of a network against ``tiny``'s on 512x512 pixels, in turns in the same run: the ratio of the least times."""
    tiny, image = checkpoints.load("tiny").model, torch.rand(1, 3, 512, 512).to(memory_format=torch.channels_last)
    taken: dict[str, list[float]] = {"own": [], "tiny": []}
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for name, each in (("own", network), ("tiny", tiny)):
                start = time.perf_counter()
                each(image)
                if turn:  # the first turn warms up
                    taken[name].append(time.perf_counter() - start)
    return min(taken["own"]) / min(taken["tiny"])


def count(network: nn.Module) -> int:
    """Its weights."""
    return sum(each.numel() for each in network.parameters())


def pack(network: nn.Module) -> str:
    """The weights as one line of text, 16 bits each, to be pasted into the notebook that is handed in."""
    flat = torch.cat([each.detach().flatten() for each in network.parameters()])
    return base64.b64encode(flat.half().numpy().tobytes()).decode()


def unpack(network: nn.Module, text: str) -> None:
    """Put weights of :func:`pack` into a network of the same plan.

    Raises:
        UsageError: when the text belongs to another plan.
    """
    flat = torch.from_numpy(np.frombuffer(base64.b64decode(text), np.float16).astype(np.float32))
    if len(flat) != count(network):
        raise UsageError(f"the text holds {len(flat)} weights, the plan has {count(network)}")
    nn.utils.vector_to_parameters(flat, network.parameters())


# what is marked


def rebuilt(answers: Answers) -> tuple[Student | None, str]:
    """The network of a submission, built here from plan and weights; or None and why."""
    try:
        network = Student(answers["plan"])
    except UsageError as error:
        return None, f"`PLAN` is none: {error}."
    expected, given = network.state_dict(), answers["weights"]
    if not isinstance(given, Mapping) or set(given) != set(expected):
        return None, "`student` is no `lab5.Student(PLAN)`: its weights have other names."
    weights = {name: array(given[name], tuple(value.shape)) for name, value in expected.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        return None, "the weights of `student` do not fit its plan, or are no finite numbers."
    network.load_state_dict({name: torch.from_numpy(value).float() for name, value in weights.items()})
    return network.eval(), ""


def hidden_pairs(secret: Secret) -> list[Batch]:
    """Pairs that nobody has seen: of the lecturer's photos where there are some, of new leaves otherwise."""
    rngs = [secret.rng("lab5", "hidden", str(k)) for k in range(4)]
    if secret.hidden is None:
        return pictures(rngs)
    found = folder_photos(secret.hidden)[0][:4]
    sharp = [to_tensor(photo.pixels)[..., :256, :256] for photo in found]
    return [(soften(each, rng), each) for each, rng in zip(sharp, rngs, strict=False)]


NETWORK = {"plan": Value("PLAN"), "weights": Value("student.state_dict()")}


def _ask_rules(secret: Secret) -> Task:
    return Task(NETWORK)


def _score_rules(answers: Answers, task: Task) -> Verdict:
    network, why = rebuilt(answers)
    if network is None:
        return Verdict(0, "no student by its plan", why)
    if not any(value.abs().max() > 0 for name, value in network.body[-2].state_dict().items()):
        return Verdict(
            0, "student still fresh", "The last layer is 0: the student answers its input, which obeys every rule."
        )
    weights, ratio = count(network), time_ratio(network)
    return tally(
        3,
        [
            (
                1,
                weights < MOST_WEIGHTS,
                "too many weights",
                f"{weights:,} weights; fewer than {MOST_WEIGHTS:,} are allowed.",
            ),
            (
                2,
                ratio <= MOST_TIME,
                "too slow",
                f"{ratio:.2f} times the time of `tiny`; {MOST_TIME} are allowed. Weights are not time.",
            ),
        ],
    )


def _ask_score(secret: Secret) -> Task:
    return Task(NETWORK, {"pairs": hidden_pairs(secret)})


def _score_score(answers: Answers, task: Task) -> Verdict:
    network, why = rebuilt(answers)
    if network is None:
        return Verdict(0, "no student by its plan", why)
    if count(network) >= MOST_WEIGHTS:
        return Verdict(0, "too many weights", "Outside the rules there is no score.")
    found = gain(network, task.kept["pairs"])
    mask = gain(lambda image: unsharp_mask(image, *MASK), task.kept["pairs"])
    said = f"{found:+.2f} dB over the input on hidden pictures; the unsharp mask has {mask:+.2f}, and {STATED} more are asked for."
    if abs(found) < 0.01:
        return Verdict(0, "student still fresh", "The student answers its input.")
    return tally(
        6,
        [
            (2, found > 0.1, "not above its input", said),
            (2, found > mask, "below the unsharp mask", said),
            (2, found > mask + STATED, "below the stated score", said),
        ],
    )


def _ask_row(secret: Secret) -> Task:
    return Task(NETWORK | {"row": Value("ROW")}, {"pairs": hidden_pairs(secret)})


def _score_row(answers: Answers, task: Task) -> Verdict:
    """The row against what is measured here: three points for an honest row, whatever the score in it."""
    network, why = rebuilt(answers)
    row = answers["row"]
    if network is None:
        return Verdict(0, "no student by its plan", why)
    keys = {"student", "weights", "gain", "interval"}
    if not isinstance(row, Mapping) or not keys <= set(row) or not isinstance(row["student"], str):
        return Verdict(0, "no leaderboard row", f"`ROW` must be a dict with {', '.join(sorted(keys))}.")
    weights, claimed, width = (number(row[key]) for key in ("weights", "gain", "interval"))
    if not 0 < len(row["student"]) <= 40:
        return Verdict(0, "student without a name", "Give your student a name of at most 40 letters.")
    found = gain(network, task.kept["pairs"])
    off = f"You claim {claimed:+.2f} ± {width:.2f} dB; on hidden pictures it is {found:+.2f}."
    return tally(
        3,
        [
            (
                1,
                weights == count(network),
                "weights miscounted",
                f"You report {weights:,.0f} weights; the student has {count(network):,}.",
            ),
            (
                1,
                0 < width <= 1,
                "no interval",
                "The half width of a 95 % interval over pictures is a number above 0, and here below 1 dB.",
            ),
            (1, claimed - 2 * max(width, 0.1) <= found, "claim above what is measured", off),
        ],
    )


LAB = Lab(
    "lab5_report",
    "A report",
    exercises=(
        Exercise("rules", 3, _ask_rules, _score_rules),
        Exercise("score", 6, _ask_score, _score_score),
        Exercise("row", 3, _ask_row, _score_row),
        prediction("predict_time", 1, "PREDICTION_1", ("a", "b", "c"), right="b"),
        prediction("predict_gap", 1, "PREDICTION_2", ("a", "b", "c"), right="b"),
    ),
    manual=(
        Manual(
            "report",
            6,
            (
                (1, "Data: which pictures, which blur, and what no part of the choice has seen"),
                (1, "Training: student, loss, steps, rate; what was tried and dropped, with its number"),
                (
                    2,
                    "Measuring: the rows of the input and of a tuned filter, an interval, time with machine and threads",
                ),
                (1, "Claims: no more than the numbers carry; a picture or a place on which the student fails"),
                (
                    1,
                    "Form: one page, each number found again in the notebook, three boxes of lesson 15's list named that stay empty",
                ),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
