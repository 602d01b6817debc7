"""Two readers' points on the whole book, one row each: what became of it, and the test or the line that shows it.

A row is ``mended`` by tests or lines (``file: words in it``; ¦ between them), ``gone`` with words that must not come
back, or ``refused`` for a reason. Whoever rewrites such a line looks whether the fault is back, and names the new one.
"""

import csv
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
with (Path(__file__).parent / "points.tsv").open(encoding="utf-8") as file:
    POINTS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def text(path: str) -> str:
    """A file of the project; of a notebook its cells."""
    content = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".ipynb"):
        content = "\n".join("".join(cell["source"]) for cell in json.loads(content)["cells"])
    return content


def shows(evidence: str) -> bool:
    """Whether a test exists, or a file holds the words."""
    if "::" in evidence:
        path, name = evidence.split("::")
        return re.search(rf"^\s*def {name}\(", text(path), re.MULTILINE) is not None
    path, words = evidence.split(": ", 1)
    return words in text(path)


def test_no_point_is_open_and_each_has_its_row():
    assert len({row["point"] for row in POINTS}) == len(POINTS) > 700
    assert {row["verdict"] for row in POINTS} == {"mended", "gone", "refused"}
    assert all(row["said"] and row["by"] for row in POINTS)


@pytest.mark.parametrize("review", ["00-07", "08-15"])
def test_what_mended_a_point_is_there_and_what_was_wrong_is_not(review):
    rows = [row for row in POINTS if row["point"].startswith(review)]
    lost = [
        f"{row['point']}: {evidence}"
        for row in rows
        for evidence in (row["by"].split(" ¦ ") if row["verdict"] != "refused" else ())
        if shows(evidence) == (row["verdict"] == "gone")
    ]
    assert lost == []
