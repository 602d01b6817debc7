"""A blind opinion score: rate pictures without knowing where they come from (floor 7; lessons 04 and 13).

Two questions can be asked. ``rating``: how sharp is this picture, from 1 (bad) to 5 (excellent)? The mean over the
pictures of a system is its *mean opinion score*. ``pairwise``: which of two pictures of one scene is sharper? The score
is the share of comparisons that a system wins. The scale is the five-grade one of ITU-R BT.500.

Live (see :func:`kdsharp.island.is_live`) it shows buttons. Anywhere else it shows the pictures of its first round and
an example result by a scripted rater, and says so.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from kdsharp.checks import UsageError, check_name
from kdsharp.course.rounds import append, resume, rounds_of, row_of, scenes_of
from kdsharp.evaluate import mean_interval
from kdsharp.images import luma, quantize
from kdsharp.island import is_live
from kdsharp.plots import Picture, bars, panels

MODES = ("rating", "pairwise")
GRADES = {1: "bad", 2: "poor", 3: "fair", 4: "good", 5: "excellent"}
SIDES = {1: "left", 2: "right"}
"""What a rater answers when pairs are compared: which of the two is sharper."""
Rater = Callable[..., int]
"""Sees one picture and answers 1 to 5, or sees two and answers 1 (the left one) or 2."""


class OpinionTest:
    """A blind test of several systems on the same scenes.

    Args:
        pictures: system to scene to picture, (1, 3, H, W) in [0, 1]; every system has the same scenes, at least two.
        seed: decides the order of the rounds and, in pairs, who stands left. The same seed gives the same test.
        mode: ``rating`` or ``pairwise``.
        file: CSV file that takes each answer as it is given. When it exists, the test goes on after its last row.
            None keeps the answers in memory.
        at: scene to (top, left) of the crop that is shown; the centre where a scene has none.
        zoom: screen pixels per image pixel.

    Raises:
        UsageError: for pictures that do not match, an unknown mode, or a file that belongs to another test.
    """

    def __init__(
        self,
        pictures: Mapping[str, Mapping[str, Tensor]],
        seed: int,
        mode: str = "rating",
        file: str | Path | None = None,
        at: Mapping[str, tuple[int, int]] | None = None,
        zoom: int = 3,
    ) -> None:
        self.pictures, self.seed, self.mode = pictures, seed, check_name(mode, MODES, "mode")
        self.scenes = scenes_of(pictures)
        self.at, self.zoom = dict(at or {}), zoom
        self.rounds = rounds_of(list(pictures), self.scenes, mode, seed)
        self.answers: list[int] = []
        self.file = None if file is None else Path(file)
        if self.file is not None and self.file.exists():
            self.answers = resume(self.file, [self._rows(index) for index in range(len(self.rounds))])

    @property
    def choices(self) -> dict[int, str]:
        """Allowed answers and the word for each."""
        return GRADES if self.mode == "rating" else SIDES

    @property
    def done(self) -> bool:
        """Whether every round has its answer."""
        return len(self.answers) == len(self.rounds)

    def shown(self, index: int) -> tuple[Tensor, ...]:
        """The pictures of one round, from left to right."""
        chosen = self.rounds[index]
        return tuple(self.pictures[system][chosen.scene] for system in chosen.systems)

    def question(self, index: int | None = None) -> Picture:
        """What the rater sees of a round, by default the current one: pictures, and not where they come from."""
        index = len(self.answers) if index is None else index
        images, count = self.shown(index), f"round {index + 1} of {len(self.rounds)}"
        names = [count] if self.mode == "rating" else list(SIDES.values())
        figure = panels(
            dict(zip(names, images, strict=True)),
            at=self.at.get(self.rounds[index].scene),
            zoom=self.zoom,
            difference=False,
        )
        asked = "How sharp is this picture?" if self.mode == "rating" else "Which of the two pictures is sharper?"
        return Picture(figure, f"{asked} Its source is hidden; {count}.")

    def answer(self, value: int) -> None:
        """Take the answer to the current round, and write it before anything else happens.

        Raises:
            UsageError: when the value is not allowed, or nothing is left to answer.
        """
        if self.done:
            raise UsageError(f"all {len(self.rounds)} rounds are answered; start a new test with another file")
        if value not in self.choices:
            raise UsageError(f"the answer must be one of {', '.join(map(str, self.choices))}, found {value!r}")
        if self.file is not None:
            index = len(self.answers)
            append(self.file, row_of(self.mode, self.seed, index, self.rounds[index], value))
        self.answers.append(value)

    def run(self, rater: Rater) -> "OpinionTest":
        """Let a function answer what is left; a rater that is a formula is good for tests and examples only."""
        while not self.done:
            self.answer(rater(*map(quantize, self.shown(len(self.answers)))))
        return self

    def scores(self) -> dict[str, list[float]]:
        """Per system one score a round: its rating, or 1 for a comparison that it won and 0 for one that it lost.

        Ratings stand in the order of the scenes, so that two systems can be compared scene by scene.

        Raises:
            UsageError: before the last answer: who knows the interim result is not blind any more.
        """
        if not self.done:
            raise UsageError(f"{len(self.answers)} of {len(self.rounds)} rounds are answered; the result stays hidden")
        rows = sorted(zip(self.rounds, self.answers, strict=True), key=lambda row: self.scenes.index(row[0].scene))
        found: dict[str, list[float]] = {system: [] for system in self.pictures}
        for asked, value in rows:
            for place, system in enumerate(asked.systems, start=1):
                found[system].append(float(value if self.mode == "rating" else value == place))
        return found

    def results(self) -> dict[str, tuple[float, float]]:
        """Mean and half-width of its 95 % interval per system (:func:`kdsharp.evaluate.mean_interval`).

        The interval speaks of other pictures, rated by the same person: about other people it knows nothing. Where all
        answers agree it is 0, which shows how few they are and not how sure.
        """
        return {system: mean_interval(values) for system, values in self.scores().items()}

    def result_picture(self) -> Picture:
        """The results as points with intervals."""
        found = self.results()
        label = "mean opinion score, 1 to 5" if self.mode == "rating" else "share of comparisons won"
        listed = "; ".join(f"{system} {mean:.2f} with interval {half:.2f}" for system, (mean, half) in found.items())
        figure = bars({s: mean for s, (mean, _) in found.items()}, {s: half for s, (_, half) in found.items()}, label)
        return Picture(figure, f"{label}: {listed}.")

    def _rows(self, index: int) -> list[list[str]]:
        """Every row that a round may leave in the file."""
        return [row_of(self.mode, self.seed, index, self.rounds[index], value) for value in self.choices]

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(self.widget() if is_live() else HTML(self.page()))

    def widget(self) -> Any:
        """The live form: the pictures of a round, a button for each answer, and the result after the last one."""
        import ipywidgets

        view, buttons = ipywidgets.HTML(), list[Any]()

        def update() -> None:
            view.value = (self.result_picture() if self.done else self.question()).tag()
            for button in buttons:
                button.disabled = self.done

        def press(value: int) -> None:
            self.answer(value)
            update()

        for value, word in self.choices.items():
            button = ipywidgets.Button(description=f"{value} {word}" if self.mode == "rating" else word)
            button.on_click(lambda _, value=value: press(value))
            buttons.append(button)
        update()
        return ipywidgets.VBox([view, ipywidgets.HBox(buttons)])

    def page(self, rater: Rater | None = None) -> str:
        """The form without a kernel: the first round, what the buttons look like, and an example result."""
        example = OpinionTest(self.pictures, self.seed, self.mode, at=self.at, zoom=self.zoom)
        example.run(rater or edge_rater)
        labels = [f"{value} {word}" if self.mode == "rating" else word for value, word in self.choices.items()]
        buttons = " ".join(f"<button disabled>{label}</button>" for label in labels)
        return (
            f'<div class="kdsharp-opinion">{self.question(0).tag()}<p>{buttons}</p>'
            f"<p><b>Nobody has rated here.</b> The buttons work in JupyterLab; this is round 1 of {len(self.rounds)}. "
            "Below is an example result by a <em>scripted rater</em>: a formula that counts edges, not a person.</p>"
            f"{example.result_picture().tag()}</div>"
        )


def edge_rater(*pictures: Tensor) -> int:
    """A scripted rater: the mean difference of neighbouring pixels is its idea of sharpness.

    It cannot tell detail from noise and loves halos: good for testing the machinery, bad as a judge.
    Alone a picture gets 1 plus the number of steps (2, 3, 4 and 6 grey levels of 255) that its mean difference
    exceeds; of two pictures the one with more wins.
    """
    edges = [float(luma(picture).diff(dim=-1).abs().mean() * 255) for picture in pictures]
    if len(pictures) == 1:
        return 1 + sum(edges[0] > step for step in (2.0, 3.0, 4.0, 6.0))
    return 1 if edges[0] >= edges[1] else 2
