"""Take in what a platform exported: find each person's notebook, whatever it is called, and rebuild it."""

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from kdsharp.checks import UsageError
from kdsharp.labs.archives import MOST_FILES, Item, items
from kdsharp.labs.folder import ClassFolder, Received
from kdsharp.labs.platforms import Owner, copy_number, owner
from kdsharp.labs.rebuild import Unreadable, grade_ids, lab_of, read, rebuild, untouched
from kdsharp.labs.spec import Lab

DOWNLOAD = 600
"""Seconds in which a platform writes all its files into an archive; nobody's class hands in as fast."""


@dataclass
class Collected:
    """What was done with one person's files."""

    received: Received
    new: bool


def collect(folder: ClassFolder, lab: Lab, place: Path, dry: bool = False) -> list[Collected]:
    """Take in each person's notebook of ``lab``; one that is there already as it is stays untouched.

    Args:
        folder: of the class.
        lab: which.
        place: the folder or archive.
        dry: only say what would be done.

    Raises:
        UsageError: when there is nothing to take in, or too much.
    """
    moments: list[float] = []
    people: dict[tuple[str, str], list[tuple[Owner, Item]]] = {}
    for count, item in enumerate(items(place)):
        if count >= MOST_FILES:
            raise UsageError(f"{place} holds more than {MOST_FILES} files")
        found = owner(item.path)
        people.setdefault((found.student, found.number), []).append((found, item))
        moments.append(item.time)
    if not people:
        raise UsageError(f"{place} holds no notebook, nor anything that somebody could have handed in as one")
    release = folder.release(lab)
    chosen = []
    taken: dict[str, str] = {}
    for (student, number), files in sorted(people.items()):
        if taken.setdefault(student, number) != number:  # two people of one name
            student = f"{student}-{number}"
        chosen.append(_chosen(student, files, lab, release))
    _name_shared(chosen)
    done = []
    for received, original, notebook in chosen:
        student = received.student
        received.timed = _is_timed(received.platform, moments)
        before = folder.received(lab, student) if student in folder.students(lab) else None
        new = before is None or before.digest != received.digest
        if new and not dry:
            folder.receive(lab, received, original, notebook)
        done.append(Collected(received, new))
    return done


def _name_shared(chosen: list[tuple[Received, bytes | None, NotebookNode]]) -> None:
    """Note on each of several people who handed in one and the same file whose it is too: a pair, or a copy."""
    owners: dict[bytes, list[Received]] = {}
    for received, original, _ in chosen:
        if original is not None:
            owners.setdefault(hashlib.sha256(original).digest(), []).append(received)
    for same in owners.values():
        for received in same if len(same) > 1 else ():
            others = ", ".join(each.student for each in same if each is not received)
            received.notes.append(f"the same file, byte for byte, as {others} handed in")


def _is_timed(platform: str, moments: list[float]) -> bool:
    """Whether a file's time is when it was handed in, and not when the platform was asked for all of them."""
    at_once = max(moments) - min(moments) < DOWNLOAD
    return platform == "blackboard" or (platform not in ("canvas", "ilias") and not at_once)


@dataclass
class _Readable:
    """A notebook of this lab; the largest ``order`` counts."""

    order: tuple[str, int, float]
    owner: Owner
    item: Item
    notebook: dict

    @property
    def file(self) -> str:
        return PurePosixPath(self.owner.file).name


def _chosen(
    student: str, files: list[tuple[Owner, Item]], lab: Lab, release: NotebookNode
) -> tuple[Received, bytes | None, NotebookNode]:
    """What is received of one person: the notebook that counts, its bytes, and what was made of it."""
    readable, notes = _readable(files, lab, release)
    if readable:
        best = max(readable, key=lambda each: each.order)
        whose, item, content = best.owner, best.item, best.item.content
        others = [each.file for each in readable if each is not best]
        if others:
            notes.insert(0, f"{len(readable)} notebooks: {best.file} counts, not {', '.join(others)}")
        made, put_right = rebuild(best.notebook, release)
        notes += put_right
    else:
        (whose, item), content, made = files[-1], None, untouched(release)
        notes.insert(0, "no notebook of this lab: marked as handed in empty")
    when = datetime.datetime.fromtimestamp(item.time, datetime.UTC)
    if whose.platform == "blackboard":
        when = datetime.datetime.strptime(whose.attempt, "%Y-%m-%d-%H-%M-%S").astimezone(datetime.UTC)
    text = "\n".join([*(hashlib.sha256(each.content or b"").hexdigest() for _, each in files), str(release.metadata)])
    received = Received(
        student=student,
        name=whose.name,
        platform=whose.platform,
        number=whose.number,
        file=whose.file,
        time=when.strftime("%Y-%m-%d %H:%M:%S UTC"),
        late=any(each.late for each, _ in files),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        notes=list(dict.fromkeys(notes)),
    )
    return received, content, made


def _readable(files: list[tuple[Owner, Item]], lab: Lab, release: NotebookNode) -> tuple[list[_Readable], list[str]]:
    """The notebooks of this lab among a person's files, and why the others are none."""
    found, notes = list[_Readable](), list[str]()
    ours = grade_ids({"cells": list(release.cells)})
    for whose, item in files:
        name = PurePosixPath(whose.file).name
        if item.content is None:
            notes.append(f"{name}: {item.trouble}")
            continue
        try:
            notebook = read(item.content)
        except Unreadable as error:
            notes.append(f"{name}: {error}")
            continue
        said = lab_of(notebook)
        if said not in (None, lab.name) or not (said or grade_ids(notebook) & ours):
            notes.append(f"{name}: it is not {lab.name}" + (f" but {said[:40]}" if said else ""))
            continue
        found.append(_Readable((whose.attempt, copy_number(name), item.time), whose, item, notebook))
    return found, notes
