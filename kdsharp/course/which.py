"""Which one is it? Two pictures a round, blind, and the reader's count beside chance (floor 7; lessons 09 and 13)."""

import html
from collections.abc import Mapping
from typing import Any, ClassVar

from scipy import stats
from torch import Tensor

from kdsharp.checks import UsageError
from kdsharp.course.eyes import BlindTest
from kdsharp.course.kept import diary
from kdsharp.island import note
from kdsharp.plots import Picture, panels


class WhichOne(BlindTest):
    """Two systems on the same scenes: each round shows both, and the reader says which is the one she looks for.

    Nothing needs a kernel: her answers stay in her browser, the count is an entry of her ledger, and the chance of
    doing as well by guessing is a table.

    Args:
        pictures: two systems to scene to picture, (1, 3, H, W) in [0, 1].
        wanted: the system that is looked for.
        question: what each round asks.
        seed: decides the order of the rounds and who is A.
        name: of the test, such as the lesson's number.
        at: scene to (top, left) of the crop that is shown; the centre where a scene has none.
        zoom: screen pixels per image pixel.
        beside: what stands beside the count, after the last round: such as by how many decibels the two differ.

    Raises:
        UsageError: for other than two systems, an unknown ``wanted``, or pictures that do not match.
    """

    module: ClassVar[str] = "which"

    def __init__(
        self,
        pictures: Mapping[str, Mapping[str, Tensor]],
        wanted: str,
        question: str,
        seed: int,
        name: str = "",
        at: Mapping[str, tuple[int, int]] | None = None,
        zoom: int = 3,
        beside: str = "",
    ) -> None:
        super().__init__(pictures, {}, seed, "pairwise", name, at=at, zoom=zoom)
        if len(pictures) != 2 or wanted not in pictures:
            raise UsageError(f"expected two systems, one of them {wanted!r}, found {', '.join(pictures)}")
        self.wanted, self.question, self.beside = wanted, question, beside

    def facts(self, live: bool) -> dict[str, Any]:
        kept = ("name", "id", "rounds", "choices", "pictures", "width")
        return {key: value for key, value in super().facts(live).items() if key in kept} | {
            "question": self.question,
            "wanted": self.wanted,
            "other": next(each for each in self.pictures if each != self.wanted),
            "chances": chances(len(self.rounds)),
            "beside": self.beside,
            **diary((f"blind:{self.name}",), live),
        }

    def still(self) -> str:
        first = self.rounds[0]
        images = {name: self.pictures[system][first.scene] for name, system in zip("AB", first.systems, strict=True)}
        drawn = panels(images, at=self.at.get(first.scene), zoom=self.zoom, difference=False)
        picture = Picture(drawn, f"{self.question} Two pictures, A and B, without names.")
        found = chances(len(self.rounds))
        hint = f"Round 1 of {len(self.rounds)}, to be answered with A or B in JupyterLab and on the published page. "
        hint += f"Somebody who only guesses finds all of them in {found[-1]:.1%} of all tries."
        more = f"<details><summary>Beside the count</summary>{note(self.beside)}</details>" if self.beside else ""
        return f"<p><b>{html.escape(self.question)}</b></p>{picture.tag()}{note(hint)}{more}"


def chances(count: int) -> list[float]:
    """The probability to find at least 0, 1, ..., ``count`` of ``count`` by guessing between two (binomial)."""
    return [float(stats.binom.sf(found - 1, count, 0.5)) for found in range(count + 1)]
