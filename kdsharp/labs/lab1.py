"""Lab 1, filters from scratch: what is asked of a submission, and what its answers are worth (lessons 01, 02 and 04).

Pictures here are grey, float64 (H, W), most of them in [0, 1]; edges are continued by reflection, which NumPy calls
``reflect`` and SciPy ``mirror``.
"""

import numpy as np
from scipy import ndimage

from kdsharp.course.given.filters import AMOUNTS, RADII, mean_psnr, reference_unsharp
from kdsharp.datasets import dead_leaves
from kdsharp.images import luma, to_tensor
from kdsharp.labs.judging import array, belief, near, number, usable
from kdsharp.labs.spec import Answers, Call, Exercise, Lab, Manual, Secret, Task, Verdict, prediction, tally

CROSS = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
"""The Laplacian with four neighbours: the sum of both second differences."""


def _picture(secret: Secret, *names: str) -> np.ndarray:
    """Noise (48, 64) in [0.1, 0.9]: every slip shows on it, and nothing of it is known before."""
    return secret.rng("lab1", *names).uniform(0.1, 0.9, (48, 64))


def _ask_blur(secret: Secret) -> Task:
    sigma = float(secret.rng("lab1", "sigma").uniform(1.2, 1.9))
    picture, flat = _picture(secret, "blur"), np.full((20, 26), 0.7)
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


def _ask_unsharp(secret: Secret) -> Task:
    rng = secret.rng("lab1", "unsharp")
    picture = _picture(secret, "unsharp picture")
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
    picture = _picture(secret, "laplacian")
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


def butterworth(height: int, width: int, cutoff: float, power: float) -> np.ndarray:
    """``1 / (1 + (cutoff / f)^power)`` with f in cycles a pixel, laid out as ``np.fft.fft2``; 0 at zero frequency."""
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    return f**power / (f**power + cutoff**power)


def _ask_butterworth(secret: Secret) -> Task:
    rng = secret.rng("lab1", "butterworth")
    height, width, cutoff = (
        2 * int(rng.integers(12, 18)),
        2 * int(rng.integers(20, 28)) + 1,
        float(rng.uniform(0.1, 0.25)),
    )
    questions = {f"order {order}": Call("butterworth_gain", (height, width, cutoff, order)) for order in (1, 3)}
    return Task(questions, {"size": (height, width), "cutoff": cutoff})


def _score_butterworth(answers: Answers, task: Task) -> Verdict:
    (height, width), cutoff = task.kept["size"], task.kept["cutoff"]
    shape = (height, width)
    first, third = (array(answers[f"order {order}"], shape) for order in (1, 3))
    right = butterworth(height, width, cutoff, 2), butterworth(height, width, cutoff, 6)
    index = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width)[None] * width)
    wrong = [
        (np.ones(shape), "gain does nothing yet", "Your gain is 1 everywhere."),
        (
            1 - right[1],
            "low-pass",
            "Your gain is 1 at zero frequency and falls: that keeps the blur. A high-pass keeps fine detail.",
        ),
        (np.fft.fftshift(right[1]), "zero frequency in the middle", SHIFTED),
        (
            butterworth(height, width, cutoff, 3),
            "order instead of twice the order",
            "The exponent is *twice* the order: at order 1 a square.",
        ),
        (butterworth(height, width, cutoff / 2, 6), "frequency in shares of the finest", FINEST),
        (butterworth(height, width, cutoff * 2, 6), "frequency in shares of the finest", FINEST),
        (
            np.sqrt(right[1]),
            "amplitude instead of the gain asked for",
            "You took the root. With the root the gain at the cutoff is 0.71; the lab's formula has 1/2 there.",
        ),
        (
            index**6 / (index**6 + cutoff**6),
            "frequency counted in samples",
            "Your frequencies are whole numbers of periods in the picture. `np.fft.fftfreq` gives cycles a pixel.",
        ),
    ]
    moved = not near(third, np.ones(shape), 0.1)
    corner = moved and near(third[0, 0], 0) and near(first[0, 0], 0)
    unknown = (
        "other gain",
        "Your gain is not 1 / (1 + (cutoff / f)^(2 order)). Draw one row of it, and look for 1/2 at the cutoff.",
    )
    return tally(
        3,
        [
            (
                *usable(answers["order 3"], shape, "butterworth_gain(height, width, cutoff, order)")[:2],
                *_nan(answers, shape),
            ),
            (
                1,
                corner,
                *belief(
                    third, wrong[:3], ("zero frequency is not 0", "At [0, 0], zero frequency, a high-pass gain is 0.")
                ),
            ),
            (1, near(third, right[1], 1e-5), *belief(third, wrong, unknown)),
            (
                1,
                near(first, right[0], 1e-5),
                *(
                    belief(third, wrong, unknown)
                    if not near(third, right[1], 1e-5)
                    else ("order is not used", "Order 1 is wrong where order 3 is right.")
                ),
            ),
        ],
    )


SHIFTED = (
    "Zero frequency lies in the middle of your gain. `np.fft.fft2` has it at [0, 0]: either shift both or neither."
)
FINEST = (
    "Your frequency is off by a factor of 2: the finest stripes have 1/2 cycle a pixel, and `np.fft.fftfreq` says so."
)


def _nan(answers: Answers, shape: tuple[int, ...]) -> tuple[str, str]:
    """The words for an answer that could not be read: here most often because of a division by zero."""
    answer = answers["order 3"]
    if isinstance(answer, np.ndarray) and answer.shape == shape and np.isnan(answer).any():
        return (
            "nan at zero frequency",
            "Your gain holds nan: at zero frequency you divide 0 by 0 or infinity by infinity.",
        )
    if isinstance(answer, np.ndarray) and answer.shape == shape[::-1]:
        return "height and width changed places", "Your gain is as wide as the picture is high: rows come first."
    return usable(answer, shape, "butterworth_gain(height, width, cutoff, order)")[2:]


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

LAB = Lab(
    "lab1_filters",
    "Filters from scratch",
    exercises=(
        Exercise("blur", 3, _ask_blur, _score_blur),
        Exercise("unsharp", 3, _ask_unsharp, _score_unsharp),
        Exercise("laplacian", 3, _ask_laplacian, _score_laplacian),
        Exercise("butterworth", 3, _ask_butterworth, _score_butterworth),
        Exercise("choose", 3, _ask_choose, _score_choose),
        prediction("predict_noise", 1, "PREDICTION_1", ("a", "b", "c"), right="b"),
        prediction("predict_radius", 1, "PREDICTION_2", ("a", "b", "c"), right="c"),
    ),
    manual=(
        Manual(
            "explain_artefact",
            3,
            (
                (1, "Names the artefact (ringing) and says where in the picture it stands"),
                (1, "Says where it comes from: a gain that rises in a step has an impulse response that swings"),
                (1, "Says which parameter to move, which way, and what that costs"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
