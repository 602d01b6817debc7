"""Graded labs: handed out, handed in, and marked safely (floor 8).

The floor plan. What a lab says: :mod:`~kdsharp.labs.spec`, and one module or folder for each lab (``lab1`` to
``lab5``; in ``judging`` what they share, in ``hidden`` a lecturer's photos) beside its notebook in ``notebooks/labs``.
Taking in: ``archives`` (strangers' files), ``platforms`` (whose file is it), ``rebuild`` (their words, our structure),
``collecting``. Marking: ``sandbox`` and, inside it, ``inside/runner.py``; ``packing`` (questions and answers as bytes),
``outputs`` (what may be shown), ``marking``. The class: ``folder`` (all state), ``grading`` (nbgrader), ``summary``
(what it believed), ``similar``.
"""

import importlib
import re
from pathlib import Path

from kdsharp.checks import UsageError
from kdsharp.labs.spec import Lab
from kdsharp.places import place

MODULE = re.compile(r"lab\d+")


def labs() -> dict[str, Lab]:
    """Lab names (``lab1_filters``) and what is marked in each, in order."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("lab*") if MODULE.fullmatch(path.stem))
    found = [importlib.import_module(f"kdsharp.labs.{name}").LAB for name in modules]
    return {lab.name: lab for lab in found}


def find_lab(name: str) -> Lab:
    """A lab by its name, the beginning of it, or its number (``lab1_filters``, ``lab1``, ``1``).

    Raises:
        UsageError: with the names that there are.
    """
    known = labs()
    matches = [each for each in known if name in (each, each.split("_")[0], each.split("_")[0].removeprefix("lab"))]
    if not matches:
        raise UsageError(f"unknown lab {name!r}; choose one of: {', '.join(known)}")
    return known[matches[0]]


def source(lab: Lab) -> Path:
    """The notebook that a lab is made from, solutions included."""
    return place("notebooks") / "labs" / f"{lab.name}.ipynb"
