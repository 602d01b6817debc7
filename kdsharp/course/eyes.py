"""Your eyes against the formulas: a blind test in the page (floor 7; lessons 04 and 13).

The reader locks a ranking, answers round by round without knowing where a picture comes from, and sees her answers
beside the formulas after the last one. ``rating`` asks how sharp a picture is, from 1 (bad) to 5 (excellent), the
five-grade scale of ITU-R BT.500; ``pairwise`` asks which of two pictures of one scene is sharper. Answers are kept in
her browser, under a kernel also in a file; a CSV file is what a class puts together.
"""

import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import stats
from torch import Tensor

from kdsharp import metrics
from kdsharp.checks import UsageError, check_name
from kdsharp.course.kept import diary, hear_diary
from kdsharp.course.rounds import COLUMNS, NORMAL, ROUNDING, append, resume, rounds_of, row_of, scenes_of
from kdsharp.images import quantize, to_array
from kdsharp.island import Island, note
from kdsharp.island.files import webp
from kdsharp.plots import Picture, crop, panels

MODES = ("rating", "pairwise")
GRADES = {1: "bad", 2: "poor", 3: "fair", 4: "good", 5: "excellent"}
SIDES = {1: "A", 2: "B"}
"""What is answered when pairs are compared: which of the two is sharper; A stands left, on a phone above."""
CROP = 110
"""Pixels a side of what is shown of a picture, at most."""
FORMULAS = ("psnr", "ssim", *metrics.MEASURES)
LESS = ("GMSD",)
"""Formulas of which less is better."""


class BlindTest(Island):
    """Systems on the same scenes, rated blind, in the page.

    Args:
        pictures: system to scene to picture, (1, 3, H, W) in [0, 1]; every system has the same scenes, at least two.
        measured: formula to system to its value; see :func:`measured`. A system without a value (the truth) is left
            out of what the formula is asked.
        seed: decides the order of the rounds and, in pairs, who is A. The same seed gives the same test.
        mode: ``rating`` or ``pairwise``.
        name: of the test, such as the lesson's number: a test of pairs shows the grades of the rating of this name.
        file: under a kernel, the CSV file that takes each answer as it is given, and with which the test goes on.
        at: scene to (top, left) of the crop that is shown; the centre where a scene has none.
        zoom: screen pixels per image pixel.

    Raises:
        UsageError: for pictures that do not match, or an unknown mode.
    """

    module: ClassVar[str] = "eyes"

    def __init__(
        self,
        pictures: Mapping[str, Mapping[str, Tensor]],
        measured: Mapping[str, Mapping[str, float]],
        seed: int,
        mode: str = "rating",
        name: str = "",
        file: str | Path | None = None,
        at: Mapping[str, tuple[int, int]] | None = None,
        zoom: int = 3,
    ) -> None:
        self.pictures, self.measured, self.seed = pictures, measured, seed
        self.mode, self.name = check_name(mode, MODES, "mode"), name
        self.scenes = scenes_of(pictures)
        self.at, self.zoom = dict(at or {}), zoom
        self.rounds = rounds_of(list(pictures), self.scenes, mode, seed)
        self.file = None if file is None else Path(file)
        self.answers: list[int] = []

    @property
    def choices(self) -> dict[int, str]:
        """Allowed answers and the word for each."""
        return GRADES if self.mode == "rating" else SIDES

    def shown(self, system: str, scene: str) -> np.ndarray:
        """What is seen of one picture: uint8 (S, S, 3), S at most ``CROP``."""
        picture = self.pictures[system][scene]
        height, width = picture.shape[-2:]
        side = min(height, width, CROP)
        top, left = self.at.get(scene, ((height - side) // 2, (width - side) // 2))
        return to_array(crop(quantize(picture), min(top, height - side), min(left, width - side), side))

    def facts(self, live: bool) -> dict[str, Any]:
        systems = list(self.pictures)
        rounds = [[each.scene, *each.systems] for each in self.rounds]
        return {
            "name": self.name,
            "mode": self.mode,
            "seed": self.seed,
            "columns": COLUMNS,
            "id": hashlib.sha256(json.dumps(rounds).encode()).hexdigest()[:12],
            "systems": systems,
            "scenes": self.scenes,
            "rounds": rounds,
            "choices": [[value, word] for value, word in self.choices.items()],
            "pictures": {s: {scene: webp(self.shown(s, scene)) for scene in self.scenes} for s in systems},
            "width": self.zoom * self.shown(systems[0], self.scenes[0]).shape[0],
            "measured": [
                {"name": name, "less": name in LESS, "values": [values.get(system) for system in systems]}
                for name, values in self.measured.items()
            ],
            "factor": float(stats.t.ppf(0.975, len(self.scenes) - 1)),
            "rounding": ROUNDING,
            "normal": NORMAL,
            "given": self.resumed() if live and self.file is not None else None,
            **diary((f"blind:{self.name}:{self.mode}",), live),
        }

    def still(self) -> str:
        first = self.rounds[0]
        names = ["round 1"] if self.mode == "rating" else list(SIDES.values())
        images = {n: self.pictures[system][first.scene] for n, system in zip(names, first.systems, strict=True)}
        asked = "How sharp is this picture?" if self.mode == "rating" else "Which of the two pictures is sharper?"
        drawn = panels(images, at=self.at.get(first.scene), zoom=self.zoom, difference=False)
        picture = Picture(drawn, f"{asked} Its source is hidden; round 1 of {len(self.rounds)}.")
        words = ", ".join(f"{value} {word}" if self.mode == "rating" else word for value, word in self.choices.items())
        hint = (
            f"Nobody has rated here: this is round 1 of {len(self.rounds)}, to be answered with {words}, in JupyterLab "
        )
        hint += "and on the published page."
        return f"<p><b>{html.escape(asked)}</b></p>{picture.tag()}{note(hint)}"

    def answer(self, value: int) -> None:
        """Take the answer to the next round, and write it before anything else happens.

        Raises:
            UsageError: when the value is not allowed, or nothing is left to answer.
        """
        index = len(self.answers)
        if index == len(self.rounds):
            raise UsageError(f"all {index} rounds are answered; start over, or give another file")
        if value not in self.choices:
            raise UsageError(f"the answer must be one of {', '.join(map(str, self.choices))}, found {value!r}")
        if self.file is not None:
            append(self.file, row_of(self.mode, self.seed, index, self.rounds[index], value))
        self.answers.append(value)

    def resumed(self) -> list[int]:
        """The answers so far, with which a file from an earlier day goes on.

        Raises:
            UsageError: for a file that belongs to another test.
        """
        if self.file is not None and self.file.exists():
            self.answers = resume(
                self.file,
                [
                    [row_of(self.mode, self.seed, index, asked, value) for value in self.choices]
                    for index, asked in enumerate(self.rounds)
                ],
            )
        return self.answers

    def restart(self) -> None:
        """Forget all answers, those in the file too."""
        self.answers = []
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def listen(self, widget: Any) -> None:
        def take(_: object, told: dict[str, Any], buffers: object) -> None:
            hear_diary(told)
            if "restart" in told:
                self.restart()
            elif told.get("round") == len(self.answers):  # a page that was opened twice does not answer twice
                self.answer(told["answer"])

        widget.on_msg(take)


def measured(
    pictures: Mapping[str, Mapping[str, Tensor]],
    truth: str,
    names: tuple[str, ...] = FORMULAS,
) -> dict[str, dict[str, float]]:
    """What formulas say of each system: formula to system to the mean over scenes; the truth itself has no value.

    Args:
        pictures: system to scene to picture, (1, 3, H, W) in [0, 1].
        truth: the system that the others are compared with.
        names: ``psnr``, ``ssim`` and names of :data:`kdsharp.metrics.MEASURES`.
    """
    known = {"psnr": metrics.psnr, "ssim": metrics.ssim} | metrics.MEASURES
    found: dict[str, dict[str, float]] = {}
    for name in names:
        formula = known[check_name(name, known, "measure")]
        found[name.upper()] = {
            system: float(
                np.mean([formula(quantize(seen), pictures[truth][scene]).item() for scene, seen in shots.items()])
            )
            for system, shots in pictures.items()
            if system != truth
        }
    return found
