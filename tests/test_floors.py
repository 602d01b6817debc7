"""The house rules of ``design/architecture.md``, read from the imports: a module imports only from lower floors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kdsharp

PACKAGE = Path(kdsharp.__file__).parent
FLOORS = {"__init__": 0, "checks": 0, "devices": 0, "digits": 0, "places": 0, "provenance": 0, "vision": 0}
FLOORS |= {"interrupts": 0, "together": 0}
FLOORS |= {"images": 1, "kernels": 1}
FLOORS |= {"filters": 2, "degrade": 2, "metrics": 2, "models": 2}
FLOORS |= {"datasets": 3, "losses": 3, "features": 3, "checkpoints": 3, "official": 3, "inference": 3, "video": 3}
FLOORS |= {"distill": 4, "train": 4, "sets": 4, "tables": 4}
FLOORS |= {"recipes": 5, "tune": 5, "evaluate": 5, "export": 5, "adapt": 6, "plots": 6, "claims": 6, "island": 6}
FLOORS |= {"explore": 7, "course": 7, "runs": 7, "study": 7, "sweep": 7, "book": 8, "labs": 8}
FLOORS |= {"cli": 9, "__main__": 9}

NEIGHBOURS = {
    ("devices", "checks"): "an error in one sentence",
    ("devices", "together"): "how many cores there are",
    ("provenance", "devices"): "which device trains",
    ("provenance", "places"): "whose repository this is",
    ("datasets", "checkpoints"): "where data/ lies",
    ("checkpoints", "official"): "the one door for weights, and the part of it that knows the authors' files",
    ("evaluate", "tune"): "a table shows each filter at its best",
    ("evaluate", "export"): "an ONNX file is scored as any network",
    ("runs", "course"): "which lessons there are",
    ("course", "explore"): "lab 4 trains the student of lesson 09",
    ("sweep", "course"): "which lessons there are",
    ("sweep", "runs"): "a point of a lesson is one run of it",
    ("explore", "sweep"): "the grid that a sweep made",
    ("__main__", "cli"): "the same command",
}
"""Imports within one floor that are meant. A new one needs a reason here."""

HEAVY = {
    "matplotlib",
    "ipywidgets",
    "papermill",
    "dask",
    "distributed",
    "pyarrow",
    "onnx",
    "onnxruntime",
    "av",
    "cv2",
    "piq",
}
HEAVY_FLOORS = (5, 6, 7)

FILES = sorted(PACKAGE.rglob("*.py"))


def room(path):
    """The module, or the sub-package that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(node):
    """Absolute names that one import statement asks for."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        return [node.module] if node.module != "kdsharp" else [f"kdsharp.{alias.name}" for alias in node.names]
    return []


def imports(path, inside_functions=True):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    if not inside_functions:
        late = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))]
        late += [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
        inner = {id(child) for each in late for child in ast.walk(each)}
        nodes = [node for node in nodes if id(node) not in inner]
    return {name for node in nodes for name in imported(node)}


def test_every_module_has_a_floor_and_every_floor_its_module():
    assert {room(path) for path in FILES} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_floors(path):
    own = room(path)
    for name in imports(path):
        top, _, rest = name.partition(".")
        other = rest.split(".")[0]
        if top == "kdsharp" and other != own and (own, other) not in NEIGHBOURS:
            assert other in FLOORS, f"{own} imports kdsharp.{other}, which has no floor"
            assert FLOORS[other] < FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {other} (floor {FLOORS[other]})"


def test_the_exceptions_are_on_one_floor_and_still_needed():
    for own, other in NEIGHBOURS:
        assert FLOORS[own] == FLOORS[other]
        asked = {name for path in FILES if room(path) == own for name in imports(path)}
        assert any(name.startswith(f"kdsharp.{other}") for name in asked)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_wait_until_they_are_used(path):
    if FLOORS[room(path)] not in HEAVY_FLOORS:
        assert not HEAVY & {name.split(".")[0] for name in imports(path, inside_functions=False)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_vision_imports_torchvision(path):
    if path.name != "vision.py":
        assert "torchvision" not in {name.split(".")[0] for name in imports(path)}


SCRIPT = """
import sys, time
import torch
start = time.process_time()
import kdsharp
import kdsharp.evaluate
print(time.process_time() - start)
import kdsharp.recipes, kdsharp.cli
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def fresh():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_package_is_imported_within_a_second_of_torch(fresh):
    """Processor time, so that a busy machine does not count; the bound leaves room for a slow one."""
    assert float(fresh[0]) < 2.0


def test_nothing_heavy_is_imported_on_the_way(fresh):
    assert not (HEAVY | {"nbgrader"}) & {name.split(".")[0] for name in fresh[1].split()}


@pytest.mark.long
def test_what_lessons_begin_with_waits_for_nothing_that_few_of_them_need():
    """Each of the three takes a second or two of the processor, in each kernel and for each submission marked."""
    names = "course, datasets, explore, filters, images, metrics, plots"
    script = f"import sys\nfrom kdsharp import {names}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"nbformat", "scipy.signal", "scipy.stats"} & set(done.stdout.split())
