"""Whole systems as data: what is trained, on what, how long (floor 5; lessons 06, 09 and 15).

``kdsharp train RECIPE`` runs one: one of the course's own or one of the five reports'.
"""

from kdsharp.recipes.card import model_card
from kdsharp.recipes.course import COURSE
from kdsharp.recipes.plan import PROFILES, STAGES, Recipe, Stage
from kdsharp.recipes.reports import REPORTS
from kdsharp.recipes.training import mean_psnr, train_stage

RECIPES: dict[str, Recipe] = COURSE | REPORTS
"""Recipes by name."""

__all__ = ["PROFILES", "RECIPES", "REPORTS", "STAGES", "Recipe", "Stage", "mean_psnr", "model_card", "train_stage"]
