"""The training loop (floor 4): a plain loop on Accelerate, with schedules, an average of the weights and exact resume.

Lesson 06 builds the same loop by hand before it imports this one.
"""

from kdsharp.train.config import OPTIMIZERS, SCHEDULES, TrainConfig
from kdsharp.train.loop import Supervised, fit

__all__ = ["OPTIMIZERS", "SCHEDULES", "Supervised", "TrainConfig", "fit"]
