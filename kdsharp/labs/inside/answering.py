"""Answer one question in the kernel of a submission, after its cells have run."""

import runpy
import sys
from pathlib import Path
from typing import Any


def answer(question: str, packing: str, out: str, names: dict[str, Any]) -> None:
    """Ask ``names`` (what the submission defined) the question in a file, and write its answer to the file ``out``.

    What is raised on the way is the answer of a question that got none; the runner reads it from the kernel.
    """
    tools = runpy.run_path(packing)
    content = Path(question).read_bytes()
    if b'\\"$tensor\\"' in content:
        __import__("torch")
    asked = tools["unpack"](content, tensors=True)
    found = eval(asked["expression"], names)
    if asked["kind"] == "call":
        if not callable(found):
            raise TypeError(f"{asked['expression']} is not a function")
        found = found(*asked["arguments"], **asked["options"])
    if "torch" not in sys.modules and type(found).__module__.startswith("torch"):
        __import__("torch")
    Path(out).write_bytes(tools["pack"](found))
