"""Studies: experiments that settle a question, which any reader can repeat (floor 7; lessons 09, 11 and 12)."""

from kdsharp.study.arms import ARMS, REGIMES, Arm
from kdsharp.study.distillation import COLUMNS, PROFILES, Study, run
from kdsharp.study.lines import Line, summary
from kdsharp.study.optimizers import OPTIMIZER_PROFILES, OptimizerStudy
from kdsharp.study.optimizers import run as run_optimizers
from kdsharp.study.pictures import PICTURES
from kdsharp.study.pictures import run as run_pictures
from kdsharp.study.report import figure, markdown, table
from kdsharp.study.standings import Final, finals

__all__ = [
    "ARMS",
    "COLUMNS",
    "OPTIMIZER_PROFILES",
    "PICTURES",
    "PROFILES",
    "REGIMES",
    "Arm",
    "Final",
    "Line",
    "OptimizerStudy",
    "Study",
    "figure",
    "finals",
    "markdown",
    "run",
    "run_optimizers",
    "run_pictures",
    "summary",
    "table",
]
