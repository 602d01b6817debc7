"""The course's own recipes: a teacher and students for shake, one for videos, and one for each report's protocol."""

from dataclasses import replace

from kdsharp.degrade import PROTOCOLS, Compressed, Degradation, LinearMotion, Mix, Motion, Shake
from kdsharp.recipes.plan import Recipe, Stage
from kdsharp.train import TrainConfig

SHAKE = Shake(still=0.05)
"""The protocol, and a few sharp photos, so that they are left alone."""

MOVING = Motion(length=(3.0, 30.0), shot=1.5, read=3.0, gathered=0.5)
"""Blur as in videos. Longer paths and more noise than the protocol's: `data/checkpoints/STUDY.md` says what milder blur
did on real pairs (lesson 14)."""

PHOTOS = Mix(((0.5, SHAKE), (0.5, MOVING)))
"""A hand's shake, and as much blur that a small network cannot undo, so that it learns to leave that alone."""

VIDEO = Mix(((0.3, SHAKE), (0.7, MOVING)))
"""Blur as in videos, and a share of mild shake: most frames of a video are nearly sharp."""

TEACHER = Stage(
    "teacher",
    "unet",
    TrainConfig(steps=9_000, learning_rate=8e-4, warmup=500, clip=0.1, save_every=1000),
    leaves=150,
    choices=2,
)
"""Trained on photos of `kdsharp data get photos` (``--photos``) and as many dead leaves, so that it has never seen the
bundled ones: a student's labels are then its own."""

SMALL = Stage(
    "small",
    "unet-small",
    TrainConfig(steps=12_000, learning_rate=2.5e-3, warmup=500, clip=0.1, save_every=1000),
    training=PHOTOS,
    margin=16,
    leaves=60,
    contrast=0.2,
    softness=2.5,
    loss="200 mse + psnr",
    alpha=0.5,
    terms=(("bounded", 400.0),),
    taps=("bottom", "encoders.1"),
)
"""Squared error counts the strongest blur most, the PSNR each crop by the ratio of its error: together they gain on
long blur and do not harm what is nearly sharp. The teacher knows shake alone, so that it says where a student should
do better, and never what the answer is (teacher-bounded). Without flat and soft scenes a student takes fur and fog
for blur."""

BASE = replace(
    SMALL,
    checkpoint="base",
    architecture="unet-base",
    config=replace(SMALL.config, steps=24_000),
    training=None,
    crop=128,
    margin=24,
    alpha=1.0,
    terms=(),
)
"""Trained without a teacher: none here knows the blur of videos."""

TINY = replace(SMALL, checkpoint="tiny", architecture="unet-tiny", training=None, terms=(("output", 1.0),))
"""Learns from ``base``, which knows the blur of videos as well as mild shake."""


def _linear(stage: Stage) -> Recipe:
    """A student of straight motion alone: the simplest blur, on photos (``--photos``) where they have detail.

    What further ingredients are worth is measured against it, one by one (`data/checkpoints/STUDY.md`).
    """
    config = replace(stage.config, steps=10_500, learning_rate=2e-3)
    plain = replace(stage, config=config, training=None, crop=160, margin=24, leaves=0, contrast=1.0, softness=0.0)
    student = replace(plain, checkpoint=f"linear-{stage.checkpoint}", choices=2, alpha=1.0, terms=())
    return Recipe(student.checkpoint, "motion", Compressed(LinearMotion(), share=0.35), "teacher", student)


def _sharpener(protocol: str) -> Recipe:
    """A student for a protocol of fixed picture size: pictures are blurred whole, borders included, as the test is."""
    degradation = PROTOCOLS[protocol]
    assert isinstance(degradation, Degradation)
    config = replace(SMALL.config, steps=12_000)
    student = Stage(protocol, "unet-small", config, whole=True, margin=0)
    return Recipe(protocol, protocol, degradation, "teacher", student)


GRID = Stage(
    "alpha-temperature",
    "unet-tiny",
    replace(SMALL.config, steps=400, learning_rate=5e-3, warmup=40, average=0.98, save_every=400),
    crop=64,
    leaves=0,
    alpha=0.5,
    taps=SMALL.taps,
    terms=(("output", 1.0), ("channel", 5.0)),
)
"""A short run at one alpha and temperature; a sweep repeats it at many (lesson 10)."""

COURSE = {
    recipe.name: recipe
    for recipe in (
        Recipe("shake", "shake", SHAKE, TEACHER, SMALL),
        Recipe("shake-tiny", "shake", VIDEO, "base", TINY),
        Recipe("video", "motion", VIDEO, "teacher", BASE),
        Recipe("alpha-temperature", "shake", SHAKE, "teacher", GRID),
        *map(_linear, (TINY, SMALL, BASE)),
        _sharpener("gaussian-256"),
        _sharpener("bilinear-60"),
    )
}
"""Recipes by name."""
