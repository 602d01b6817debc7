"""Run a stranger's program where it can harm nothing: bubblewrap, a user of its own, limits, and a watch from outside.

The sandbox sees the system's programs, this Python, the package and its data, all read-only; one scratch folder in
memory; nothing else of the disk, no network and no other process. Where kdsharp runs as root, the program gets a user
id that nobody else has, because limits on processes do not bind root; otherwise its user namespace counts them.
"""

import contextlib
import os
import random
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsharp.checks import UsageError
from kdsharp.places import PACKAGE

MB = 1024 * 1024
SYSTEM = ("/usr", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/lib32")
HIDDEN = ("labs", "_notebooks")
"""Folders of the package that a submission must not read: what knows the answers."""
WHERE = "on Debian and Ubuntu: apt-get install bubblewrap"
REMEDY = f"marking runs other people's programs inside bubblewrap, which is not usable here ({{}}); {WHERE}; "
UNSAFE = "on a machine that holds nothing of value and that you can throw away, --unsafe marks without it"


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        seconds: of processor time of the whole run; what was said until then is kept.
        patience: how many times as long it may take on the clock, on a busy machine or asleep.
        memory: bytes, of one process and of all together.
        processes: with their threads.
        scratch: bytes of its folder, which lies in memory.
        file: bytes of one file.
        said: bytes that it may send back.
    """

    seconds: float = 120.0
    patience: float = 10.0
    memory: int = 4096 * MB
    processes: int = 96
    scratch: int = 512 * MB
    file: int = 256 * MB
    said: int = 96 * MB


@dataclass(frozen=True)
class Ended:
    """How a run ended: what it said, why it was stopped (empty where it was not), seconds, its last complaints."""

    said: bytes
    reason: str
    seconds: float
    complaints: str


def check(unsafe: bool = False) -> None:
    """Whether submissions can be marked here.

    Raises:
        UsageError: with the remedy, where bubblewrap is missing or refused, unless ``unsafe``.
    """
    if unsafe:
        return
    if not sys.platform.startswith("linux"):
        raise UsageError(REMEDY.format(f"it exists on Linux only, this is {sys.platform}") + UNSAFE)
    if shutil.which("bwrap") is None:
        raise UsageError(REMEDY.format("it is not installed") + UNSAFE)
    with tempfile.TemporaryDirectory() as job:
        tried = subprocess.run(
            [*_walls(Path(job), Limits()), "true"], capture_output=True, text=True, errors="replace", timeout=60
        )
    if tried.returncode:
        said = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UsageError(REMEDY.format(said) + UNSAFE)


def visible() -> list[Path]:
    """What of the disk a submission can read: the system, this Python, the package and its data."""
    clone = [PACKAGE.parent / name for name in ("pyproject.toml", "data")] if _is_clone() else []
    found = [Path(sys.base_prefix), Path(sys.prefix), PACKAGE, *clone]
    return [Path(path) for path in SYSTEM if Path(path).exists()] + [
        path for path in found if path.exists() and not path.is_relative_to("/usr")
    ]


def check_outside(folder: Path) -> None:
    """A folder with secrets lies where no submission can read it.

    Raises:
        UsageError: with the folder that it lies in.
    """
    for path in visible():
        if folder.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"{folder} lies in {path}, which submissions can read; choose another folder")


def run(runner: Sequence[str], job: Path, limits: Limits, unsafe: bool = False) -> Ended:
    """Run ``python RUNNER... JOB SCRATCH`` on the files of ``job``, to its end or to a limit.

    Nothing that it started is left when this returns.

    Args:
        runner: the script and its arguments.
        job: a folder that the program may read.
        limits: see there.
        unsafe: without walls: only the limits hold, and a program that wants to get around them can.
    """
    if unsafe:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            environment = os.environ | _environment(scratch)
            command = [sys.executable, *runner, str(job), scratch]
            return _watch(command, limits, environment, scratch)
    python = [sys.executable, *runner, "/job", "/scratch"]
    with _readable(job):
        return _watch([*_walls(job, limits), *python], limits, {"PATH": os.environ.get("PATH", "")}, None)


def _is_clone() -> bool:
    return (PACKAGE.parent / "pyproject.toml").is_file()


def _environment(scratch: str) -> dict[str, str]:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {"HOME": scratch, "TMPDIR": scratch, "USER": "student", "LOGNAME": "student", "LANG": "C.UTF-8"}
    quiet = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "KDSHARP_EXPLORER": "page"}
    places = {"MPLCONFIGDIR": f"{scratch}/matplotlib", "IPYTHONDIR": f"{scratch}/.ipython"}
    return one | own | quiet | places | {"MPLBACKEND": "agg"}


def _walls(job: Path, limits: Limits) -> list[str]:
    """The command in front of a program: bubblewrap, then its limits, then its user."""
    root = os.geteuid() == 0
    walls = ["bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    walls += ["--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox", "--clearenv"]
    walls += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
    for path in visible():
        for parent in reversed(path.parents[:-1]):
            walls += ["--perms", "0755", "--dir", str(parent)]  # bubblewrap's own would be closed to another user
        walls += ["--ro-bind", str(path), str(path)]
    for name in LINKS:
        if Path(name).is_symlink():
            walls += ["--symlink", os.readlink(name), name]
        elif Path(name).is_dir():
            walls += ["--ro-bind", name, name]
    for name in HIDDEN:
        if (PACKAGE / name).is_dir():
            walls += ["--tmpfs", str(PACKAGE / name)]
    for name in ("labs/packing.py", "labs/inside"):
        walls += ["--ro-bind", str(PACKAGE / name), str(PACKAGE / name)]
    walls += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(64 * MB), "--tmpfs", "/dev/shm"]
    walls += ["--perms", "0777", "--size", str(limits.scratch), "--tmpfs", "/scratch"]
    if not any(path.is_relative_to("/tmp") for path in visible()):  # a clone may lie there
        walls += ["--symlink", "scratch", "/tmp"]
    walls += ["--ro-bind", str(job), "/job", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/scratch"]
    for name, value in (_environment("/scratch") | {"PATH": "/usr/bin:/bin"}).items():
        walls += ["--setenv", name, value]
    bounds = {"nproc": limits.processes, "as": limits.memory, "fsize": limits.file, "core": 0}
    bounds |= {"cpu": int(limits.seconds) + 5, "nofile": 1024, "memlock": 0, "msgqueue": 0}
    walls += ["--", "prlimit", *(f"--{name}={most}:{most}" for name, most in bounds.items())]
    if root:
        user = str(random.SystemRandom().randrange(2_000_000_000, 2_100_000_000))
        walls += ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs"]
    return walls


@contextlib.contextmanager
def _readable(job: Path):
    """The program's user is another one: let it read its job."""
    job.chmod(0o755)
    for path in job.iterdir():
        path.chmod(0o644)
    yield


def _watch(command: Sequence[str], limits: Limits, environment: Mapping[str, str], folder: str | None) -> Ended:
    """Read what a program says until it ends or reaches a limit, and leave nothing of it behind."""
    started, said, complaints, reason = time.monotonic(), bytearray(), bytearray(), ""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ, said)
            ready.register(process.stderr, selectors.EVENT_READ, complaints)
            looked, spent = 0.0, 0.0
            while ready.get_map() and not reason:
                for key, _ in ready.select(0.1):
                    content = os.read(key.fd, 1 << 16)
                    key.data.extend(content)
                    if not content:
                        ready.unregister(key.fileobj)
                del complaints[:-4000]
                now = time.monotonic()
                if len(said) > limits.said:
                    reason = f"it sent more than {limits.said // MB} MB"
                elif now - started > limits.seconds * limits.patience or spent > limits.seconds:
                    reason = f"it took more than {limits.seconds:.0f} seconds"
                elif now - looked > 0.2:
                    looked = now
                    memory, seconds = _used(process.pid)
                    spent = max(spent, seconds)
                    if memory > limits.memory:
                        reason = f"it used more than {limits.memory // MB} MB of memory"
    finally:
        _end(process)
    return Ended(bytes(said), reason, time.monotonic() - started, complaints.decode(errors="replace"))


def _used(pid: int) -> tuple[int, float]:
    """Bytes and processor seconds of a program and all that it started and that runs.

    Pages that several hold count once, where that can be read.
    """
    import psutil

    memory, shared, seconds = 0, 0, 0.0
    with contextlib.suppress(psutil.Error):
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for each in family:
            with contextlib.suppress(psutil.Error):
                seconds += sum(each.cpu_times()[:2])
                memory += each.memory_info().rss
        if memory < 1024 * MB:
            return memory, seconds
        for each in family:
            with contextlib.suppress(psutil.Error):
                shared += getattr(each.memory_full_info(), "pss", each.memory_info().rss)
    return min(memory, shared) or memory, seconds


def _end(process: subprocess.Popen) -> None:
    """Kill a program and all that it started. With bubblewrap the kernel does it when the first process goes."""
    import psutil

    family = []
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for each in family:
        with contextlib.suppress(psutil.Error):
            each.kill()
    process.wait()
    psutil.wait_procs(family, timeout=10)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
