"""Lab 1, exercise 1: a Gaussian blur, its kernel, its sum and its border (lesson 01)."""

import numpy as np
from scipy import ndimage

from kdsharp.labs.judging import array, belief, near, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally


def texture(secret: Secret, *names: str) -> np.ndarray:
    """Noise (48, 64) in [0.1, 0.9]: every slip shows on it, and nothing of it is known before."""
    return secret.rng("lab1", *names).uniform(0.1, 0.9, (48, 64))


def _ask_blur(secret: Secret) -> Task:
    sigma = float(secret.rng("lab1", "sigma").uniform(1.2, 1.9))
    picture, flat = texture(secret, "blur"), np.full((20, 26), 0.7)
    questions = {"noise": Call("gaussian_blur", (picture, sigma)), "flat": Call("gaussian_blur", (flat, sigma))}
    return Task(questions, {"picture": picture, "flat": flat, "sigma": sigma})


def _score_blur(answers: Answers, task: Task) -> Verdict:
    picture, sigma = task.kept["picture"], task.kept["sigma"]
    found, flat = array(answers["noise"], picture.shape), array(answers["flat"], task.kept["flat"].shape)
    margin = int(4 * sigma + 0.5)
    inner = (slice(margin, -margin), slice(margin, -margin))
    right = {mode: ndimage.gaussian_filter(picture, sigma, mode=mode) for mode in BORDERS}
    other = [
        (picture, "blur does nothing yet", "Your `gaussian_blur` gives its input back."),
        (
            ndimage.gaussian_filter(picture, np.sqrt(sigma)),
            "sigma taken for the variance",
            "Your blur is as wide as one whose *variance* is sigma: the exponent is -x^2 / (2 sigma^2), with "
            "the square.",
        ),
        (
            ndimage.gaussian_filter(picture, sigma, truncate=1.0),
            "kernel cut too short",
            "Your kernel ends at one sigma, where the bell is still at 61 % of its height: go out to about four.",
        ),
        (ndimage.gaussian_filter1d(picture, sigma, axis=1), "blurred along one axis", ONE_AXIS),
        (ndimage.gaussian_filter1d(picture, sigma, axis=0), "blurred along one axis", ONE_AXIS),
    ]
    unknown = (
        "other blur",
        "Away from the border your blur is not a Gaussian of that sigma: print its kernel and its sum.",
    )
    scaled = np.isfinite(found).all() and abs(flat[10, 13] - 0.7) > 0.02
    if scaled:
        unknown = (
            "weights do not sum to 1",
            f"A wall of 0.7 becomes {flat[10, 13]:.2f}: divide the weights by their sum.",
        )
    changed = not near(found, picture, 0.02)
    border = belief(
        found,
        [
            (right[mode], f"border: {name}", f"At the border you {does}; this lab reflects.")
            for mode, (name, does) in OTHER.items()
        ],
        ("other border", "At the border your blur differs from one whose picture is continued by reflection."),
        0.01,
    )
    named = belief(found[inner], [(value[inner], *words) for value, *words in other], unknown, 0.01)
    return tally(
        3,
        [
            usable(answers["noise"], picture.shape, "gaussian_blur(picture, sigma)"),
            (1, near(found[inner], right["mirror"][inner], 5e-3), *named),
            (
                1,
                changed and near(flat, task.kept["flat"], 2e-3),
                "a flat wall changes",
                WALL.format(flat[0, 0], flat[10, 13]),
            ),
            (1, near(found, right["mirror"], 5e-3), *border),
        ],
    )


ONE_AXIS = (
    "You blur along one axis only. The Gaussian is separable: one pass along the rows, then one along the columns."
)
WALL = (
    "A flat wall of 0.70 comes back as {:.2f} in its corner and {:.2f} in its middle. The weights must sum "
    "to 1 wherever they "
    "lie, at the border too."
)
OTHER = {
    "constant": ("zeros", "go on with black, so that it darkens"),
    "wrap": ("wrapped around", "take pixels of the opposite side (a product of spectra does that)"),
    "nearest": ("last pixel repeated", "repeat the last pixel"),
    "reflect": ("last pixel doubled", "count the last pixel twice (NumPy's `symmetric`)"),
}
BORDERS = ("mirror", *OTHER)


BLUR = Exercise("blur", 3, _ask_blur, _score_blur)
