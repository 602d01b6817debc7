"""Lab 4, distillation: what is asked of a submission, and what its answers are worth (lessons 09 and 10)."""

from kdsharp.labs.lab4 import table, terms
from kdsharp.labs.spec import Lab, Manual, prediction

LAB = Lab(
    "lab4_distillation",
    "Distillation",
    exercises=(
        terms.HINT,
        terms.CHANNEL,
        table.SWEEP,
        table.TABLE,
        prediction("predict_tau", 1, "PREDICTION_1", ("a", "b", "c"), right="c"),
        prediction("predict_alpha", 1, "PREDICTION_2", ("a", "b", "c"), right="b"),
    ),
    manual=(
        Manual(
            "interpret",
            3,
            (
                (1, "Says what the table shows, with its intervals, and calls no gain what is none"),
                (1, "Explains the direction: the teacher's bias against the noise and the fewness of the labels"),
                (1, "Names a limit of the experiment, within 120 words"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
