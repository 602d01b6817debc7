"""Calls side by side, each in a process of its own (floor 0)."""

import contextlib
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

GIGABYTES = 4
"""Memory for each call: what the largest lesson takes, and as much for the rest of the machine."""
MOST = 4
QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where Linux says how much of the processors a container gets: microseconds in each period."""


def room() -> int:
    """How many lessons this machine can run side by side, by its cores and its memory."""
    return max(1, min(MOST, core_count(), int(_memory() // (GIGABYTES * 2**30))))


def core_count() -> int:
    """Cores that this process may use: of the machine, of its affinity, and of its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # no quota reads "max"
        quota, period = map(int, QUOTA.read_text().split())
        cores = min(cores, max(1, math.ceil(quota / period)))
    return cores


def _memory() -> float:
    """Bytes of this machine, or of the container in it; without an answer (Windows) room for two."""
    found = [2.0 * GIGABYTES * 2**30]
    with contextlib.suppress(AttributeError, ValueError, OSError):
        found = [float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):
        found.append(float(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found)


def side_by_side(
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    count: int,
    running_now: Callable[[list[int]], None] = lambda places: None,
) -> Generator[tuple[int, Any]]:
    """Call ``function`` for each job in a process of its own, ``count`` at a time, which share the machine's cores.

    Ctrl-C ends what is running, as Ctrl-C in each process would, and begins nothing more.

    Args:
        function: of a module, so that another process can import it.
        jobs: its arguments, one tuple a call; they and the results must pickle.
        count: processes at a time.
        running_now: called with the places in ``jobs`` of those that run, whenever one has begun.

    Yields:
        (place in ``jobs``, result) as they come. The result is None where a process died.
    """
    context = multiprocessing.get_context("spawn")
    threads = max(1, core_count() // count)
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Any, tuple[int, BaseProcess]] = {}  # by the end of a pipe
    try:
        while waiting or running:
            while waiting and len(running) < count:
                place, job = waiting.pop()
                receiver, sender = context.Pipe(duplex=False)
                process: BaseProcess = context.Process(target=_call, args=(sender, threads, function, job))
                process.start()
                sender.close()
                running[receiver] = place, process
                running_now([place for place, _ in running.values()])
            ended: list[Any] = list(wait(list(running)))
            for ready in ended:
                place, process = running.pop(ready)
                try:
                    found = ready.recv()
                except EOFError:
                    found = None
                process.join()
                yield place, found
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.join()


def _call(sender: Connection, threads: int, function: Callable[..., Any], job: tuple[Any, ...]) -> None:
    """In the other process: Ctrl-C is answered by the first, which then ends this one as Ctrl-C would."""
    signal.signal(signal.SIGINT, lambda *_: None)  # and not SIG_IGN, which would be handed on to kernels
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    with contextlib.suppress(KeyboardInterrupt):
        sender.send(function(*job))


def _end_with_the_first() -> None:
    """A process whose caller was killed ends too, as by Ctrl-C: nobody waits for what it makes."""
    first = multiprocessing.parent_process()
    assert first is not None
    first.join()
    os.kill(os.getpid(), signal.SIGTERM)
