"""Lab 3, a teacher: what is asked of a submission, and what its answers are worth (lessons 06 and 03)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kdsharp.course.given.teacher import Batch, EdgeNet, batches, gain, losses_of_tiny, soften
from kdsharp.datasets import dead_leaves
from kdsharp.filters.spatial import blur
from kdsharp.images import to_tensor
from kdsharp.labs import hidden
from kdsharp.labs.judging import array, belief, near, usable
from kdsharp.labs.spec import (
    Answers,
    Call,
    Exercise,
    Failure,
    Lab,
    Manual,
    Secret,
    Task,
    Value,
    Verdict,
    prediction,
    tally,
)

STATED = 3.2
"""The gain in dB over the input that the teacher of exercise 3 is to beat."""


# 1. the loop


def _descend(
    start: Tensor, blurred: Tensor, sharp: Tensor, rate: float, slip: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Losses and last weights of a loop, right or with one slip."""
    weights, moved, losses = start.clone(), torch.zeros_like(start), []
    for step in range(len(blurred)):
        k = 0 if slip == "first batch only" else step
        soft, truth = blurred[k], blurred[k] if slip == "input as target" else sharp[k]
        weights.requires_grad_(True)
        error = nn.functional.conv2d(soft, weights[None, None], padding=2) - truth
        loss = {"sum": error.square().sum(), "absolute": error.abs().mean()}.get(slip, error.square().mean())
        (gradient,) = torch.autograd.grad(loss, weights)
        losses.append(loss.item())
        moved = moved + gradient if slip == "accumulated" else gradient
        weights = (weights - rate * (-1 if slip == "ascent" else 1) * moved).detach()
    return np.array(losses), weights.numpy()


SLIPS = {
    "accumulated": (
        "gradients not cleared",
        "Your gradients add up from step to step: `optimizer.zero_grad()` is missing, or stands between "
        "backward and step.",
    ),
    "first batch only": (
        "one batch over and over",
        "You train on the first batch in every step: the loop runs over batches.",
    ),
    "input as target": (
        "blurred photo as target",
        "You compare the answer with the *blurred* photo: the network then learns to change nothing.",
    ),
    "sum": ("sum instead of mean", "You sum the squared errors: the step then grows with the size of the batch."),
    "absolute": ("other loss", "This loop minimises the mean *squared* error; yours takes the absolute one."),
    "ascent": ("uphill", "Your loop goes uphill: somewhere a sign is wrong."),
}


def _ask_loop(secret: Secret) -> Task:
    rng = secret.rng("lab3", "loop")
    shape = (6, 2, 1, 20, 20)
    sharp = torch.from_numpy(rng.random(shape, dtype=np.float32))
    blurred = blur(sharp.flatten(0, 1), 1.0).view(shape)
    start = torch.from_numpy(0.04 + 0.02 * rng.standard_normal((5, 5), dtype=np.float32))
    call = Call("lambda *given: bench.probe(fit, *given)", (start, blurred, sharp, 0.05))
    return Task({"trained": call}, {"given": (start, blurred, sharp, 0.05)})


def _score_loop(answers: Answers, task: Task) -> Verdict:
    given: tuple[Tensor, Tensor, Tensor, float] = task.kept["given"]
    found = answers["trained"]
    if not isinstance(found, dict):
        reason = found.reason if isinstance(found, Failure) else "it is no dict"
        return Verdict(0, "no answer", f"`fit` could not be used: {reason}.")
    start, steps = given[0].numpy(), len(given[1])
    losses, weights = array(_numbers(found.get("losses")), (steps,)), array(found.get("weights"), (5, 5))
    right_losses, right = _descend(*given)
    wrong = [(_descend(*given, slip=slip)[1], *words) for slip, words in SLIPS.items()]
    wrong.insert(
        0, (start, "weights do not move", "The weights are where they were: no `backward()`, no `step()`, or no loop.")
    )
    named = belief(
        weights, wrong, ("other steps", "Your weights end elsewhere than six steps on six batches lead."), 1e-5
    )
    moved = not near(weights, start, 1e-5)
    read = usable(_numbers(found.get("losses")), (steps,), "fit(network, batches, optimizer)")
    first = near(losses[0], right_losses[0], 1e-5)
    return tally(
        5,
        [
            (2, near(weights, right, 1e-5), *named),
            (1, moved and not np.allclose(weights, wrong[1][0], atol=1e-5) and np.isfinite(weights).all(), *named),
            (1, moved and first, *(read[2:] if not read[1] else ("loss of another step", LOSS))),
            (
                0.5,
                moved and near(losses, right_losses, 1e-5),
                *(named if not near(weights, right, 1e-5) else ("loss of another step", LOSS)),
            ),
            (0.5, moved and bool(found.get("training")), "trained in evaluation mode", MODE),
        ],
    )


LOSS = "Answer one number for each batch: its loss *before* the step that it causes, as a float."
MODE = "The network came in evaluation mode, and you trained it so: call `network.train()` before the loop."


def _numbers(found: Any) -> Any:
    """Losses as one array: a list of numbers, or of arrays of one number each."""
    if isinstance(found, list):
        return [each.reshape(-1)[0] if isinstance(each, np.ndarray) and each.size == 1 else each for each in found]
    return found


# 2. and 3. networks, which are rebuilt here from their weights


def load(answer: Any, width: int = 8) -> EdgeNet | None:
    """An :class:`EdgeNet` with the weights of an answer; None where they do not fit."""
    network = EdgeNet(width)
    expected = network.state_dict()
    if not isinstance(answer, Mapping) or set(answer) != set(expected):
        return None
    weights = {name: array(answer[name], tuple(value.shape)) for name, value in expected.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        return None
    network.load_state_dict({name: torch.from_numpy(value).float() for name, value in weights.items()})
    return network.eval()


NO_NETWORK = (
    "no weights of an EdgeNet",
    "The answer must be the `state_dict()` of a `bench.EdgeNet()`, all of it finite numbers.",
)


def _ask_overfit(secret: Secret) -> Task:
    ((soft, sharp),) = batches(1, secret.seed("lab3", "overfit"))
    return Task({"weights": Call("overfit", (soft, sharp), seconds=20)}, {"batch": (soft, sharp)})


def _score_overfit(answers: Answers, task: Task) -> Verdict:
    network = load(answers["weights"])
    if network is None:
        return Verdict(0, *NO_NETWORK)
    found = gain(network, [task.kept["batch"]])
    if abs(found) < 0.01:
        why = (
            "network still fresh",
            "Your network still answers its input: nothing was trained, or its target was the blurred batch.",
        )
    elif found < 0:
        why = "training diverged", f"After training the batch is {-found:.1f} dB worse than before: lower the rate."
    else:
        why = (
            "stopped too early",
            f"{found:+.1f} dB on a batch seen a hundred times: more steps, or a rate that is not so small.",
        )
    return tally(3, [(1, found > 0.5, *why), (1, found > 2, *why), (1, found > 3, *why)])


def hidden_pairs(secret: Secret, count: int = 3) -> list[Batch]:
    """Pairs that nobody has seen: of the lecturer's photos where there are some, of new dead leaves otherwise."""
    if secret.hidden is not None:
        sharp = hidden.photos(secret.hidden, count)
    else:
        sharp = [to_tensor(dead_leaves(128, secret.rng("lab3", "hidden", str(k)))) for k in range(count)]
    return [(soften(each), each) for each in sharp]


def _ask_teacher(secret: Secret) -> Task:
    return Task({"weights": Value("teacher.state_dict()")}, {"pairs": hidden_pairs(secret)})


def _score_teacher(answers: Answers, task: Task) -> Verdict:
    network = load(answers["weights"])
    if network is None:
        return Verdict(0, *NO_NETWORK)
    found = gain(network, task.kept["pairs"])
    said = f"{found:+.2f} dB over the input on hidden pictures; {STATED} are asked for."
    if abs(found) < 0.01:
        why = "network still fresh", "Your teacher still answers its input: it was not trained."
    elif found < 0:
        why = "worse than its input", said + " Worse than doing nothing: look at the target, and at the rate."
    else:
        why = "below the stated score", said + " More batches, a rate that falls, or another seed of the crops."
    return tally(4, [(1, found > 0.3, *why), (1, found > 2, *why), (2, found > STATED, *why)])


# 4. a photo on which the weak student loses


def _ask_lose(secret: Secret) -> Task:
    return Task(
        {"photo": Call("losing_photo", (secret.seed("lab3", "photo"),))}, {"shakes": secret.seed("lab3", "shakes")}
    )


def _score_lose(answers: Answers, task: Task) -> Verdict:
    found = answers["photo"]
    shape = (96, 96, 3)
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype != np.uint8:
        told = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        return Verdict(
            0, "no uint8 photo of 96x96", f"`losing_photo` must answer uint8 of shape {shape}; found {told}."
        )
    contrast = float(found.astype(float).std())
    if contrast < 8:
        return Verdict(
            0,
            "photo with nothing in it",
            f"The standard deviation is {contrast:.1f} grey levels; at least 8 are asked for.",
        )
    worse = losses_of_tiny(found, np.random.default_rng(task.kept["shakes"]))
    why = (
        "student still gains",
        f"On your photo the student gains {-worse:.2f} dB over three shakes. What does it take for blur that is none?",
    )
    return tally(
        3,
        [
            (2, worse > 0, *why),
            (
                1,
                worse > 0.5,
                "loses by less than 0.5 dB" if worse > 0 else why[0],
                f"It loses by {worse:.2f} dB." if worse > 0 else why[1],
            ),
        ],
    )


LAB = Lab(
    "lab3_teacher",
    "A teacher",
    exercises=(
        Exercise("loop", 5, _ask_loop, _score_loop),
        Exercise("overfit", 3, _ask_overfit, _score_overfit),
        Exercise("teacher", 4, _ask_teacher, _score_teacher),
        Exercise("lose", 3, _ask_lose, _score_lose),
        prediction("predict_first_loss", 1, "PREDICTION_1", ("a", "b", "c"), right="b"),
        prediction("predict_rate", 1, "PREDICTION_2", ("a", "b", "c"), right="c"),
    ),
    manual=(
        Manual(
            "explain_curve",
            3,
            (
                (1, "Reads the figure: which curve does what, and where they part"),
                (1, "Names the cause: the validation pictures have noise that no training picture has"),
                (1, "Proposes an experiment that could prove the cause wrong, or a cure with its price"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
