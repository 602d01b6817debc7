"""The course's own recipes: a teacher and students for shake, one for videos, and one for each report's protocol."""

from dataclasses import replace

from kdsharp.degrade import PROTOCOLS, Degradation, Mix, Motion, Shake
from kdsharp.recipes.plan import Recipe, Stage
from kdsharp.train import TrainConfig

SHAKE = Shake(still=0.05)
"""The protocol, and a few sharp photos, so that they are left alone."""

VIDEO = Mix(((0.3, SHAKE), (0.7, Motion(length=(3.0, 30.0), shot=1.5, read=3.0, gathered=0.5))))
"""Blur as in videos, and a share of mild shake: most frames of a video are nearly sharp (lesson 14).

Longer paths and more noise than the protocol's: `data/checkpoints/STUDY.md` says what milder blur did on real pairs."""

CAREFUL = Mix(((0.85, SHAKE), (0.15, Motion())))
"""Shake, and some blur that is too strong for a small network, so that it learns to leave what it cannot undo."""

TEACHER = Stage(
    "teacher",
    "unet",
    TrainConfig(steps=9_000, learning_rate=8e-4, warmup=500, clip=0.1, precision="bf16", save_every=1000),
)

SMALL = Stage(
    "small",
    "unet-small",
    TrainConfig(steps=20_000, learning_rate=2.5e-3, warmup=500, clip=0.1, precision="bf16", save_every=1000),
    alpha=0.5,
    terms=(("output", 1.0),),
    taps=("bottom", "encoders.1"),
)

TINY = replace(SMALL, checkpoint="tiny", architecture="unet-tiny", config=replace(SMALL.config, steps=14_000))

BASE = replace(
    SMALL,
    checkpoint="base",
    architecture="unet-base",
    config=replace(SMALL.config, steps=24_000),
    crop=128,
    margin=24,
    leaves=60,
    loss="200 mse + psnr",
    alpha=1.0,
    terms=(),
)
"""Trained without a teacher: none here knows the blur of videos. Squared error counts the strongest blur most, the PSNR
each crop by the ratio of its error: together they gain on long blur and do not harm what is nearly sharp."""


def _sharpener(protocol: str) -> Recipe:
    """A student for a protocol of fixed picture size: pictures are blurred whole, borders included, as the test is."""
    degradation = PROTOCOLS[protocol]
    assert isinstance(degradation, Degradation)
    config = replace(SMALL.config, steps=12_000)
    student = replace(SMALL, checkpoint=protocol, config=config, whole=True, margin=0, alpha=1.0, terms=())
    return Recipe(protocol, protocol, degradation, "teacher", student)


GRID = replace(
    SMALL,
    checkpoint="alpha-temperature",
    architecture="unet-tiny",
    config=replace(SMALL.config, steps=400, learning_rate=5e-3, warmup=40, average=0.98, save_every=400),
    crop=64,
    leaves=0,
    terms=(("output", 1.0), ("channel", 5.0)),
)
"""A short run at one alpha and temperature; a sweep repeats it at many (lesson 10)."""

COURSE = {
    recipe.name: recipe
    for recipe in (
        Recipe("shake", "shake", SHAKE, TEACHER, SMALL),
        Recipe("shake-tiny", "shake", CAREFUL, "teacher", TINY),
        Recipe("video", "motion", VIDEO, "teacher", BASE),
        Recipe("alpha-temperature", "shake", SHAKE, "teacher", GRID),
        _sharpener("gaussian-256"),
        _sharpener("bilinear-60"),
    )
}
"""Recipes by name."""
