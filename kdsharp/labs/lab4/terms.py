"""Lab 4, exercises 1 and 2: the hint and the channel-wise term (lesson 09)."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import torch
from torch import Tensor

from kdsharp.labs.judging import array, belief, near, number
from kdsharp.labs.spec import Answers, Call, Exercise, Failure, Secret, Task, Verdict, tally

# 1. hint


def _ask_hint(secret: Secret) -> Task:
    rng = secret.rng("lab4", "hint")
    sizes = (2, 3, 5, 6), (2, 4, 5, 6), (4, 3)
    given = tuple(torch.from_numpy(rng.standard_normal(size, dtype=np.float32)) for size in sizes)
    return Task({"hint": Call("lambda *given: bench.probe(hint_loss, *given)", given)}, {"given": given})


def _score_hint(answers: Answers, task: Task) -> Verdict:
    student, teacher, weight = (each.double().numpy() for each in task.kept["given"])
    found = answers["hint"]
    if not isinstance(found, Mapping):
        return Verdict(
            0,
            "no answer",
            f"`hint_loss` could not be used: {found.reason if isinstance(found, Failure) else 'no value'}.",
        )
    difference = np.einsum("dc,bchw->bdhw", weight, student) - teacher
    right, value = np.square(difference).mean(), number(found.get("value"))
    moves = 2 * np.einsum("dc,bdhw->bchw", weight, difference) / difference.size
    turned = 2 * np.einsum("bdhw,bchw->dc", difference, student) / difference.size
    wrong = [
        (0.0, "loss does nothing yet", "Your loss is 0 whatever the maps are."),
        (
            np.square(difference).sum(),
            "sum instead of mean",
            "You take the sum: the weight of the term then depends on the size of the crop.",
        ),
        (np.abs(difference).mean(), "absolute difference", "The hint is the mean of *squared* differences."),
        (np.sqrt(right), "root of the mean", "You take the root. FitNets' hint is the mean square itself."),
    ]
    named = belief(
        value, wrong, ("other loss", f"The loss of the test maps is {right:.4f}; you have {value:.4f}."), 1e-4
    )
    own = array(found.get("student"), student.shape), array(found.get("adapter"), (*weight.shape, 1, 1))
    learns = [bool(np.abs(each).max() > 1e-9) for each in own]  # nan compares as no
    exact = near(own[0], moves, 1e-5) and near(own[1][..., 0, 0], turned, 1e-5)
    pulls = array(found.get("teacher"), teacher.shape)
    still = found.get("teacher") is None or near(pulls, np.zeros_like(pulls))
    if not learns[0]:
        flow = (
            "student detached",
            "No gradient reaches the student's map: a detached tensor is a number to the optimizer.",
        )
    elif not learns[1]:
        flow = (
            "adapter not trained",
            "No gradient reaches the adapter: it would stay random, and the hint a random one.",
        )
    else:
        flow = named
    return tally(
        3,
        [
            (1, near(value, right, 1e-4), *named),
            (1, exact or (all(learns) and near(value, right, 1e-4)), *flow),
            (1, still and learns[0], *(flow if still else ("teacher gets a gradient", TEACHER))),
        ],
    )


TEACHER = "The teacher's map gets a gradient: it would move towards its pupil, and both could agree on anything."


# 2. the channel-wise term


def _ask_channel(secret: Secret) -> Task:
    rng = secret.rng("lab4", "channel")
    maps = tuple(torch.from_numpy(rng.standard_normal((2, 3, 5, 4))) for _ in range(2))
    tau = float(rng.uniform(1.5, 3))
    return Task({"channel": Call("channel_loss", (*maps, tau))}, {"maps": maps, "tau": tau})


def _channel(student: Tensor, teacher: Tensor, tau: float, axis: str, turned: bool, squared: bool, share: str) -> float:
    """The channel-wise term, right or with slips: the softmax's axis, KL's direction, the factor tau^2, the divisor."""
    if axis == "positions":
        logs = [(each.flatten(2) / tau).log_softmax(-1) for each in (student, teacher)]
    else:
        logs = [(each / tau).log_softmax(1) for each in (student, teacher)]
    q, p = reversed(logs) if turned else logs
    total = (p.exp() * (p - q)).sum().item()
    divisor = {"B C": 6, "B": 2, "all": student.numel(), "none": 1}[share]
    return total / divisor * (tau**2 if squared else 1)


def _score_channel(answers: Answers, task: Task) -> Verdict:
    value, (student, teacher), tau = number(answers["channel"]), task.kept["maps"], task.kept["tau"]
    if isinstance(answers["channel"], Failure):
        return Verdict(0, "no answer", f"`channel_loss` gave no answer: {answers['channel'].reason}.")
    if near(value, 0.0):
        return Verdict(0, "loss does nothing yet", "Your loss is 0 whatever the maps are.")
    slips = list(product(("positions", "channels"), (False, True), (True, False), ("B C", "B", "all", "none")))
    found = next((slip for slip in slips if near(value, _channel(student, teacher, tau, *slip), 1e-6)), None)
    if found is None:
        right = _channel(student, teacher, tau, *slips[0])
        return Verdict(
            0,
            "other loss",
            f"The term of the test maps is {right:.5f}; yours is {value:.5f}, which no single slip explains.",
        )
    axis, turned, squared, share = found
    return tally(
        4,
        [
            (1, axis == "positions", "softmax over channels", AXIS),
            (
                1,
                not turned,
                "divergence the other way round",
                "That is KL(student || teacher). The teacher's map is the one that weighs.",
            ),
            (
                1,
                squared,
                "tau squared missing",
                "Without tau^2 the term fades as tau grows: you would compare learning rates.",
            ),
            (
                1,
                share == "B C",
                "wrong divisor",
                "Divide the sum by images times channels: each channel is one distribution.",
            ),
        ],
    )


AXIS = "Your softmax runs over the channels. The term asks *where* in the picture each channel looks: over positions."


HINT = Exercise("hint", 3, _ask_hint, _score_hint)
CHANNEL = Exercise("channel", 4, _ask_channel, _score_channel)
