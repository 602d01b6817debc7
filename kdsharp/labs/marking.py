"""Mark one submission: run it in the sandbox, ask its questions, and judge the answers outside."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from kdsharp.course import tags
from kdsharp.labs import outputs, packing, sandbox
from kdsharp.labs.spec import Belief, Call, Exercise, Failure, Lab, Secret, Task, Verdict
from kdsharp.places import PACKAGE

RUNNER = str(PACKAGE / "labs" / "inside" / "runner.py")
GRACE = 3.0
"""Seconds that a cell has to stop when it is told to."""
OUTPUT_BYTES = 3_000_000
"""Of one cell, before it is cut."""
MOST_LINE = 16_000_000
ANSWER_BYTES = 64_000_000
LIMITS = sandbox.Limits()


@dataclass
class Marked:
    """What the marking of one submission gave.

    Attributes:
        verdicts: by exercise.
        cells: for each cell of the notebook its outputs, clean.
        reason: why the run was stopped, or what went wrong in its cells; empty where nothing did.
        seconds: from start to end.
    """

    verdicts: dict[str, Verdict]
    cells: dict[int, list[NotebookNode]] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> float:
        return sum(each.points for each in self.verdicts.values())

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Marked":
        verdicts = {}
        for name, each in found["verdicts"].items():
            belief = None if each["belief"] is None else Belief(**each["belief"])
            verdicts[name] = Verdict(each["points"], each["misconception"], each["message"], belief, each["row"])
        cells = {int(place): [nbformat.from_dict(each) for each in put] for place, put in found["cells"].items()}
        return cls(verdicts, cells, found["reason"], found["seconds"])


def mark(
    notebook: NotebookNode,
    lab: Lab,
    secret: Secret,
    limits: sandbox.Limits = LIMITS,
    unsafe: bool = False,
    only: str | None = None,
) -> Marked:
    """Run a rebuilt submission and judge its answers.

    Args:
        notebook: what :func:`kdsharp.labs.rebuild.rebuild` made of a file.
        lab: what is marked in it.
        secret: of the class.
        limits: of the run.
        unsafe: without the sandbox.
        only: the one exercise to mark; all by default.
    """
    exercises = [each for each in lab.exercises if only in (None, each.name)]
    tasks = {each.name: each.ask(secret) for each in exercises}
    with tempfile.TemporaryDirectory() as folder:
        write_job(Path(folder), notebook, tasks, limits)
        ended = sandbox.run([RUNNER], Path(folder), limits, unsafe)
    said = frames(ended.said)
    cells, troubles, answers = _sorted(said, notebook)
    if ended.reason:
        troubles.insert(0, f"stopped: {ended.reason}")
    elif not any(each.get("end") is True for each, _ in said):
        troubles.insert(0, "the run ended before its end: its own program was ended, or did not start")
        if not said and ended.complaints:
            troubles[0] += f" ({ended.complaints.strip().splitlines()[-1][:200]})"
    silent = Failure(troubles[0] if troubles else "no answer came")
    verdicts = {}
    for each in exercises:
        given = {name: answers.get(f"{each.name}/{name}", silent) for name in tasks[each.name].questions}
        verdicts[each.name] = judged(each, given, tasks[each.name])
    return Marked(verdicts, cells, "; ".join(troubles[:5]), round(ended.seconds, 1))


def judged(exercise: Exercise, answers: Mapping[str, Any], task: Task) -> Verdict:
    """The verdict, whose message says why where no question was answered at all."""
    verdict = exercise.mark(answers, task)
    failures = [each for each in answers.values() if isinstance(each, Failure)]
    if len(failures) == len(answers) and verdict.points == 0 and failures[0].reason not in verdict.message:
        message = f"{verdict.message} No answer: {failures[0].reason}".strip()
        return Verdict(0.0, verdict.misconception or "no answer", message, verdict.belief)
    return verdict


def write_job(folder: Path, notebook: NotebookNode, tasks: Mapping[str, Task], limits: sandbox.Limits) -> None:
    """The files that the runner reads: limits, the notebook in its smoke profile, a file for each question, the fonts.

    matplotlib would look for this machine's fonts anew in each sandbox, for half a second of the processor or more.
    """
    copy = nbformat.from_dict(json.loads(json.dumps(notebook)))
    for cell in copy.cells:
        if "parameters" in tags(cell):
            cell.source += '\nPROFILE = "smoke"'
    nbformat.write(copy, folder / "notebook.ipynb")
    questions = [(f"{name}/{which}", asked) for name, task in tasks.items() for which, asked in task.questions.items()]
    for number, (_, asked) in enumerate(questions):
        (folder / f"question-{number}").write_bytes(packing.pack(_question(asked)))
    job: dict[str, Any] = {"seconds": limits.seconds - 5, "reserve": limits.seconds / 4, "patience": limits.patience}
    job |= {"cell": limits.seconds / 4, "grace": GRACE, "output": OUTPUT_BYTES, "answer": ANSWER_BYTES}
    job["questions"] = [(name, asked.seconds) for name, asked in questions]
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    for path in _fonts():
        shutil.copyfile(path, folder / path.name)


def _fonts() -> list[Path]:
    """matplotlib's list of this machine's fonts, made where it is not there yet."""
    import matplotlib.font_manager

    return list(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))


def _question(asked: Any) -> dict[str, Any]:
    if isinstance(asked, Call):
        given = {"arguments": list(asked.arguments), "options": dict(asked.options)}
        return {"kind": "call", "expression": asked.function} | given
    return {"kind": "value", "expression": asked.expression}


def frames(said: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """What a run said, as far as it can be read: a stranger's bytes."""
    found: list[tuple[dict[str, Any], bytes]] = []
    place = 0
    while place < len(said) and len(found) < 10_000:
        end = said.find(b"\n", place, place + MOST_LINE)
        if end < 0:
            break
        try:
            frame = json.loads(said[place:end])
        except (ValueError, RecursionError):
            break
        if not isinstance(frame, dict):
            break
        length = frame.get("length", 0)
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(said) - end - 1:
            break
        found.append((frame, said[end + 1 : end + 1 + length]))
        place = end + 1 + length
    return found


def _sorted(
    said: list[tuple[dict[str, Any], bytes]], notebook: NotebookNode
) -> tuple[dict[int, list[NotebookNode]], list[str], dict[str, Any]]:
    """Outputs by cell, troubles, answers by question."""
    cells: dict[int, list[NotebookNode]] = {}
    troubles: dict[int, str] = {}
    answers: dict[str, Any] = {}
    for frame, content in said:
        trouble = frame.get("trouble")
        trouble = outputs.text(trouble).text if isinstance(trouble, str) else ""
        place, name = frame.get("cell"), frame.get("answer")
        if isinstance(place, int) and 0 <= place < len(notebook.cells) and notebook.cells[place].cell_type == "code":
            cells[place] = outputs.clean(frame.get("outputs"))
            if trouble:
                cells[place].append(outputs.text(f"[{trouble}]\n"))
                troubles[place] = f"cell {place + 1}: {trouble}"
        elif isinstance(name, str):
            answers[name] = Failure(trouble) if trouble else _answer(content)
    return cells, list(troubles.values()), answers


def _answer(content: bytes) -> Any:
    try:
        return packing.unpack(content)
    except ValueError as error:
        return Failure(f"the answer {error}")
