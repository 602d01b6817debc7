"""What a teacher adds to the loss: named terms, alpha and temperature (floor 4; lessons 09 to 11).

``loss = alpha * reconstruction + (1 - alpha) * distillation``, alpha in [0, 1]. At ``alpha = 1`` the student learns
alone: the baseline that every result stands beside.
"""

from kdsharp.distill.deep import DeepLoss
from kdsharp.distill.objective import FEATURE_TERMS, TERMS, WEIGHTINGS, Distillation
from kdsharp.distill.terms import (
    affinity,
    affinity_term,
    attention_map,
    attention_over_positions,
    attention_term,
    bounded_term,
    channel_term,
    confident_term,
    contrast_term,
    degraded_again,
    hint_term,
    output_term,
    spread,
    uncertainty_term,
)

__all__ = [
    "FEATURE_TERMS",
    "TERMS",
    "WEIGHTINGS",
    "DeepLoss",
    "Distillation",
    "affinity",
    "affinity_term",
    "attention_map",
    "attention_over_positions",
    "attention_term",
    "bounded_term",
    "channel_term",
    "confident_term",
    "contrast_term",
    "degraded_again",
    "hint_term",
    "output_term",
    "spread",
    "uncertainty_term",
]
