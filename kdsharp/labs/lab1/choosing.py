"""Lab 1, exercise 5: parameters chosen on one set and reported on another (lesson 04)."""

import numpy as np
from scipy import ndimage

from kdsharp.course.given.filters import AMOUNTS, RADII, mean_psnr, reference_unsharp
from kdsharp.datasets import dead_leaves
from kdsharp.images import luma, to_tensor
from kdsharp.labs.judging import belief, near, number
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally


def _pairs(rng: np.random.Generator, count: int, sigma: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Blurred and sharp leaves, (count, 64, 64) each."""
    sharp = np.stack([luma(to_tensor(dead_leaves(64, rng)))[0, 0].double().numpy() for _ in range(count)])
    widths = sigma * np.linspace(0.7, 1.3, count)  # so that the mean of PSNRs is not the PSNR of the mean error
    soft = np.stack([ndimage.gaussian_filter(each, w, mode="mirror") for each, w in zip(sharp, widths, strict=True)])
    return np.clip(soft + noise * rng.standard_normal(soft.shape), 0, 1), sharp


def _ask_choose(secret: Secret) -> Task:
    """Training pictures with little noise, held-out ones with more, so that each set has a best setting of its own."""
    rng = secret.rng("lab1", "choose")
    sigma = float(rng.uniform(1.0, 1.3))
    train, held = _pairs(rng, 4, sigma, 0.004), _pairs(rng, 3, sigma, 0.02)
    question = Call("choose", (*train, *held, list(RADII), list(AMOUNTS)), seconds=20)
    return Task({"chosen": question}, {"train": train, "held": held})


def _score_choose(answers: Answers, task: Task) -> Verdict:
    found = answers["chosen"]
    asked = {"radius", "amount", "train", "held_out"}
    if not isinstance(found, dict) or not asked <= set(found):
        said = f"`choose` must return a dict with the keys {', '.join(sorted(asked))}."
        return Verdict(0, "no dict with the four keys", said)
    radius, amount, train, held = (number(found[key]) for key in ("radius", "amount", "train", "held_out"))
    tables = {}
    for name in ("train", "held"):
        soft, sharp = task.kept[name]
        tables[name] = {
            (r, a): mean_psnr(np.stack([reference_unsharp(each, r, a) for each in soft]), sharp)
            for r in RADII
            for a in AMOUNTS
        }
    best = max(tables["train"], key=tables["train"].__getitem__)
    if (radius, amount) not in tables["train"]:
        return Verdict(
            0,
            "setting outside the grid",
            "The radius and the amount that you return are none of those that were given.",
        )
    setting = radius, amount
    wrong = [
        ((RADII[0], AMOUNTS[0]), "nothing chosen yet", "You return the first setting of the grid."),
        (
            min(tables["train"], key=tables["train"].__getitem__),
            "worst setting chosen",
            "You chose the *lowest* PSNR: more is better.",
        ),
        (
            max(tables["held"], key=tables["held"].__getitem__),
            "tuned on held-out photos",
            "Your setting is the best one for the held-out photos. They judge the choice, so that they may "
            "have no part in it.",
        ),
    ]
    named = belief(setting, wrong, ("other choice", "Another setting has a higher mean PSNR on the training photos."))
    pooled = {}
    for name in ("train", "held"):
        soft, sharp = task.kept[name]
        answer = np.stack([reference_unsharp(each, radius, amount) for each in soft]).clip(0, 1)
        pooled[name] = -10 * np.log10(np.square(answer - sharp).mean())
    mean = tables["train"][setting], tables["held"][setting]
    reported = belief(
        (train, held),
        [
            ((pooled["train"], pooled["held"]), "PSNR of the mean error", POOLED),
            (
                mean[::-1],
                "the two sets changed places",
                "You report the held-out score as the training score and the other way round.",
            ),
        ],
        (
            "other score",
            f"At your setting the training photos have {mean[0]:.2f} dB and the held-out ones {mean[1]:.2f} dB.",
        ),
        0.02,
    )
    return tally(
        3,
        [
            (1, setting == best, *named),
            (1, near(train, mean[0], 0.02), *reported),
            (1, near(held, mean[1], 0.02), *(reported if not near(train, mean[0], 0.02) else HELD)),
        ],
    )


POOLED = "You took the PSNR of the mean error. This lab, as the course, takes the PSNR of each photo and then the mean."
HELD = "held-out score is none", "The held-out score must be that of the *chosen* setting on the held-out photos."


CHOOSE = Exercise("choose", 3, _ask_choose, _score_choose)
