"""All explorers of the course on one page, for a lecture hall: served by Voila, with full screen and keys."""

import json
import re
import sys
from pathlib import Path
from typing import Any, ClassVar

import nbformat

from kdsharp.checks import UsageError, make_folder
from kdsharp.course import lessons
from kdsharp.course.guide import overview
from kdsharp.island import Island, note

SHOWN = ("dials", "digits", "explorer", "kernel", "shake", "stripes")
"""Kinds of islands that a lecturer moves; what a reader writes and answers stays with her."""
FOLDER = "explorers"
"""Beside the notebook: what each explorer starts from, as JSON."""
ISLAND = re.compile(
    rf'<div data-island="({"|".join(SHOWN)})" id=.*?<script type="application/json">(.*?)</script></div>', re.DOTALL
)


class Stage(Island):
    """The explorers of executed lessons, with the pictures that were drawn when the lessons ran: nobody waits.

    As a widget it names a file for each explorer, which :func:`write_app` put where Voila serves it: tens of MB, which
    a browser loads one by one, and which a kernel would have to send before anything is seen.

    Args:
        executed: folder of the executed lessons.

    Raises:
        UsageError: when there is no explorer in them.
    """

    module: ClassVar[str] = "stage"

    def __init__(self, executed: str | Path) -> None:
        self.explorers = found(Path(executed))
        if not self.explorers:
            raise UsageError(f"{executed} holds no executed lesson with an explorer; run the lessons: kdsharp run")

    def facts(self, live: bool) -> dict[str, Any]:
        if not live:
            return {"explorers": self.explorers}
        named = [each | {"facts": f"voila/files/{FOLDER}/{place}.json"} for place, each in enumerate(self.explorers)]
        return {"explorers": named}

    def still(self) -> str:
        return note(f"{len(self.explorers)} explorers, which move where scripts run: kdsharp app")


def found(executed: Path) -> list[dict[str, Any]]:
    """Lesson, kind and facts of each explorer in a folder of executed lessons, in the order of the course."""
    explorers = []
    for name, path in lessons().items():
        if not (executed / path.name).is_file():
            continue
        lesson = f"{name[:2]} · {overview(path).title}"
        for cell in nbformat.read(executed / path.name, as_version=4).cells:
            for output in cell.get("outputs", []):
                for kind, facts in ISLAND.findall(output.get("data", {}).get("text/html", "")):
                    explorers.append({"lesson": lesson, "module": kind, "facts": json.loads(facts)})
    return explorers


def write_app(executed: Path, folder: Path) -> Path:
    """Write the notebook that Voila shows, with the facts of its explorers beside it, and give its path."""
    stage = Stage(executed)
    for place, each in enumerate(stage.explorers):
        path = make_folder(folder / FOLDER) / f"{place}.json"
        path.write_text(json.dumps(each["facts"]), encoding="utf-8")
    code = f"from kdsharp.island import modules\n\nmodules.widget({stage.module!r}, {stage.facts(live=True)!r})"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["title"] = "Explorers"
    path = make_folder(folder) / "explorers.ipynb"
    nbformat.write(notebook, path)
    return path


def voila(notebook: Path, port: int = 0, opens: bool = True) -> list[str]:
    """The command that serves the notebook's page at this machine until Ctrl-C.

    Args:
        notebook: as :func:`write_app` wrote it.
        port: of the server; Voila's own for 0.
        opens: whether a browser opens on it.
    """
    command = [
        sys.executable,
        "-m",
        "voila",
        str(notebook),
        f"--VoilaConfiguration.file_allowlist=['{FOLDER}/[0-9]+[.]json']",
    ]
    return command + ([f"--port={port}"] if port else []) + ([] if opens else ["--no-browser"])
