"""The benchmark scripts run and print their table; their numbers are for people, on a quiet machine."""

import subprocess
import sys
from pathlib import Path

import pytest
from shared import once

SCRIPTS = sorted((Path(__file__).parent / "benchmarks").glob("*.py"))
PRINTS = {
    "latency": "report-e-student",
    "loading": "as the reports load",
    "memory": "beyond both",
    "students": "report-e-student",
    "sweep": "2 plain processes",
    "unsharp": "best unsharp of each photo",
}


def test_every_script_is_tested():
    assert {path.stem for path in SCRIPTS} == set(PRINTS)


@pytest.mark.parametrize("name", once(PRINTS, "unsharp"))
def test_it_runs_and_prints_its_table(name):
    script = Path(__file__).parent / "benchmarks" / f"{name}.py"
    done = subprocess.run([sys.executable, str(script), "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert PRINTS[name] in done.stdout
