"""Programs that mean harm, run in the sandbox: each ends, says why, and leaves everything as it was."""

import os
import time
from pathlib import Path

import psutil
import pytest

import kdsharp
from kdsharp.checks import UsageError
from kdsharp.labs import sandbox
from kdsharp.labs.sandbox import MB, Limits

SMALL = Limits(seconds=6, patience=10, memory=600 * MB, processes=24, scratch=8 * MB, file=4 * MB, said=2 * MB)


@pytest.fixture
def run(bwrap, tmp_path):
    """Run Python in the sandbox; what it printed and how it ended."""

    def call(code, limits=SMALL):
        (tmp_path / "job").mkdir(exist_ok=True)
        (tmp_path / "job" / "program.py").write_text(code)
        return sandbox.run(["/job/program.py"], tmp_path / "job", limits)

    return call


def family():
    return {each.pid for each in psutil.Process().children(recursive=True)}


def test_a_program_runs_and_what_it_says_comes_back(run):
    ended = run("import sys; print('hello', sys.argv[1:])")
    assert (ended.said, ended.reason) == (b"hello ['/job', '/scratch']\n", "")


def test_it_is_nobody_and_sees_neither_disk_nor_network_nor_processes(run, tmp_path):
    (tmp_path / "secret.key").write_text("grades")
    ended = run(f"""
import os, pathlib, socket
print(os.getuid() != 0, os.path.exists({str(tmp_path / "secret.key")!r}), os.path.exists({str(tmp_path)!r}))
print(len([each for each in os.listdir("/proc") if each.isdigit()]) < 8, os.environ.get("HOME"))
try:
    socket.create_connection(("1.1.1.1", 53), 2)
except OSError as error:
    print("no network")
package = pathlib.Path({kdsharp.__file__!r}).parent
print(sorted(each.name for each in (package / "labs").iterdir()))
""")
    lines = ended.said.decode().splitlines()
    assert lines[:3] == ["True False False", "True /scratch", "no network"]
    assert lines[3] == "['inside', 'packing.py']", "the checks and their answers are not there to be read"


def test_the_runner_starts_without_the_grammar_of_web_addresses(run):
    """Two seconds of the processor for each submission; see its imports."""
    runner = str(sandbox.PACKAGE / "labs" / "inside" / "runner.py")
    asked = "print('nbformat' in sys.modules, 'lark' in sys.modules)"
    ended = run(f"import runpy, sys\nrunpy.run_path({runner!r})\n{asked}")
    assert ended.said == b"True False\n", ended.complaints


@pytest.mark.long
def test_nothing_but_its_folder_can_be_written_or_deleted(run, tmp_path):
    before = Path(kdsharp.__file__).read_text()
    ended = run(f"""
import os, shutil
for path in ("/x", "/job/x", "/dev/x", "/usr/x", {kdsharp.__file__!r}, "/etc/passwd", "/proc/sys/kernel/hostname"):
    try:
        open(path, "w").write("mine")
        print("WROTE", path)
    except OSError:
        pass
shutil.rmtree("/scratch/..", ignore_errors=True)
os.symlink("/root", "/scratch/link")
try:
    print(os.listdir("/scratch/link/.ssh"))
except OSError:
    print("nothing there")
""")
    assert ended.said == b"nothing there\n"
    assert Path(kdsharp.__file__).read_text() == before
    assert (tmp_path / "job" / "program.py").exists()


def test_an_endless_loop_is_stopped_and_what_it_said_is_kept(run):
    ended = run("print('before', flush=True)\nwhile True: pass", Limits(seconds=1, patience=20))
    assert ended.said == b"before\n"
    assert ended.reason == "it took more than 1 seconds"


def test_a_sleeper_is_stopped_by_the_clock(run):
    started = time.monotonic()
    assert "took more than" in run("import time; time.sleep(1e6)", Limits(seconds=1, patience=3)).reason
    assert time.monotonic() - started < 60


def test_a_fork_bomb_makes_few_processes_and_leaves_none(run):
    before = family()
    ended = run(
        """
import os, time
made = 0
for _ in range(10_000):
    try:
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
    except OSError:
        print("refused after", made, flush=True)
        break
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
        Limits(seconds=3, patience=10, processes=24),
    )
    assert int(ended.said.split()[-1]) < 24
    assert ended.reason
    assert family() <= before


def test_fifty_gigabytes_are_refused_at_once_and_in_pieces(run):
    assert run("try: bytearray(50 << 30)\nexcept MemoryError: print('refused')").said == b"refused\n"
    ended = run(
        """
import os, time
for _ in range(8):
    if os.fork() == 0:
        kept = []
        try:
            while True:
                kept.append(os.urandom(1 << 20) * 20)
        except MemoryError:
            time.sleep(1000)
time.sleep(1000)
"""
    )
    assert ended.reason.startswith("it used more than 600 MB of memory")


def test_its_folder_in_memory_has_an_end(run):
    ended = run("""
import os
for name in ("/scratch/large", "/dev/shm/large"):
    written = 0
    try:
        for number in range(200):
            with open(f"{name}{number}", "wb") as out:
                out.write(bytes(1 << 20))
                written += 1
    except OSError as error:
        print(written, error.strerror)
""")
    lines = ended.said.decode().splitlines()
    assert int(lines[0].split()[0]) <= 8
    assert int(lines[1].split()[0]) <= 64


def test_a_gigabyte_said_is_cut(run):
    ended = run("import sys\nwhile True: sys.stdout.write('x' * 100_000)")
    assert ended.reason == "it sent more than 2 MB"
    assert len(ended.said) < 3 * MB


def test_where_there_is_no_sandbox_marking_refuses_and_says_how(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match="apt-get install bubblewrap"):
        sandbox.check()
    sandbox.check(unsafe=True)


def test_a_class_folder_that_submissions_could_read_is_refused():
    with pytest.raises(UsageError, match="which submissions can read"):
        sandbox.check_outside(sandbox.PACKAGE / "class")


def test_unsafe_runs_with_the_time_limit_alone(tmp_path):
    (tmp_path / "program.py").write_text("import os; print(os.getuid())\nwhile True: pass")
    ended = sandbox.run([str(tmp_path / "program.py")], tmp_path, Limits(seconds=1, patience=20), unsafe=True)
    assert ended.said.decode().strip() == str(os.getuid())
    assert ended.reason


def test_a_clone_below_tmp_is_seen(monkeypatch, tmp_path):
    """Where the package lies below /tmp, that is no link to the scratch folder."""
    monkeypatch.setattr(sandbox, "visible", lambda: [Path("/tmp/clone")])
    assert "scratch" not in sandbox._walls(tmp_path, sandbox.Limits())
    monkeypatch.setattr(sandbox, "visible", lambda: [Path("/usr")])
    assert "scratch" in sandbox._walls(tmp_path, sandbox.Limits())
