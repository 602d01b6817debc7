"""A checklist that a reader holds against a report: it counts, and becomes a Markdown file (floor 7; lesson 15).

Ticks and notes stay in the reader's browser.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kdsharp.checks import UsageError
from kdsharp.island import Island


@dataclass(frozen=True)
class Item:
    """One question: the part of a report that it belongs to, what to ask, and the lesson that says why (0 to 15)."""

    part: str
    question: str
    lesson: int


ITEMS = (
    Item("Data", "The data set is named, with the number of photos for training, validation and test.", 3),
    Item("Data", "No scene, and no frame of one sequence, is in two of these sets.", 3),
    Item("Data", "The blur is real, or each of its parameters is given, in the order in which it was made.", 3),
    Item("Data", "The target of the training is the sharp photo, and the code says so too.", 15),
    Item("Training", "The teacher's weights have a source, and its score under this very protocol is given.", 6),
    Item("Training", "Each term of the loss has a weight and a gradient.", 11),
    Item("Training", "Text and code name the same steps, batch, rate and layers.", 15),
    Item("Training", "Whatever is compared was tuned alike, learning rates included.", 12),
    Item("Training", "The same student, trained alone from the same weights, stands beside the distilled one.", 9),
    Item("Measuring", "Outputs are compared with the truth, on all photos of a set that nothing was trained on.", 4),
    Item("Measuring", "Kind of SSIM, data range, colours and picture size are named.", 4),
    Item("Measuring", "The score of the input itself is in the table.", 13),
    Item("Measuring", "A tuned classical filter is in the table.", 13),
    Item("Measuring", "All rows of a table belong to the same photos and the same blur.", 13),
    Item("Measuring", "Several seeds and an interval; a single run is called a single run.", 9),
    Item("Measuring", "A time comes with machine, threads, picture size, and a warm-up.", 14),
    Item(
        "Measuring",
        "An opinion score comes with its raters, photos and scale, and they did not know which was which.",
        4,
    ),
    Item("Claims", "Abstract, tables and conclusion print the same numbers.", 15),
    Item("Claims", "The numbers fit together: error and PSNR, a mix and its parts.", 15),
    Item("Claims", "Other people's results are quoted only where data and protocol are the same.", 13),
    Item("Claims", "Photos on which the method fails are shown.", 13),
)
"""What the course asks of a report on image sharpening."""


class Checklist(Island):
    """Questions with a box and a line for notes each, a count, and a file to keep; works without a kernel.

    Args:
        items: the questions.
        title: what stands above them.

    Raises:
        UsageError: for a list without questions.
    """

    module: ClassVar[str] = "checklist"

    def __init__(self, items: Sequence[Item] = ITEMS, title: str = "My report against the checklist") -> None:
        if not items:
            raise UsageError("a checklist needs at least one question")
        self.items, self.title = tuple(items), title

    def markdown(self) -> str:
        """The list as text, nothing ticked."""
        lines, part = [f"# {self.title}", ""], ""
        for item in self.items:
            if item.part != part:
                part = item.part
                lines += ["", f"## {part}", ""]
            lines.append(f"- [ ] {item.question} (lesson {item.lesson:02})")
        return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"

    def facts(self, live: bool) -> dict[str, Any]:
        return {"title": self.title, "items": [[item.part, item.question, item.lesson] for item in self.items]}

    def still(self) -> str:
        return f"<pre>{html.escape(self.markdown())}</pre>"
