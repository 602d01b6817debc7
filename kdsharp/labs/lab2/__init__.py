"""Lab 2, blur and measures: what is asked of a submission, and what its answers are worth (lessons 03 and 04)."""

from kdsharp.labs.lab2 import measures, shake, traps
from kdsharp.labs.spec import Lab, Manual, prediction

LAB = Lab(
    "lab2_blur_and_measures",
    "Blur and measures",
    exercises=(
        shake.SHAKE,
        measures.PSNR,
        measures.SSIM,
        traps.LEAK,
        traps.FOOL,
        prediction("predict_lamp", 0.5, "PREDICTION_1", ("a", "b", "c"), right="a"),
        prediction("predict_dark", 0.5, "PREDICTION_2", ("a", "b", "c"), right="c"),
    ),
    manual=(
        Manual(
            "explain_disagreement",
            2,
            (
                (1, "Says what each measure counts, and why that puts the two pictures in another order"),
                (1, "Chooses one picture for the stated purpose, and gives the reason"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
