"""Studies: experiments large enough to settle a question, which any reader can repeat (floor 7; lesson 09)."""

from kdsharp.study.arms import ARMS, REGIMES, Arm
from kdsharp.study.distillation import PROFILES, Line, Study, run, summary
from kdsharp.study.pictures import PICTURES
from kdsharp.study.pictures import run as run_pictures
from kdsharp.study.report import figure, markdown

__all__ = [
    "ARMS",
    "PICTURES",
    "PROFILES",
    "REGIMES",
    "Arm",
    "Line",
    "Study",
    "figure",
    "markdown",
    "run",
    "run_pictures",
    "summary",
]
