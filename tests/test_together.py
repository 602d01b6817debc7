"""Calls side by side: each in a process of its own, and Ctrl-C that leaves none behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from kdsharp import together


def slow(number):
    began = time.monotonic()
    time.sleep(1)
    return number, began, time.monotonic(), os.environ["OMP_NUM_THREADS"], os.getpid()


def dies(number):
    if number == 1:
        os._exit(3)
    return number


def test_two_run_at_a_time_and_share_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(together, "core_count", lambda: 6)
    shown = []
    found = [run for _, run in together.side_by_side(slow, [(1,), (2,), (3,)], 2, shown.append)]
    one, two, three = sorted(found)
    assert one[1] < two[2]
    assert two[1] < one[2]
    assert three[1] > min(one[2], two[2])
    assert {run[3] for run in found} == {"3"}
    assert len({run[4] for run in found} | {os.getpid()}) == 4
    assert shown[:2] == [[0], [0, 1]]
    assert all(len(places) <= 2 for places in shown)


def test_a_process_that_dies_is_none_and_the_others_come():
    assert dict(together.side_by_side(dies, [(0,), (1,), (2,)], 2)) == {0: 0, 1: None, 2: 2}


@pytest.mark.parametrize(("cores", "gigabytes", "count"), [(1, 64, 1), (2, 24, 2), (16, 64, 4), (8, 9, 2), (4, 2, 1)])
def test_there_is_room_for_as_many_as_cores_and_memory_allow(monkeypatch, cores, gigabytes, count):
    monkeypatch.setattr(together, "core_count", lambda: cores)
    monkeypatch.setattr(together, "_memory", lambda: gigabytes * 2**30)
    assert together.room() == count


SCRIPT = """
import time
from kdsharp.together import side_by_side
from tests.test_together import waits
if __name__ == "__main__":
    for _ in side_by_side(waits, [(1,), (2,), (3,)], 2, lambda places: print(len(places), flush=True)):
        print("one ended", flush=True)
"""


def waits(_):
    time.sleep(600)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
def test_ctrl_c_ends_those_that_run_and_begins_no_more_and_so_does_a_kill(tmp_path, end):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = os.path.dirname(os.path.dirname(__file__))
    started = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert [started.stdout.readline() for _ in range(2)] == ["1\n", "2\n"]
    time.sleep(3)  # until both have begun their call
    children = psutil.Process(started.pid).children(recursive=True)
    assert len(children) >= 2
    started.send_signal(getattr(signal, end))
    out, error = started.communicate(timeout=30)
    assert "one ended" not in out
    assert error.count("KeyboardInterrupt") == (end == "SIGINT")
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.parametrize(
    ("said", "cores"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1)]
)
def test_a_containers_quota_counts_as_cores(monkeypatch, tmp_path, said, cores):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    (tmp_path / "cpu.max").write_text(f"{said}\n")
    monkeypatch.setattr(together, "QUOTA", tmp_path / "cpu.max")
    assert together.core_count() == cores
    monkeypatch.setattr(together, "QUOTA", tmp_path / "no such file")
    assert together.core_count() == 8
