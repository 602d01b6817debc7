"""What a lesson needs besides the science (floor 7): checks that name the misconception, quizzes, provenance,
recorded results, and the student edition.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from kdsharp import provenance
from kdsharp.checks import UsageError, atomic_path, make_folder

RESULT = "application/vnd.kdsharp.result+json"
"""Media type of a recorded result inside an executed notebook."""

_STARTED = time.perf_counter()


def notebooks_folder() -> Path:
    """The lessons of this clone.

    Raises:
        UsageError: outside a clone, because lessons are not part of the installed package.
    """
    folder = Path(__file__).resolve().parents[1] / "notebooks"
    if not folder.is_dir():
        raise UsageError("the lessons are not here: run kdsharp from a clone of the repository")
    return folder


def lessons() -> dict[str, Path]:
    """Lesson names (``09_distillation``) and their files, in order."""
    return {path.stem: path for path in sorted(notebooks_folder().glob("[0-9][0-9]_*.ipynb"))}


def find_lesson(name: str) -> Path:
    """The file of a lesson, by full name or number (``9``, ``09``, ``09_distillation``)."""
    known = lessons()
    matches = [stem for stem in known if stem == name or (name.isdigit() and stem[:2] == name.zfill(2))]
    if not matches:
        raise UsageError(f"unknown lesson {name!r}; choose one of: {', '.join(known)}")
    return known[matches[0]]


class NotYet(AssertionError):
    """A check that did not pass; its text names the misconception."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]  # IPython prints this in place of a traceback


def expect(right: Any, misconception: str) -> None:
    """Stop with ``misconception`` when ``right`` is false: what the learner probably thought, and where to look."""
    if not bool(right):
        raise NotYet(misconception)


def passed(shown: str) -> None:
    """Say what the learner has just shown."""
    print(f"Right: {shown}")


def quiz(questions: Sequence[dict[str, Any]]) -> None:
    """Show self-marking multiple-choice questions.

    Args:
        questions: dicts with ``question`` (HTML allowed) and ``answers``: a list of (text, is it right, feedback).
    """
    from jupyterquiz import display_quiz

    display_quiz([_many_choice(each) for each in questions], shuffle_answers=False)


def _many_choice(question: dict[str, Any]) -> dict[str, Any]:
    answers = [{"answer": text, "correct": right, "feedback": why} for text, right, why in question["answers"]]
    if sum(answer["correct"] for answer in answers) != 1:
        raise UsageError(f"a question needs exactly one right answer: {question['question']!r}")
    return {"question": question["question"], "type": "multiple_choice", "answers": answers}


def say(markdown: str) -> None:
    """Show text as Markdown: for sentences whose numbers come from variables."""
    from IPython.display import Markdown, display

    display(Markdown(markdown))


def record(**values: float | int | str) -> None:
    """Record results of a lesson; ``kdsharp run`` collects them into ``results.json``.

    One of them is called ``headline``: a text with a number, its unit and what it says, for the instructor's guide.
    """
    from IPython.display import display

    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
    text = ", ".join(f"{name} = {value}" for name, value in rounded.items())
    display({RESULT: rounded, "text/plain": f"recorded: {text}"}, raw=True)


def collect_results(executed: Path) -> dict[str, Any]:
    """All values that the lesson recorded with :func:`record`."""
    found: dict[str, Any] = {}
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", []):
            found |= output.get("data", {}).get(RESULT, {})
    return found


def finish(profile: str, seed: int, precision: str = "float32") -> None:
    """Print where this lesson's numbers come from: seed, profile, device, precision, versions, commit, time."""
    lines = {"profile": profile, "seed": seed, "device": provenance.device_name(), "precision": precision}
    lines["commit"] = provenance.commit()
    lines |= provenance.versions() | {"seconds": round(time.perf_counter() - _STARTED, 1)}
    print("\n".join(f"{name:16} {value}" for name, value in lines.items()))


def student_edition(out: str | Path) -> list[Path]:
    """Write the lessons without their solutions: each stub stays, the solution below it goes; no outputs.

    A cell tagged ``solution`` must follow a cell tagged ``stub``: the stub defines the same names, so that the check
    below runs and names the misconception.

    Raises:
        UsageError: when ``out`` cannot be written.
    """
    out = make_folder(out)
    written = []
    for name, path in lessons().items():
        notebook = nbformat.read(path, as_version=4)
        kept: list[nbformat.NotebookNode] = []
        for cell in notebook.cells:
            if "solution" in tags(cell):
                if not any("stub" in tags(before) for before in kept[-3:]):
                    raise UsageError(f"{path.name}: a solution without a stub in the three cells above it")
                continue
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            kept.append(cell)
        notebook.cells = kept
        with atomic_path(out / f"{name}.ipynb") as temporary:
            nbformat.write(notebook, temporary)
        written.append(out / f"{name}.ipynb")
    return written


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell is marked as: ``parameters``, ``stub``, ``solution``, ``check``, ..."""
    return cell.metadata.get("tags", [])
