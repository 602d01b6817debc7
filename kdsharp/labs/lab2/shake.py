"""Lab 2, exercise 1: camera shake in linear light (lesson 03)."""

from collections.abc import Callable
from itertools import product

import numpy as np
from scipy import ndimage

from kdsharp import kernels
from kdsharp.labs.judging import array, belief, near, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally


def light(values: np.ndarray) -> np.ndarray:
    """sRGB values to linear light, both in [0, 1] (IEC 61966-2-1), float64 of any shape."""
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0) + 0.055) / 1.055) ** 2.4)


def stored(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB values, the inverse of :func:`light`."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


# 1. shake


def _ask_shake(secret: Secret) -> Task:
    rng = secret.rng("lab2", "shake")
    photo = rng.uniform(0, 1, (40, 44, 3)) ** 2  # dark with a few lights: there the two ways differ most
    psf = kernels.shake(float(rng.uniform(4, 6)), rng).double().numpy()
    psf = psf * (1 + np.linspace(0, 1, psf.shape[1]))  # no path may be its own mirror image
    psf /= psf.sum()
    ramp = np.concatenate([[0.0, 0.02, 1.0], rng.uniform(0, 1, 9)])
    questions = {
        "light": Call("to_light", (ramp,)),
        "stored": Call("to_values", (ramp,)),
        "shaken": Call("shaken", (photo, psf)),
    }
    return Task(questions, {"photo": photo, "psf": psf, "ramp": ramp})


SPACES: dict[str, tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]] = {
    "light": (light, stored),
    "power": (lambda v: v**2.2, lambda v: np.maximum(v, 0) ** (1 / 2.2)),
    "stored": (np.array, np.array),
}
BORDERS = ("mirror", "constant", "wrap", "nearest", "reflect")


def _blurred(photo: np.ndarray, psf: np.ndarray, space: str, border: str) -> np.ndarray:
    there, back = SPACES[space]
    planes = [ndimage.convolve(there(photo[..., c]), psf, mode=border) for c in range(3)]
    return back(np.clip(np.stack(planes, -1), 0, 1))


def _score_shake(answers: Answers, task: Task) -> Verdict:
    photo, psf, ramp = (task.kept[name] for name in ("photo", "psf", "ramp"))
    found = array(answers["shaken"], photo.shape)
    there, back = array(answers["light"], ramp.shape), array(answers["stored"], ramp.shape)
    half = len(psf) // 2 + 1
    inner = (slice(half, -half), slice(half, -half))
    space = flipped = border = None
    for name, turned in product(SPACES, (False, True)):
        kernel = psf[::-1, ::-1] if turned else psf
        if near(found[inner], _blurred(photo, kernel, name, "mirror")[inner], 3e-3):
            space, flipped = name, turned
            matches = (mode for mode in BORDERS if near(found, _blurred(photo, kernel, name, mode), 3e-3))
            border = next(matches, "other")
    unknown = belief(
        found[inner],
        [(photo[inner], "blur does nothing yet", "Your `shaken` gives its input back.")],
        (
            "other blur",
            "Your picture is none of those that this PSF makes: try it on one white pixel, and look for the PSF.",
        ),
        1e-3,
    )
    curve = belief(
        there,
        [
            (ramp, "curve does nothing yet", "Your `to_light` gives its input back."),
            (
                ramp**2.2,
                "a power instead of the sRGB curve",
                "A power of 2.2 is near the sRGB curve, and wrong in the shadows.",
            ),
            (stored(ramp), "the curves changed places", "Your `to_light` makes values brighter: that is the way back."),
        ],
        (
            "other curve",
            "Your `to_light` and `to_values` are not the sRGB curve and its inverse: compare them at 0.02 and at 0.5.",
        ),
        1e-4,
    )
    exact = near(there, light(ramp), 1e-4) and near(back, stored(ramp), 1e-4)
    values = (
        "blurred stored values",
        "You average stored values. A sensor adds up *light*: go to linear light first, and back after it.",
    )
    return tally(
        4,
        [
            (1, exact, *curve),
            usable(answers["shaken"], photo.shape, "shaken(photo, psf)"),
            (1, space in ("light", "power"), *(values if space == "stored" else unknown)),
            (
                1,
                flipped is False,
                *(
                    unknown
                    if flipped is None
                    else ("PSF turned round", "Your trace is the PSF turned by 180 degrees: a correlation.")
                ),
            ),
            (
                1,
                border == "mirror",
                *(
                    unknown
                    if border is None
                    else (
                        f"border: {border}",
                        "Away from the border you are right; at it the picture goes on by reflection.",
                    )
                ),
            ),
        ],
    )


# 2. PSNR


SHAKE = Exercise("shake", 4, _ask_shake, _score_shake)
