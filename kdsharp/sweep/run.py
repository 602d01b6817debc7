"""The sweep itself: points go out to the workers, records come back, and nothing that is done is done twice."""

import socket
import threading
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm
from tqdm.std import tqdm as any_tqdm

from kdsharp import provenance
from kdsharp.checks import UsageError, check_installed, check_positive, make_folder
from kdsharp.sweep.cluster import local_workers, scheduler_at
from kdsharp.sweep.points import Point
from kdsharp.sweep.records import Record, is_done, point_folder, read_records, write_record, write_table
from kdsharp.together import core_count

if TYPE_CHECKING:
    from distributed import Client, Future

_ONE_AT_A_TIME = threading.Lock()
"""Accelerate's state and torch's random generator belong to a process, so that a worker with several threads waits."""


def sweep(
    points: Sequence[Point],
    out: str | Path,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: bool = True,
) -> dict[str, Record]:
    """Run all points that ``out`` has no finished record of, and return every record there, by identity.

    The records are written here, not by the workers: a worker that shares no folder with this machine can still send
    what it measured. Only its artefacts (notebook, checkpoint) then stay on its own disk.

    Args:
        points: see :func:`kdsharp.sweep.grid_points`.
        out: gets ``points/ID.json`` and ``points/ID/`` for each point, and ``results.parquet`` of all records.
        workers: processes on this machine; as many as cores by default.
        scheduler: the address of a running Dask scheduler whose workers are used instead.
        progress: show a bar.

    A point that fails is recorded with its error, and the others go on; the next call tries it again. A worker that
    dies costs the point that it was running, which starts again on another; after four deaths the point has failed.
    Ctrl-C leaves the records and the table of what was finished.

    Raises:
        UsageError: when a package is missing, the scheduler does not answer or goes away, or ``out`` cannot be written.
    """
    check_installed(("dask", "distributed", "pyarrow"), "sweep")
    if workers is not None and scheduler is not None:
        raise UsageError("--workers and --scheduler exclude each other: a scheduler brings its own workers")
    if workers is not None:
        check_positive(workers, "--workers")
    folder = make_folder(out).resolve()
    records = read_records(folder)
    missing = [point for point in points if not is_done(records.get(point.identity))]
    try:
        if missing:
            count = min(workers or core_count(), len(missing))
            where = local_workers(count) if scheduler is None else scheduler_at(scheduler)
            at_once = count if scheduler is None else len(missing)
            with closing(_run(missing, folder, where, at_once, len(points), progress)) as finished:
                for record in finished:
                    records[record["id"]] = record
                    write_record(folder, record)
                    write_table(folder, records.values())
    finally:
        write_table(folder, records.values())
    return records


def _run(
    points: Sequence[Point],
    out: Path,
    where: "AbstractContextManager[Client]",
    at_once: int,
    total: int,
    progress: bool,
) -> Generator[Record]:
    """The records of the points as they finish."""
    with where as client, tqdm(total=total, initial=total - len(points), unit="point", disable=not progress) as bar:
        if not client.scheduler_info()["workers"]:
            bar.set_postfix_str("waiting for the first worker")
        failed = 0
        for record in _finished(client, points, out, at_once):
            failed += not is_done(record)
            bar.set_postfix_str(f"{failed} failed" if failed else "", refresh=False)
            bar.update()
            yield record


def _finished(client: "Client", points: Sequence[Point], out: Path, at_once: int) -> Iterator[Record]:
    """Keep ``at_once`` points with the scheduler; give the record of each that ends.

    On this machine that is one for each worker: a point that kills its workers is then never suspected together with
    one that only waited there. A cluster that grows with its queue needs to see them all.
    """
    from distributed import as_completed

    waiting = iter(points)
    running: dict[Future, Point] = {}

    def submit(count: int) -> "list[Future]":
        futures = {}
        for point in islice(waiting, count):
            key = f"point-{point.identity}-{uuid.uuid4().hex[:8]}"  # never the answer to an earlier sweep's question
            futures[client.submit(run_point, point, out, key=key, pure=False)] = point
        running.update(futures)
        return list(futures)

    finished = as_completed(submit(at_once), loop=client.loop)
    for future in finished:
        record = _outcome(future, running.pop(future))
        future.release()  # a result that is still asked for is computed again when its worker dies
        finished.update(submit(1))
        yield record


def _outcome(future: "Future", point: Point) -> Record:
    from distributed import KilledWorker

    now = datetime.now(UTC)
    try:
        return future.result()
    except KilledWorker as error:
        deaths = error.allowed_failures + 1
        return _record(point, now, error=f"its worker died {deaths} times, perhaps for want of memory")
    except CancelledError:
        raise UsageError("the Dask scheduler is gone; what is done is kept, and the same command goes on") from None
    except Exception as error:  # the point never started: kdsharp is missing there, say
        return _record(point, now, error=_sentence(error))


def run_point(point: Point, out: Path) -> Record:
    """What a worker does: run one point and return its record, which says why when it failed."""
    with _ONE_AT_A_TIME:
        any_tqdm.set_lock(threading.RLock())  # its own is a semaphore, which a killed worker would leave behind
        started, clock = datetime.now(UTC), time.perf_counter()
        results: dict[str, Any] = {}
        error = None
        try:
            if point.target.digest() != point.content:
                here = socket.gethostname()
                raise UsageError(f"{here} has another version of {point.target.label} than the sweep; update it there")
            results = point.target.run(
                dict(point.parameters), point.seed, point.profile, make_folder(point_folder(out, point.identity))
            )
        except Exception as failure:
            error = _sentence(failure)
        return _record(point, started, round(time.perf_counter() - clock, 2), _worker(), results, error)


def _record(
    point: Point,
    started: datetime,
    seconds: float | None = None,
    worker: str | None = None,
    results: dict[str, Any] | None = None,
    error: str | None = None,
) -> Record:
    return {
        "id": point.identity,
        "target": point.target.label,
        "parameters": dict(point.parameters),
        "seed": point.seed,
        "profile": point.profile,
        "results": results or {},
        "status": "failed" if error else "done",
        "error": error,
        "seconds": seconds,
        "worker": worker,
        "host": socket.gethostname() if worker else None,
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "content": point.content,
        "started": started.isoformat(),
        "finished": datetime.now(UTC).isoformat(),
    }


def _worker() -> str | None:
    from distributed import get_worker

    try:
        return get_worker().address
    except ValueError:  # called by hand, without Dask
        return None


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())[:500]
    known = isinstance(error, UsageError) or type(error) is RuntimeError
    return text if known and text else f"{type(error).__name__}: {text}"
