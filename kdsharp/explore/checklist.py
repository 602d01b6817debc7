"""A checklist that a reader holds against a report: it counts, and becomes a Markdown file (floor 7; lesson 15)."""

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass

from kdsharp.checks import UsageError
from kdsharp.explore import island


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


class Checklist:
    """Questions with a box and a line for notes each, a count, and a file to keep; works without a kernel.

    Args:
        items: the questions.
        title: what stands above them.

    Raises:
        UsageError: for a list without questions.
    """

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

    def page(self) -> str:
        """The list as HTML with the few lines of script that count and write the file."""
        name = "checklist-" + hashlib.sha256((self.title + self.markdown()).encode()).hexdigest()[:10]
        rows, part = "", ""
        for index, item in enumerate(self.items):
            asked = html.escape(item.question)
            if item.part != part:
                part = item.part
                rows += f"<p style='margin:.8em 0 .2em'><b>{html.escape(part)}</b></p>"
            rows += (
                f'<p style="margin:.2em 0"><label><input type="checkbox" data-item="{index}"> '
                f"{asked} <small>lesson {item.lesson:02}</small></label><br>"
                f'<input type="text" data-note="{index}" aria-label="where in the report, for: {asked}" '
                'placeholder="where in my report, or why not" style="width:34em;max-width:100%;margin-left:1.6em"></p>'
            )
        facts = {"title": self.title, "items": [[item.part, item.question, item.lesson] for item in self.items]}
        body = (
            f"<p><b>{html.escape(self.title)}</b></p>{rows}"
            f'<p role="status" aria-live="polite" data-part="count">0 of {len(self.items)}</p>'
            '<p><a data-part="save" download="checklist.md" href="#">save as checklist.md</a></p>'
        )
        return island("checklist", name, body, facts, _SCRIPT)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.page(), "text/plain": self.markdown()}


_SCRIPT = """
(() => {
  const root = document.getElementById("NAME");
  const facts = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const boxes = [...root.querySelectorAll("input[type=checkbox]")];
  const notes = [...root.querySelectorAll("input[type=text]")];
  const save = root.querySelector("[data-part=save]");
  const update = () => {
    const held = boxes.filter((box) => box.checked).length;
    const open = [...new Set(facts.items.filter((_, k) => !boxes[k].checked).map((item) => item[0]))];
    root.querySelector("[data-part=count]").textContent = `${held} of ${boxes.length}` +
      (open.length ? `; still open in: ${open.join(", ")}` : "; complete");
    const lines = [`# ${facts.title}`, "", `${held} of ${boxes.length}`];
    facts.items.forEach(([part, question, lesson], k) => {
      if (!k || facts.items[k - 1][0] !== part) lines.push("", `## ${part}`, "");
      const number = String(lesson).padStart(2, "0"), note = notes[k].value.trim();
      lines.push(`- [${boxes[k].checked ? "x" : " "}] ${question} (lesson ${number})${note ? `: ${note}` : ""}`);
    });
    save.href = "data:text/markdown;charset=utf-8," + encodeURIComponent(lines.join("\\n") + "\\n");
  };
  for (const input of [...boxes, ...notes]) input.addEventListener("input", update);
  update();
})();
"""
