"""The commands on a real lab: from a zip to grades; a marking that is killed, or stopped, goes on; two at once."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import psutil
import pytest

from kdsharp.labs import find_lab, source

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("bwrap")]


@pytest.fixture
def export(kdsharp, tmp_path):
    """A class of four, handed in by Moodle; returns the lab."""
    lab = find_lab("lab1")
    done = kdsharp("labs", "release", "lab1", "--to", "handout")
    assert done.returncode == 0, done.stderr
    stub = (tmp_path / "handout" / f"{lab.name}.ipynb").read_bytes()
    assert b"BEGIN SOLUTION" not in stub
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        full = source(lab).read_bytes()
        for number, (name, content) in enumerate({"Zoë": full, "Stub": stub, "Broken": b"{", "Bo": full}.items()):
            archive.writestr(f"{name}_{number}_assignsubmission_file_/work.ipynb", content)
    return lab


def grades(tmp_path):
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_three_commands_lead_from_a_zip_to_grades_and_pages(export, kdsharp, tmp_path):
    for command in (["collect", "lab1", "all.zip"], ["mark", "lab1"], ["export", "lab1", "--csv", "grades.csv"]):
        done = kdsharp("labs", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    found = grades(tmp_path)
    automatic = sum(each.points for each in export.exercises)
    assert {name: float(row["points"]) for name, row in found.items()} == {
        "zoe": automatic,
        "bo": automatic,
        "stub": 0.0,
        "broken": 0.0,
    }
    assert "no valid JSON" in found["broken"]["notes"]
    assert len(list((tmp_path / "my-class" / "feedback").rglob("*.html"))) == 4
    again = kdsharp("labs", "mark", "lab1", "--dry-run")
    assert "would mark 0 of 4" in again.stdout
    dry = kdsharp("labs", "export", "lab1", "--csv", "other.csv", "--dry-run")
    assert "would write 4 grades" in dry.stdout
    assert not (tmp_path / "other.csv").exists()


def test_a_marking_that_is_killed_goes_on_and_two_do_not_harm_each_other(export, kdsharp, tmp_path):
    assert kdsharp("labs", "collect", "lab1", "all.zip").returncode == 0
    command = [sys.executable, "-m", "kdsharp", "labs", "mark", "lab1", "--workers", "1"]
    results = tmp_path / "my-class" / "results" / export.name
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(results.glob("*.json")) and first.poll() is None:
        time.sleep(0.2)
    family = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, "the sandbox ends with the marking"
    kept = {path.name: json.loads(path.read_text())["time"] for path in results.glob("*.json")}
    both = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    after = {path.name: json.loads(path.read_text())["time"] for path in results.glob("*.json")}
    assert len(after) == 4
    assert all(after[name] == when for name, when in kept.items()), "what was marked was not marked again"
    assert kdsharp("labs", "export", "lab1", "--csv", "grades.csv").returncode == 0
    assert len(grades(tmp_path)) == 4
    assert float(grades(tmp_path)["zoe"]["points"]) == sum(each.points for each in export.exercises)


def test_ctrl_c_finishes_what_runs_and_the_same_command_goes_on(export, kdsharp, tmp_path):
    assert kdsharp("labs", "collect", "lab1", "all.zip").returncode == 0
    command = [sys.executable, "-m", "kdsharp", "labs", "mark", "lab1", "--workers", "1"]
    results = tmp_path / "my-class" / "results" / export.name
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(results.glob("*.json")) and running.poll() is None:
        time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    said, complaints = running.communicate(timeout=300)
    assert running.returncode == 130, complaints
    assert "the same command goes on" in said
    assert "Traceback" not in complaints
    assert 1 <= len(list(results.glob("*.json"))) < 4
    assert kdsharp("labs", "mark", "lab1").returncode == 0
    assert len(list(results.glob("*.json"))) == 4
