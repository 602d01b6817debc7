"""Lab 2, blur and measures: what is asked of a submission, and what its answers are worth (lessons 03 and 04)."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from scipy import ndimage

from kdsharp import kernels
from kdsharp.course.given.measures import disagreement, oracle_ssim, split
from kdsharp.labs.judging import array, belief, near, number, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Lab, Manual, Secret, Task, Verdict, prediction, tally


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


def _ask_psnr(secret: Secret) -> Task:
    rng = secret.rng("lab2", "psnr")
    truth = rng.uniform(0, 0.45, (32, 40))
    image = np.clip(truth + 0.03 * rng.standard_normal(truth.shape), 0, 1)
    bytes_truth = rng.integers(0, 256, (32, 40, 3)).astype(np.uint8)
    bytes_image = np.clip(bytes_truth + rng.integers(-40, 41, bytes_truth.shape), 0, 255).astype(np.uint8)
    questions = {"float": Call("psnr", (image, truth, 1.0)), "bytes": Call("psnr", (bytes_image, bytes_truth, 255))}
    return Task(questions, {"float": (image, truth, 1.0), "bytes": (bytes_image, bytes_truth, 255)})


def _decibels(image: np.ndarray, truth: np.ndarray, data_range: float) -> float:
    return float(10 * np.log10(data_range**2 / np.square(image.astype(float) - truth).mean()))


def _score_psnr(answers: Answers, task: Task) -> Verdict:
    image, truth, _ = task.kept["float"]
    right = _decibels(*task.kept["float"])
    found, bytes_found = number(answers["float"]), number(answers["bytes"])
    error = np.square(image - truth).mean()
    wrong = [
        (0.0, "measure does nothing yet", "Your `psnr` answers 0."),
        (
            2 * right,
            "20 where 10 belongs",
            "You count twice: 20 log10 goes with the *root* of the mean squared error, 10 log10 with the error.",
        ),
        (right / 2, "10 where 20 belongs", "You count half: with the root of the mean squared error it is 20 log10."),
        (right * np.log(10), "natural logarithm", "That is the natural logarithm. Decibels count powers of ten."),
        (-right, "fraction upside down", "Your PSNR is negative: the range stands above the error, not below it."),
        (error, "mean squared error", "That is the mean squared error; PSNR is its logarithm, against the range."),
        (_decibels(image, truth, image.max()), "peak taken from the picture", PEAK),
        (_decibels(image, truth, truth.max()), "peak taken from the picture", PEAK),
        (_decibels(image, truth, np.ptp(truth)), "peak taken from the picture", PEAK),
        (
            -20 * np.log10(np.abs(image - truth).mean()),
            "mean absolute error",
            "Square the differences, then take the mean.",
        ),
    ]
    unguessed = belief(found, wrong, ("other measure", f"A pair of {right:.2f} dB gets {found:.2f} from you."), 1e-3)
    image8, truth8, _ = task.kept["bytes"]
    wraps = 10 * np.log10(255**2 / np.square(image8 - truth8).mean())  # uint8 all the way: both steps wrap
    half = 10 * np.log10(255**2 / np.square((image8 - truth8).astype(float)).mean())
    wrapped = belief(
        bytes_found,
        [
            (wraps, "uint8 wrapped around", WRAPPED),
            (half, "uint8 wrapped around", WRAPPED),
            (_decibels(image8, truth8, 1), "range not used", NO_RANGE),
        ],
        unguessed
        if not near(found, right, 1e-3)
        else ("uint8 is measured wrongly", "On uint8 with a range of 255 your number is off."),
        1e-3,
    )
    guesses = near(found, right, 1e-3) or bool(unguessed[0] == "peak taken from the picture")
    return tally(
        3,
        [
            (1, guesses, *unguessed),
            (1, near(found, right, 1e-3), *unguessed),
            (1, near(bytes_found, _decibels(*task.kept["bytes"]), 1e-3), *wrapped),
        ],
    )


PEAK = (
    "You took the brightest value of the picture for the range. A dark photo then gets a lower score for "
    "the same error."
)
WRAPPED = "On uint8 you compute before you widen: 3 - 5 is 254 there, and 20 * 20 is 144. Convert to float first."
NO_RANGE = "You take the range to be 1 whatever is asked for."


# 3. SSIM


def _ask_ssim(secret: Secret) -> Task:
    rng = secret.rng("lab2", "ssim")
    truth = ndimage.gaussian_filter(rng.standard_normal((44, 52)), 1.0)
    truth = 0.2 + 0.5 * (truth - truth.min()) / np.ptp(truth)
    image = np.clip(ndimage.gaussian_filter(truth, 1.0) * 0.9 + 0.02 * rng.standard_normal(truth.shape), 0, 1)
    questions = {
        "one": Call("ssim", (image, truth, 1.0)),
        "bytes": Call("ssim", (image * 255, truth * 255, 255.0)),
        "same": Call("ssim", (truth, truth.copy(), 1.0)),
    }
    return Task(questions, {"image": image, "truth": truth})


def _ssim(x: np.ndarray, y: np.ndarray, window: Any, crop: int = 5, c1: float = 1e-4, c2: float = 9e-4) -> float:
    """SSIM with any window mean, the mean of the map without ``crop`` pixels at the border."""
    mx, my = window(x), window(y)
    vx, vy, cov = window(x * x) - mx**2, window(y * y) - my**2, window(x * y) - mx * my
    found = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return float(found[crop:-crop, crop:-crop].mean() if crop else np.mean(found))


def _gaussian(x: np.ndarray) -> np.ndarray:
    return ndimage.gaussian_filter(x, 1.5, truncate=3.5, mode="mirror")


def _score_ssim(answers: Answers, task: Task) -> Verdict:
    x, y = task.kept["image"], task.kept["truth"]
    one, bytes_found, same = (number(answers[name]) for name in ("one", "bytes", "same"))
    right = oracle_ssim(x, y, 1.0)
    flat = _ssim(x, y, lambda z: ndimage.uniform_filter(z, 11))
    seven = _ssim(x, y, lambda z: ndimage.uniform_filter(z, 7), crop=3)
    wrong = [
        (0.0, "measure does nothing yet", "Your `ssim` answers 0."),
        (_ssim(x, y, lambda z: np.full(z.shape, z.mean())), "one window over the whole picture", WHOLE),
        (flat, "flat window", "Your window is flat: this SSIM has a Gaussian one, sigma 1.5, of 11x11 pixels."),
        (seven, "flat window", "Your window is flat, 7x7: this SSIM has a Gaussian one, sigma 1.5, of 11x11 pixels."),
        (
            _ssim(x, y, _gaussian, crop=0),
            "windows beyond the border",
            "You count windows that do not fit into the picture: leave 5 pixels out.",
        ),
        (
            _ssim(x, y, _gaussian, c1=0, c2=0),
            "constants missing",
            "The two constants are missing: flat areas then divide 0 by 0.",
        ),
        (
            _ssim(x, y, _gaussian, c1=0.01, c2=0.03),
            "constants not squared",
            "c1 = (0.01 range)^2 and c2 = (0.03 range)^2: the squares are missing.",
        ),
        (
            _ssim(x, y, _gaussian, c1=9e-4, c2=1e-4),
            "constants changed places",
            "c1 = (0.01 range)^2 stands beside the means, c2 = (0.03 range)^2 beside the variances.",
        ),
    ]
    named = belief(one, wrong, ("other measure", f"A pair whose SSIM is {right:.4f} gets {one:.4f} from you."), 2e-4)
    close = near(one, right, 2e-4)
    unscaled = belief(
        bytes_found,
        [
            (
                _ssim(x * 255, y * 255, _gaussian),
                "constants do not follow the range",
                "Your constants stay those of range 1 when the range is 255.",
            )
        ],
        named
        if not close
        else ("range 255 is measured wrongly", "The same pair times 255, with the range 255, must score the same."),
        2e-4,
    )
    window = close or abs(one - flat) < 2e-4 or abs(one - seven) < 2e-4 or named[0] == "windows beyond the border"
    return tally(
        4,
        [
            (
                1,
                near(same, 1.0, 1e-6) and 0.05 < one < 0.999,
                *(named if not close else ("not 1 for equal pictures", "Two equal pictures must score 1.")),
            ),
            (1, window, *named),
            (1, close, *named),
            (1, near(bytes_found, right, 2e-4), *unscaled),
        ],
    )


WHOLE = (
    "You take mean and variance of the whole picture. SSIM takes them in a small window around each "
    "pixel, then the mean of all."
)


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

LAB = Lab(
    "lab2_blur_and_measures",
    "Blur and measures",
    exercises=(
        Exercise("shake", 4, _ask_shake, _score_shake),
        Exercise("psnr", 3, _ask_psnr, _score_psnr),
        Exercise("ssim", 4, _ask_ssim, _score_ssim),
        Exercise("leak", 3, _ask_leak, _score_leak),
        Exercise("fool", 3, _ask_fool, _score_fool),
        prediction("predict_lamp", 0.5, "PREDICTION_1", ("a", "b", "c"), right="a"),
        prediction("predict_dark", 0.5, "PREDICTION_2", ("a", "b", "c"), right="c"),
    ),
    manual=(
        Manual(
            "explain_disagreement",
            2,
            (
                (1, "Says what each measure counts, and why that puts the two pictures in another order"),
                (1, "Chooses one picture for the stated purpose, and gives the reason"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
