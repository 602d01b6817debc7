"""Lab 2, exercises 4 and 5: a split with a leak, and a test that a wrong filter passes (lessons 03 and 04)."""

import numpy as np

from kdsharp.course.given.measures import disagreement, split
from kdsharp.labs.judging import array, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally

# 4. the leak


def _ask_leak(secret: Secret) -> Task:
    train, held, kinds = split(secret.rng("lab2", "leak"))
    return Task({"leaks": Call("leaks", (train, held), seconds=20)}, {"kinds": kinds})


def _score_leak(answers: Answers, task: Task) -> Verdict:
    kinds = task.kept["kinds"]
    answer = answers["leaks"]
    found = array(
        [float(bool(each)) for each in answer] if isinstance(answer, (list, np.ndarray)) else answer, (len(kinds),)
    )
    accused = {kind: [bool(each) for each, own in zip(found, kinds, strict=True) if own == kind] for kind in set(kinds)}
    alarms = sum(accused["honest"])
    read = bool(np.isfinite(found).all())
    if not read:
        return tally(
            3, [usable(answer, (len(kinds),), "leaks(train, held_out)"), (3, False, "no list of yes and no", LIST)]
        )
    if alarms > 1:
        return Verdict(
            0,
            "honest pictures accused",
            f"{alarms} of 4 pictures that have no twin are called leaks: a threshold is too loose.",
        )
    return tally(
        3,
        [
            (
                1,
                all(accused["copy"]),
                "exact copies missed",
                "A held-out picture that is in the training set, byte for byte, is not found.",
            ),
            (1, all(accused["changed"]), "changed copies missed", CHANGED),
            (
                1,
                all(accused["shifted"]) and not alarms,
                "overlapping crops missed" if not alarms else "honest pictures accused",
                SHIFTED,
            ),
        ],
    )


LIST = "Answer a list with one True or False for each held-out picture."
CHANGED = (
    "A copy that was turned or mirrored, with its contrast moved, is not found. Two crops of one scene "
    "know each other whatever an editor did to them."
)
SHIFTED = (
    "Crops of one photo that overlap are not found (or an honest picture is accused for it). This is "
    "what *split by photo, never by crop* means."
)


# 5. fool a test


def _ask_fool(secret: Secret) -> Task:
    rng = secret.rng("lab2", "fool")
    radius, low, high = float(rng.uniform(1.2, 1.8)), float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.7, 0.9))
    question = Call("fooling", (56, 72, radius, low, high))
    return Task({"picture": question}, {"shape": (56, 72), "radius": radius, "low": low, "high": high})


def _score_fool(answers: Answers, task: Task) -> Verdict:
    shape, low, high = task.kept["shape"], task.kept["low"], task.kept["high"]
    found = array(answers["picture"], shape)
    read = usable(answers["picture"], shape, "fooling(height, width, radius, low, high)")
    if not read[1]:
        return tally(3, [read, (3, False, *read[2:])])
    spans = abs(found.min() - low) < 1e-3 and abs(found.max() - high) < 1e-3
    busy = bool(np.abs(found - np.median(found)).mean() > 0.02)
    gap = disagreement(found, task.kept["radius"])
    opposite = max(np.abs(found[0] - found[-1]).max(), np.abs(found[:, 0] - found[:, -1]).max())
    if opposite > 0.05:
        why = (
            "opposite borders differ",
            "The wrong filter goes on at the opposite side: on your picture the two sides differ, and the "
            "test sees it.",
        )
    else:
        why = (
            "border not calm far enough",
            f"The test finds {gap:.4f}. The mask looks four radii far: within that, both ways to go on must "
            f"see the same.",
        )
    return tally(
        3,
        [
            (1, spans and busy, *FLAT),
            (1, spans and busy and gap < 0.05, *(why if spans and busy else FLAT)),
            (1, spans and busy and gap < 1e-4, *(why if spans and busy else FLAT)),
        ],
    )


FLAT = (
    "picture with nothing in it",
    "The picture must reach from `low` to `high`, with detail between: on a flat one every filter passes.",
)


LEAK = Exercise("leak", 3, _ask_leak, _score_leak)
FOOL = Exercise("fool", 3, _ask_fool, _score_fool)
