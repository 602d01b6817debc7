"""The folder of a class: the one place where all state of the labs lies.

It is an nbgrader course folder (``source``, ``release``, ``submitted``, ``autograded``, ``feedback`` and
``gradebook.db``), so that Formgrader opens it as it is, and holds besides: ``secret.key``, ``class.json``,
``received/LAB/STUDENT`` (what came in, and what was put right) and ``results/LAB/STUDENT.json`` (what marking found).
"""

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from kdsharp.checks import UsageError, atomic_path, make_folder
from kdsharp.labs import hidden, sandbox, source
from kdsharp.labs.marking import Marked, mark
from kdsharp.labs.rebuild import version
from kdsharp.labs.spec import Lab, Secret

CONFIG = '''"""Formgrader and nbgrader mark in kdsharp's sandbox, whoever starts them. Written by `kdsharp labs`."""

from pathlib import Path

from kdsharp.labs.grading import configure

configure(get_config(), Path(__file__).resolve().parent)  # noqa: F821 (nbgrader gives get_config)
'''


@dataclass
class Received:
    """One person's submission as it came in; ``timed`` says whether ``time`` is when it was handed in."""

    student: str
    name: str
    platform: str
    number: str
    file: str
    time: str
    late: bool
    digest: str
    notes: list[str] = field(default_factory=list)
    timed: bool = True


class ClassFolder:
    """A class, by its folder; made where it is not there yet."""

    def __init__(self, root: str | Path) -> None:
        sandbox.check_outside(Path(root))
        self.root = make_folder(root).resolve()
        if not (self.root / "secret.key").exists():
            with atomic_path(self.root / "secret.key") as temporary:
                temporary.write_bytes(secrets.token_bytes(32))
            (self.root / "secret.key").chmod(0o600)
        if not (self.root / "nbgrader_config.py").exists():
            with atomic_path(self.root / "nbgrader_config.py") as temporary:
                temporary.write_text(CONFIG, encoding="utf-8")

    @property
    def hidden(self) -> Path | None:
        """The lecturer's folder of hidden photos, as it was last named."""
        file = self.root / "class.json"
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return Path(found["hidden"]) if found.get("hidden") else None

    def hide(self, folder: Path) -> None:
        """Remember the folder of hidden photos.

        Raises:
            UsageError: when it is none, submissions could read it, or its photos are too few, too small or damaged.
        """
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder")
        sandbox.check_outside(folder)
        hidden.photos(folder)
        with atomic_path(self.root / "class.json") as temporary:
            temporary.write_text(json.dumps({"hidden": str(folder.resolve())}), encoding="utf-8")

    @property
    def secret(self) -> Secret:
        return Secret((self.root / "secret.key").read_bytes(), self.hidden)

    @contextlib.contextmanager
    def alone(self, lab: Lab, waiting: Any = None) -> Iterator[None]:
        """Only one process works on a lab at a time; a second one waits, and ``waiting()`` says so once."""
        from filelock import FileLock, Timeout

        lock = FileLock(make_folder(self.root / "results") / f".{lab.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting is not None:
                waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def release(self, lab: Lab) -> NotebookNode:
        """The notebook as it is handed out, made by nbgrader from the source, which puts the lab into the grade book.

        It is made again where the source has changed.
        """
        from kdsharp.labs.grading import generate

        made = self.root / "release" / lab.name / f"{lab.name}.ipynb"
        notebook = nbformat.read(source(lab), as_version=4)
        notebook.metadata["kdsharp"] = {"lab": lab.name}
        text = nbformat.writes(notebook)
        copy = self.root / "source" / lab.name / f"{lab.name}.ipynb"
        if not made.exists() or not copy.exists() or copy.read_text(encoding="utf-8") != text:
            with atomic_path(copy) as temporary:
                temporary.write_text(text, encoding="utf-8")
            generate(self.root, lab.name)
            fresh = nbformat.read(made, as_version=4)
            fresh.metadata["kdsharp"] = {"lab": lab.name, "version": version(fresh)}
            with atomic_path(made) as temporary:
                nbformat.write(fresh, temporary)
        return nbformat.read(made, as_version=4)

    def submitted(self, lab: Lab, student: str) -> Path:
        return self.root / "submitted" / student / lab.name / f"{lab.name}.ipynb"

    def students(self, lab: Lab) -> list[str]:
        """Who handed a lab in, in order."""
        return sorted(path.parent.name for path in (self.root / "received" / lab.name).glob("*/received.json"))

    def received(self, lab: Lab, student: str) -> Received:
        path = self.root / "received" / lab.name / student / "received.json"
        return Received(**json.loads(path.read_text(encoding="utf-8")))

    def receive(self, lab: Lab, came: Received, original: bytes | None, notebook: NotebookNode) -> None:
        """Keep a submission: its file, the notebook that was made of it, and last of all the note that it is there."""
        kept = make_folder(self.root / "received" / lab.name / came.student)
        if original is not None:
            with atomic_path(kept / "original.ipynb") as temporary:
                temporary.write_bytes(original)
        with atomic_path(self.submitted(lab, came.student)) as temporary:
            nbformat.write(notebook, temporary)
        with atomic_path(self.submitted(lab, came.student).with_name("timestamp.txt")) as temporary:
            temporary.write_text(came.time, encoding="utf-8")
        with atomic_path(kept / "received.json") as temporary:
            temporary.write_text(json.dumps(asdict(came), indent=1), encoding="utf-8")

    def result(self, lab: Lab, student: str) -> Marked | None:
        """What the marking found, or None where it was not marked, or is not as it was then."""
        path = self.root / "results" / lab.name / f"{student}.json"
        if not path.exists():
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        return Marked.from_json(found["marked"]) if found["digest"] == self.digest(lab, student) else None

    def mark(self, lab: Lab, student: str, unsafe: bool = False, only: str | None = None) -> Marked:
        """Mark one submission and keep the result; with ``only`` the other exercises keep theirs, if they have one."""
        before = self.result(lab, student)
        only = None if before is None else only
        notebook = nbformat.read(self.submitted(lab, student), as_version=4)
        marked = mark(notebook, lab, self.secret, unsafe=unsafe, only=only)
        if only is not None and before is not None:
            marked.verdicts = before.verdicts | marked.verdicts
        with atomic_path(self.root / "results" / lab.name / f"{student}.json") as temporary:
            kept = {"digest": self.digest(lab, student), "time": time.time(), "marked": marked.as_json()}
            temporary.write_text(json.dumps(kept), encoding="utf-8")
        return marked

    def digest(self, lab: Lab, student: str) -> str:
        """What a result was made from: the notebook, the lab's names and points, the secret, the hidden folder."""
        text = [each.name + str(each.points) for each in lab.exercises]
        parts = [self.submitted(lab, student).read_bytes(), "\n".join(text).encode(), self.secret.key]
        return hashlib.sha256(b"\0".join([*parts, hidden.digest(self.hidden).encode()])).hexdigest()

    def booked(self, lab: Lab, student: str) -> bool:
        """Whether the grade book has the result as it is now."""
        mark_of_it = self.root / "autograded" / student / lab.name / ".booked"
        result = self.root / "results" / lab.name / f"{student}.json"
        digest = hashlib.sha256(result.read_bytes()).hexdigest() if result.exists() else ""
        return mark_of_it.exists() and mark_of_it.read_text() == digest

    def note_booked(self, lab: Lab, student: str) -> None:
        result = self.root / "results" / lab.name / f"{student}.json"
        with atomic_path(self.root / "autograded" / student / lab.name / ".booked") as temporary:
            temporary.write_text(hashlib.sha256(result.read_bytes()).hexdigest())
