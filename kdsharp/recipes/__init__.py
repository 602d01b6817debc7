"""Whole systems as data: what is trained, on what, how long (floor 5; lessons 06, 09 and 15).

``kdsharp train RECIPE`` runs one: the course's own (``shake``) or one of the five reports'.
"""

from kdsharp.degrade import Mix, Motion, Shake
from kdsharp.recipes.plan import PROFILES, STAGES, Recipe, Stage
from kdsharp.recipes.reports import REPORTS
from kdsharp.recipes.training import mean_psnr, model_card, train_stage
from kdsharp.train import TrainConfig

MIXED = Mix(((0.5, Shake(still=0.05)), (0.5, Motion())))
"""The protocol with a few sharp photos, so that they are left alone, and as much motion as in videos (lesson 14)."""

RECIPES: dict[str, Recipe] = {
    "shake": Recipe(
        name="shake",
        protocol="shake",
        training=MIXED,
        teacher=Stage(
            "teacher",
            "unet",
            TrainConfig(steps=16_000, learning_rate=8e-4, warmup=500, clip=0.1, precision="bf16", save_every=1000),
            batch=6,
            crop=128,
            margin=24,
            leaves=60,
        ),
        student=Stage(
            "small",
            "unet-small",
            TrainConfig(steps=20_000, learning_rate=2.5e-3, warmup=500, clip=0.1, precision="bf16", save_every=1000),
            alpha=0.5,
            terms=(("output", 1.0),),
            taps=("bottom", "encoders.1"),
        ),
    ),
    **REPORTS,
}
"""Recipes by name."""

__all__ = ["PROFILES", "RECIPES", "REPORTS", "STAGES", "Recipe", "Stage", "mean_psnr", "model_card", "train_stage"]
