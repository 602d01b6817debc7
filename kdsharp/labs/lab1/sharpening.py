"""Lab 1, exercises 2 and 3: the unsharp mask and the Laplacian (lesson 01)."""

import numpy as np
from scipy import ndimage

from kdsharp.labs.judging import array, belief, near, usable
from kdsharp.labs.lab1.blur import BORDERS, OTHER, texture
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally

CROSS = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
"""The Laplacian with four neighbours: the sum of both second differences."""


def _ask_unsharp(secret: Secret) -> Task:
    rng = secret.rng("lab1", "unsharp")
    picture = texture(secret, "unsharp picture")
    radius, amount = float(rng.uniform(1.1, 1.8)), float(rng.uniform(1.6, 2.4))
    questions = {
        "sharp": Call("unsharp_mask", (picture, radius, amount)),
        "none": Call("unsharp_mask", (picture, radius, 0.0)),
        "blurred": Call("gaussian_blur", (picture, radius)),
    }
    return Task(questions, {"picture": picture, "radius": radius, "amount": amount})


def _score_unsharp(answers: Answers, task: Task) -> Verdict:
    """Against the submission's own blur, so that a slip in exercise 1 is not paid for twice."""
    picture, amount = task.kept["picture"], task.kept["amount"]
    found, none = array(answers["sharp"], picture.shape), array(answers["none"], picture.shape)
    blurred = array(answers["blurred"], picture.shape)
    own = np.isfinite(blurred).all() and not near(blurred, picture, 0.02)
    soft = blurred if own else ndimage.gaussian_filter(picture, task.kept["radius"], mode="mirror")
    right = picture + amount * (picture - soft)
    wrong = [
        (picture, "filter does nothing yet", "Your `unsharp_mask` gives its input back."),
        (
            amount * (picture - soft),
            "edge map alone",
            "You return the edge map: a flat wall turns black. A sharpener *adds* it to the picture.",
        ),
        (
            picture - amount * (picture - soft),
            "blur instead of sharpening",
            "Your edge map has the wrong sign, so that you blur: it is the picture *minus* its blur.",
        ),
        (
            picture + amount * soft,
            "blur added",
            "You add the blurred picture. Add the *difference* of the picture and its blur.",
        ),
        (
            amount * picture + amount * (picture - soft),
            "amount scales the picture",
            "Amount multiplies the picture too, so that everything gets brighter. It belongs to the edge map alone.",
        ),
        (
            (1 + amount) * picture - soft,
            "amount scales the picture",
            "Amount multiplies the picture but not its blur, so that everything gets brighter.",
        ),
        (
            picture + (picture - soft),
            "amount is not used",
            "Your result is that of amount 1, whatever amount is asked for.",
        ),
    ]
    clamped = near(found, right.clip(0, 1), 5e-3)
    named = belief(
        found,
        wrong,
        ("other sum", "Your result is not picture + amount * (picture - blur): compare them in one pixel."),
        5e-3,
    )
    sharpens = near(found.clip(0, 1), right.clip(0, 1), 5e-3)
    return tally(
        3,
        [
            usable(answers["sharp"], picture.shape, "unsharp_mask(picture, radius, amount)"),
            (2, near(found, right, 5e-3) or clamped, *named),
            (
                0.5,
                near(found, right, 5e-3),
                "clamped inside the filter",
                "You clip inside the filter. Filters here do not: what they overshoot must still be seen. "
                "Clip once, last.",
            ),
            (
                0.5,
                sharpens and near(none, picture, 1e-6),
                "amount 0 changes the picture",
                "Amount 0 must leave the picture as it is.",
            ),
        ],
    )


def _ask_laplacian(secret: Secret) -> Task:
    picture = texture(secret, "laplacian")
    amount = float(secret.rng("lab1", "laplacian amount").uniform(0.4, 0.9))
    return Task({"sharp": Call("laplacian_sharpen", (picture, amount))}, {"picture": picture, "amount": amount})


def _score_laplacian(answers: Answers, task: Task) -> Verdict:
    picture, amount = task.kept["picture"], task.kept["amount"]
    found = array(answers["sharp"], picture.shape)
    inner = (slice(2, -2), slice(2, -2))
    edges = {mode: ndimage.correlate(picture, CROSS, mode=mode) for mode in BORDERS}
    square = ndimage.correlate(
        picture, np.ones((3, 3)) - 9 * (np.indices((3, 3)).sum(0) == 2) * np.eye(3), mode="mirror"
    )
    wide = np.gradient(np.gradient(picture, axis=0), axis=0) + np.gradient(np.gradient(picture, axis=1), axis=1)
    rest = edges["mirror"]
    wrong = [
        (picture, "filter does nothing yet", "Your `laplacian_sharpen` gives its input back."),
        (picture + amount * rest, "Laplacian added", ADDED),
        (-amount * rest, "edge map alone", "You return the edge map: add it to the picture."),
        (
            amount * rest,
            "edge map alone",
            "You return the edge map (with its sign the other way round): take it from the picture.",
        ),
        (
            picture - amount * square,
            "eight neighbours",
            "You count the diagonals too. This exercise asks for the four neighbours.",
        ),
        (picture - rest, "amount is not used", "Your result is that of amount 1, whatever amount is asked for."),
        (
            picture - amount * rest / 4,
            "mean of the neighbours",
            "You divide by four: the Laplacian is their *sum* less four times the pixel.",
        ),
        (
            picture - amount * wide,
            "second difference over two pixels",
            "`np.gradient` twice looks two pixels away and does not see the finest detail at all. Use the "
            "neighbours themselves.",
        ),
    ]
    border = belief(
        found,
        [
            (picture - amount * edges[mode], f"border: {name}", f"At the border you {does}; this lab reflects.")
            for mode, (name, does) in OTHER.items()
        ],
        ("other border", "At the border your result differs from one whose picture is continued by reflection."),
    )
    unknown = (
        "other Laplacian",
        "Your result is not picture - amount * Laplacian: try it on a single white pixel, by hand.",
    )
    named = belief(found[inner], [(value[inner], *words) for value, *words in wrong], unknown)
    right = picture - amount * rest
    return tally(
        3,
        [
            usable(answers["sharp"], picture.shape, "laplacian_sharpen(picture, amount)"),
            (2, near(found[inner], right[inner]), *named),
            (1, near(found, right), *border),
        ],
    )


ADDED = (
    "You add the Laplacian and so blur: at a bright pixel it is *negative*, because its neighbours are "
    "darker. Subtract it."
)


UNSHARP = Exercise("unsharp", 3, _ask_unsharp, _score_unsharp)
LAPLACIAN = Exercise("laplacian", 3, _ask_laplacian, _score_laplacian)
