"""Where points are run: worker processes on this machine, or those of any Dask scheduler."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from kdsharp.checks import UsageError

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 8
"""How long a scheduler may take to answer."""


@contextmanager
def local_workers(count: int) -> Iterator["Client"]:
    """A cluster of ``count`` processes with one thread each, reached over loopback alone; torch gets one thread too.

    Several runs side by side use the cores better than one run with many threads, and leave each run's numbers
    independent of how many run beside it.
    """
    from distributed import Client, LocalCluster

    with _without_ctrl_c():
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},  # 8787 may be taken
            memory_limit=0,  # Dask's own limit kills a worker at 95 % of its share, however much memory is free
            silence_logs=logging.CRITICAL,
            env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        client = Client(cluster, set_as_default=False)
    with cluster, client:
        yield client


@contextmanager
def scheduler_at(address: str) -> Iterator["Client"]:
    """A running Dask scheduler.

    Raises:
        UsageError: when none answers.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address} ({_first_line(error)}); give the address that `dask scheduler` "
            "prints, such as tcp://host:8786, or leave --scheduler out"
        ) from None
    with client:
        yield client


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back while threads and processes start: they inherit that, and keep it, restarted workers included.

    The terminal sends Ctrl-C to every process. Only the sweep itself shall answer; it ends the workers.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its first start, in whichever thread, would let Ctrl-C through there again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
