"""The course's own recipes: a teacher and a student for shake, students for users' photos and videos, and one for each
report's protocol."""

from dataclasses import replace

from kdsharp.degrade import PROTOCOLS, Compressed, Degradation, LinearMotion, Mix, Shake, Soft
from kdsharp.recipes.plan import Recipe, Stage
from kdsharp.train import TrainConfig

SHAKE = Shake(still=0.05)
"""The protocol, and a few sharp photos, so that they are left alone."""

STRAIGHT = LinearMotion(still=1 / 8)

MOVING = Compressed(Mix(((0.7, STRAIGHT), (0.1, SHAKE), (0.2, Soft()))), share=0.25)
"""Blur as in videos, and the JPEG of a user's file after it. Without the softer blurs a network takes a lens for motion
and harms it; two motions in one frame and curly paths were tried before: `data/checkpoints/STUDY.md` says what they
cost on real pairs, and what three times the noise is worth (lesson 14)."""

MOVING_ON = Compressed(Mix(((0.8, STRAIGHT), (0.05, SHAKE), (0.15, Soft()))), share=0.15)
"""More of the moving camera, for a network that has learned restraint from ``MOVING`` and is trained on."""

STILL = Compressed(Mix(((0.8, LinearMotion(still=0.3)), (0.05, Shake(still=0.3)), (0.15, Soft()))), share=0.15)
"""The same, and oftener a camera that stands still: what is sharp shall come back as it was."""

PHOTOS = Compressed(Mix(((0.5, SHAKE), (0.25, STRAIGHT), (0.25, Soft()))), share=0.15)
"""What befalls photos: a hand's shake, a moving camera, a lens out of focus, a small picture that was enlarged. Shake
is the hardest to learn: with 15 % of it, 40 % soft and a quarter as JPEG a `small` lost 2 dB of its gain on it."""

PHOTOS_STILL = Compressed(Mix(((0.5, Shake(still=0.3)), (0.25, LinearMotion(still=0.3)), (0.25, Soft()))), share=0.15)
"""The same, and oftener sharp, as ``STILL``."""

TEACHER = Stage(
    "teacher",
    "unet",
    TrainConfig(steps=9_000, learning_rate=8e-4, warmup=500, clip=0.1, save_every=1000),
    leaves=150,
    choices=2,
)
"""Trained on photos of `kdsharp data get photos` (``--photos``) and as many dead leaves, so that it has never seen the
bundled ones: a student's labels are then its own."""

STUDENT = Stage(
    "shake",
    "unet-small",
    TrainConfig(steps=12_000, learning_rate=2.5e-3, warmup=500, clip=0.1, save_every=1000),
    margin=16,
    leaves=60,
    loss="200 mse + psnr",
    alpha=0.5,
    terms=(("bounded", 400.0),),
    taps=("bottom", "encoders.1"),
)
"""Squared error counts the strongest blur most, the PSNR each crop by the ratio of its error. The teacher says where
the student should do better, and never what the answer is (teacher-bounded)."""

BASE = replace(
    STUDENT,
    checkpoint="base",
    architecture="unet-base",
    config=replace(STUDENT.config, steps=10_500, learning_rate=2e-3),
    crop=160,
    margin=24,
    leaves=0,
    choices=2,
    softness=5.0,
    altered=0.1,
    terms=(("output", 1.0),),
    weighting="pull",
)
"""The simplest blur, on photos (``--photos``) where they have detail. What further ingredients are worth is measured
against it, one by one (`data/checkpoints/STUDY.md`): half of the crops partly out of focus (``softness``) end all harm
to backgrounds, and nearly all gain on real blur; so it is a tenth of them."""

BASE_MOVING = replace(
    BASE, config=replace(BASE.config, steps=12_500, learning_rate=2e-3, warmup=300), alpha=1.0, terms=()
)
"""The second part of ``base``: alone, from the weights of the first (``--start``), and oftener on a moving camera. Its
length is what counts (`data/checkpoints/STUDY.md`)."""

BASE_REAL = replace(
    BASE_MOVING,
    config=replace(BASE_MOVING.config, steps=11_500),
    softness=12.0,
    altered=0.4,
)
"""Its third part, with a few real pairs beside the photos (``--pairs``). They show what blur on a moving camera is, so
that more crops may be partly out of focus, and further: a background is often softer than 5 pixels, and a network that
has met none of these sharpens it."""

BASE_STILL = replace(
    BASE_REAL,
    config=replace(BASE_REAL.config, steps=4_000, learning_rate=1e-3, warmup=200),
    weaves=100,
    altered=0.5,
    wholly=0.5,
    loss="200 mse + psnr-tiles",
)
"""Its last part: regular patterns, more sharp crops, and a loss that looks at each tile. A cloth, a fence or a zebra
looks like the trace of a motion, and photos have too few of them: ``base`` changed such a pattern by 30 dB. What is out
of focus all over, and a tile of it beside something sharp, must come back as it was (`data/checkpoints/STUDY.md`)."""

TEACHER_MOTION = replace(
    TEACHER,
    checkpoint="teacher-motion",
    architecture="unet-windows",
    crop=BASE.crop,
    margin=BASE.margin,
    leaves=BASE.leaves,
    softness=BASE.softness,
    altered=BASE.altered,
    loss=BASE.loss,
)
"""Of the students for moving pictures: it meets the same crops."""

LARGE = replace(BASE, checkpoint="large", architecture="unet-large")
"""Not bundled: with four times the weights of ``base`` it was no better."""

TINY = replace(BASE, checkpoint="tiny", architecture="unet-tiny")

TINY_MOVING = replace(
    BASE_MOVING, checkpoint="tiny", architecture="unet-tiny", config=replace(BASE_MOVING.config, steps=8_000)
)
TINY_REAL = replace(
    BASE_REAL,
    checkpoint="tiny",
    architecture="unet-tiny",
    config=replace(BASE_REAL.config, steps=6_000),
    alpha=0.5,
    terms=BASE.terms,
)
"""Its second and third part, as those of ``base``; in the third it learns from ``base``, which knows real motion
by then: the same steps alone gain less on GoPro and harm a far background more (`data/checkpoints/STUDY.md`)."""

SMALL = replace(
    BASE,
    checkpoint="small",
    architecture="unet-small",
    crop=128,
    leaves=150,
    terms=STUDENT.terms,
    weighting=STUDENT.weighting,
)
"""As many dead leaves as photos: detail teaches shake, photos teach restraint."""

SMALL_REAL = replace(
    SMALL,
    config=replace(BASE_REAL.config, steps=18_500),
    softness=BASE_REAL.softness,
    altered=BASE_REAL.altered,
)
"""Its second part, with the pairs and the backgrounds of ``BASE_REAL``."""

SMALL_STILL = replace(SMALL_REAL, config=replace(BASE_STILL.config, steps=1_500), weaves=BASE_STILL.weaves)
"""Its last part, as that of ``base``: regular patterns, and more sharp crops."""


def _sharpener(protocol: str, grid: int = 1) -> Recipe:
    """A student for a protocol of fixed picture size: pictures are blurred whole, borders included, as the test is."""
    degradation = PROTOCOLS[protocol]
    assert isinstance(degradation, Degradation)
    config = replace(STUDENT.config, steps=20_000)
    student = Stage(protocol, "unet-small", config, whole=True, grid=grid, margin=0, leaves=0, loss="psnr")
    return Recipe(protocol, protocol, degradation, "teacher", student)


GRID = Stage(
    "alpha-temperature",
    "unet-small",
    replace(STUDENT.config, steps=900, warmup=90, average=0.99, save_every=900),
    crop=64,
    leaves=20,
    unlabelled=8,
    labels=8,
    alpha=0.5,
    taps=STUDENT.taps,
    terms=(("output", 1.0), ("channel", 1.0)),
    weighting="pull",
)
"""A short run at one alpha, temperature and pull, with eight labelled pairs; a sweep repeats it at many (lesson 10)."""

ALPHA_LABELS = Stage(
    "alpha-labels",
    "unet-small",
    replace(STUDENT.config, steps=2_000, learning_rate=5e-3, average=0.995, save_every=2_000),
    crop=64,
    leaves=20,
    unlabelled=8,
    labels=8,
    alpha=0.5,
    terms=(("output", 1.0),),
)
"""The teacher's answers at one alpha and one number of labelled pairs (0: a label for every crop). Every step sees
eight labelled crops and eight without a label; a sweep repeats it at many (lessons 09 and 10). The rate is the best of
three for the student alone, over all numbers of pairs together."""

COURSE = {
    recipe.name: recipe
    for recipe in (
        Recipe("shake", "shake", SHAKE, TEACHER, STUDENT),
        Recipe("base", "motion", MOVING, TEACHER_MOTION, BASE),
        Recipe("base-moving", "motion", MOVING_ON, "teacher-motion", BASE_MOVING),
        Recipe("base-real", "motion", MOVING_ON, "teacher-motion", BASE_REAL),
        Recipe("base-still", "motion", STILL, "teacher-motion", BASE_STILL),
        Recipe("large", "motion", MOVING, "teacher-motion", LARGE),
        Recipe("small", "shake", PHOTOS, "teacher", SMALL),
        Recipe("small-real", "shake", PHOTOS, "teacher", SMALL_REAL),
        Recipe("small-still", "shake", PHOTOS_STILL, "teacher", SMALL_STILL),
        Recipe("tiny", "motion", MOVING, "teacher-motion", TINY),
        Recipe("tiny-moving", "motion", MOVING_ON, "teacher-motion", TINY_MOVING),
        Recipe("tiny-real", "motion", MOVING_ON, "base", TINY_REAL),
        Recipe("alpha-temperature", "shake", SHAKE, "teacher", GRID),
        Recipe("alpha-labels", "shake", SHAKE, "teacher", ALPHA_LABELS),
        _sharpener("gaussian-256"),
        _sharpener("bilinear-60"),
        _sharpener("bicubic-4x", grid=4),
    )
}
"""Recipes by name."""
