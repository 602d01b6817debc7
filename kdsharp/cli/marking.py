"""``kdsharp labs mark``, ``regrade``, ``leaderboard`` and ``similar``: what runs and compares submissions."""

import hashlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer

from kdsharp.checks import UsageError, check_installed, check_name
from kdsharp.cli.shared import PlainTable, console, say
from kdsharp.together import core_count

Which = Annotated[str, typer.Argument(help="The lab, by name or number.")]
Class = Annotated[Path, typer.Option("--class", help="The folder of the class, where all state lies.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Run submissions without the sandbox. Read the guide first.")]
Hidden = Annotated[Path | None, typer.Option(help="Your own folder of hidden photos; remembered for the class.")]
MINE = Path("my-class")


def mark(
    lab: Which,
    folder: Class = MINE,
    hidden: Hidden = None,
    again: Annotated[bool, typer.Option("--again", help="Mark those too that are marked.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Submissions side by side.")] = min(2, core_count()),
    unsafe: Unsafe = False,
    dry_run: Dry = False,
) -> None:
    """Mark a lab in the sandbox and write the grade book. Stopped in the middle, the same command goes on.

    Example: `kdsharp labs mark lab3 --hidden my-photos`
    """
    found, home = _ready(lab, folder, hidden, unsafe)
    check_handed_in(home, found)
    with home.alone(found, waiting):
        todo = [each for each in home.students(found) if again or home.result(found, each) is None]
        if dry_run:
            say(f"would mark {len(todo)} of {len(home.students(found))} submissions: {', '.join(todo)}")
            return
        _mark(home, found, todo, workers, unsafe, None)
    _tell(home, found)


def regrade(
    lab: Which,
    exercise: Annotated[str, typer.Option(help="The exercise, by name or number.")],
    folder: Class = MINE,
    workers: Annotated[int, typer.Option(min=1, help="Submissions side by side.")] = min(2, core_count()),
    unsafe: Unsafe = False,
    dry_run: Dry = False,
) -> None:
    """Mark one exercise of all submissions again, after its check has changed; the other points stay.

    Example: `kdsharp labs regrade lab1 --exercise 2`
    """
    found, home = _ready(lab, folder, None, unsafe)
    names = [each.name for each in found.exercises]
    chosen = names[int(exercise) - 1] if exercise.isdigit() and 0 < int(exercise) <= len(names) else exercise
    check_name(chosen, names, "exercise")
    check_handed_in(home, found)
    with home.alone(found, waiting):
        if dry_run:
            say(f"would mark {chosen} of {len(home.students(found))} submissions again")
            return
        _mark(home, found, home.students(found), workers, unsafe, chosen)
    _tell(home, found)


def leaderboard(
    lab: Which, folder: Class = MINE, names: Annotated[bool, typer.Option(help="Show names, not aliases.")] = False
) -> None:
    """Show what the submissions reached, best first; aliases stand for names unless you ask for them."""
    found, home = opened(lab, folder)
    check_handed_in(home, found)
    rows = []
    for student in home.students(found):
        marked = home.result(found, student)
        row = {name: value for each in (marked.verdicts if marked else {}).values() for name, value in each.row.items()}
        if row:
            alias = "group " + hashlib.sha256(home.secret.key + student.encode()).hexdigest()[:4]
            rows.append((student if names else alias, row))
    if not rows:
        raise UsageError(f"{found.name} has no leaderboard, or nothing of it is marked yet")
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    table = PlainTable("", "who", *columns)
    rows.sort(key=lambda each: -each[1].get(columns[0], float("-inf")))
    for place, (who, row) in enumerate(rows, 1):
        table.add_row(str(place), who, *(f"{row[name]:g}" if name in row else "" for name in columns))
    console.print(table)


def similar(
    lab: Which,
    folder: Class = MINE,
    least: Annotated[float, typer.Option(min=0.3, max=1, help="Show pairs from this similarity on.")] = 0.8,
) -> None:
    """Show which submissions resemble each other: a hint for a conversation, never a verdict."""
    from kdsharp.labs.similar import pairs

    found, home = opened(lab, folder)
    check_handed_in(home, found)
    files = {each: home.submitted(found, each) for each in home.students(found)}
    table = PlainTable("similarity", "one", "the other", "words of the shorter")
    for alike, one, other, count in pairs(files, home.release(found), least):
        table.add_row(f"{alike:.2f}", one, other, str(count))
    console.print(table)
    say("alike code has innocent reasons too: a pair that worked together, one textbook, few ways to write it")


def opened(lab: str, folder: Path, new: bool = False) -> tuple[Any, Any]:
    """The lab and the folder of the class, which ``new`` makes where there is none."""
    check_installed(["nbgrader"], "marking")
    from kdsharp.labs import find_lab
    from kdsharp.labs.folder import ClassFolder

    found = find_lab(lab)
    if not new:
        check_class(folder)
    return found, ClassFolder(folder)


def check_class(folder: Path) -> None:
    """A folder that only a typing error names is not made."""
    if not (folder / "secret.key").is_file():
        made = "kdsharp labs collect makes one, and --class names another folder"
        raise UsageError(f"{folder} is no folder of a class; {made}")


def check_handed_in(home: Any, lab: Any) -> None:
    if not home.students(lab):
        raise UsageError(
            f"nothing of {lab.name} was handed in to {home.root}; first: kdsharp labs collect {lab.name} ZIP"
        )


def waiting() -> None:
    say("another command works on this lab; waiting for it")


def _ready(lab: str, folder: Path, hidden: Path | None, unsafe: bool) -> tuple[Any, Any]:
    """The same, ready to run submissions."""
    from kdsharp.labs import sandbox

    found, home = opened(lab, folder)
    sandbox.check(unsafe)
    if unsafe:
        say("--unsafe: submissions run as you, with your files and your network; mark on a machine that can be lost")
    if hidden is not None:
        home.hide(hidden)
    return found, home


def _mark(home: Any, lab: Any, todo: list[str], workers: int, unsafe: bool, only: str | None) -> None:
    """Mark submissions side by side, and write each into the grade book as it comes."""
    from tqdm import tqdm

    from kdsharp.labs import grading

    home.release(lab)
    with ThreadPoolExecutor(workers) as pool:
        try:
            for student in home.students(lab):  # what a killed run marked and did not write down
                if student not in todo and not home.booked(lab, student):
                    _book(home, lab, student, grading)
            started = {pool.submit(home.mark, lab, student, unsafe, only): student for student in todo}
            for each in tqdm(as_completed(started), total=len(todo), desc=lab.name, disable=None):
                each.result()
                _book(home, lab, started[each], grading)
        except KeyboardInterrupt:
            say("stopping: what is being marked now is finished first; the same command goes on from there")
            pool.shutdown(cancel_futures=True)
            raise typer.Exit(130) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _book(home: Any, lab: Any, student: str, grading: Any) -> None:
    grading.book(home.root, lab.name, student, home.received(lab, student).name)
    home.note_booked(lab, student)


def _tell(home: Any, lab: Any) -> None:
    """What marking found: a row for each submission, the misconceptions, the calibration."""
    from kdsharp.labs import summary

    results = {student: home.result(lab, student) for student in home.students(lab)}
    most = sum(each.points for each in lab.exercises)
    table = PlainTable("submission", f"points of {most:g}", "seconds", "what failed")
    for student, marked in results.items():
        failed = [f"{name}: {each.misconception}" for name, each in marked.verdicts.items() if each.misconception]
        notes = [*home.received(lab, student).notes, *([marked.reason] if marked.reason else [])]
        table.add_row(student, f"{marked.points:g}", f"{marked.seconds:g}", "\n".join([*notes, *failed]))
    console.print(table)
    verdicts = [each.verdicts for each in results.values()]
    table = PlainTable("exercise", "commonest misconceptions", "had it", title="What the class believed")
    for name, beliefs, total in summary.misconceptions(verdicts, lab):
        said, had = [belief for belief, _ in beliefs], [f"{count} of {total}" for _, count in beliefs]
        table.add_row(name, "\n".join(said), "\n".join(had))
    console.print(table)
    rows = summary.calibration(verdicts)
    if rows:
        table = PlainTable("confidence", "predictions", "mean confidence", "right", title="How sure, and how right")
        for name, count, sure, right in rows:
            table.add_row(name, str(count), f"{sure:.0%}", f"{right:.0%}")
        console.print(table)
        picture = home.root / "results" / lab.name / "calibration.png"
        summary.figure(rows, picture)
        say(f"the same as a figure: {picture}")
    say(f"all of it lies in {home.root}; next: kdsharp labs export {lab.name} --csv grades.csv")
