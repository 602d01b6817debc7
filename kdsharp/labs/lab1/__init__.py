"""Lab 1, filters from scratch: what is asked of a submission, and what its answers are worth (lessons 01, 02 and 04).

Pictures here are grey, float64 (H, W), most of them in [0, 1]; edges are continued by reflection, which NumPy calls
``reflect`` and SciPy ``mirror``.
"""

from kdsharp.labs.lab1 import blur, choosing, frequency, sharpening
from kdsharp.labs.spec import Lab, Manual, prediction

LAB = Lab(
    "lab1_filters",
    "Filters from scratch",
    exercises=(
        blur.BLUR,
        sharpening.UNSHARP,
        sharpening.LAPLACIAN,
        frequency.BUTTERWORTH,
        choosing.CHOOSE,
        prediction("predict_noise", 1, "PREDICTION_1", ("a", "b", "c"), right="b"),
        prediction("predict_radius", 1, "PREDICTION_2", ("a", "b", "c"), right="c"),
    ),
    manual=(
        Manual(
            "explain_artefact",
            3,
            (
                (1, "Names the artefact (ringing) and says where in the picture it stands"),
                (1, "Says where it comes from: a gain that rises in a step has an impulse response that swings"),
                (1, "Says which parameter to move, which way, and what that costs"),
            ),
        ),
    ),
)
"""The lab, as the marking sees it."""
