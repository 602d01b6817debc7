"""Studies: experiments large enough to settle a question, which any reader can repeat (floor 7; lesson 09)."""

from kdsharp.study.arms import ARMS, REGIMES, Arm
from kdsharp.study.distillation import PROFILES, Study, run, summary
from kdsharp.study.report import figure, markdown

__all__ = ["ARMS", "PROFILES", "REGIMES", "Arm", "Study", "figure", "markdown", "run", "summary"]
