"""A clip teaches its own student: sharp photos that move as the clip does (floor 6; lesson 14)."""

from kdsharp.adapt.flow import Movement, motion_of, neighbours
from kdsharp.adapt.learn import Adapted, adapt

__all__ = ["Adapted", "Movement", "adapt", "motion_of", "neighbours"]
