"""Lab 2, exercises 2 and 3: PSNR and SSIM (lesson 04)."""

from typing import Any

import numpy as np
from scipy import ndimage

from kdsharp.course.given.measures import oracle_ssim
from kdsharp.labs.judging import belief, near, number
from kdsharp.labs.spec import Answers, Call, Exercise, Secret, Task, Verdict, tally


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


PSNR = Exercise("psnr", 3, _ask_psnr, _score_psnr)
SSIM = Exercise("ssim", 4, _ask_ssim, _score_ssim)
