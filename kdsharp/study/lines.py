"""The records of a study as a table: one line for each regime and arm, paired by seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kdsharp.evaluate import mean_interval, verdict
from kdsharp.study.arms import REGIMES


@dataclass(frozen=True)
class Line:
    """One arm in one regime: PSNR in dB, and its gain over the student alone, paired by seed, with a 95 % interval."""

    regime: str
    arm: str
    seeds: int
    psnr: float
    gain: float
    half_width: float
    seconds: float

    @property
    def verdict(self) -> str:
        """In words: an interval that contains 0 is no gain."""
        if self.gain == self.half_width == 0:
            return "the baseline"
        return verdict(self.gain, self.half_width)


def summary(records: Sequence[dict[str, Any]]) -> list[Line]:
    """The table of a study: one line for each regime and arm."""
    lines = []
    for regime in REGIMES:
        here = [record for record in records if record["regime"] == regime]
        alone = {record["seed"]: record["psnr"] for record in here if record["arm"] == "alone"}
        for arm in dict.fromkeys(record["arm"] for record in here):
            mine = [record for record in here if record["arm"] == arm]
            gain, half = mean_interval([record["psnr"] - alone[record["seed"]] for record in mine])
            psnr, seconds = (float(np.mean([record[key] for record in mine])) for key in ("psnr", "seconds"))
            lines.append(Line(regime, arm, len(mine), psnr, gain, half, seconds))
    return lines
